"""What happens while a released reply is prepared or heard: one function for each such state."""

from typing import assert_never

from turnkit.turn.commands import (
    CancelReply,
    CloseTurn,
    Command,
    PauseReply,
    Prompt,
    ResumeReply,
)
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    FloorEvent,
    InterruptRequested,
    PlayoutFinished,
    PlayoutStarted,
    ReplyDeclined,
    ReplyFailed,
    StartOfTurn,
    StateEvent,
    TurnResumed,
    Update,
)
from turnkit.turn.moves import Moves, Step
from turnkit.turn.states import (
    AgentSpeaking,
    Closed,
    Insisting,
    Overlapping,
    State,
    Thinking,
    UserSpeaking,
)


def thinking(moves: Moves, state: Thinking, event: StateEvent, now: float) -> Step:
    """Decide while a released reply has not sounded yet."""
    match event:
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
            cut = moves.cut(state, "superseded", "superseded")
            return moves.instead(cut, event, now)
        case PlayoutStarted(reply) if reply == state.reply:
            return _speak(moves, state, now), []
        case ReplyDeclined(reply) if reply == state.reply:
            return moves.listen(now), moves.close(state.purpose, "declined")
        case PlayoutFinished(reply) if reply == state.reply:
            return moves.listen(now), moves.close(state.purpose, "answered")
        case ReplyFailed(reply, reason) if reply == state.reply:
            return moves.replace_failed(state.purpose, reason, now)
        case DeadlineReached() if now >= state.deadline:
            reason = "no sound in time"
            after, commands = moves.replace_failed(state.purpose, reason, now)
            return after, [CancelReply(state.reply, "deadline"), *commands]
        case InterruptRequested(reason):
            cut = moves.cut(state, "asked", "interrupted", reason)
            return moves.listen(now), cut
        case CallEnded():
            return Closed(), moves.cut(state, "call_ended", "failed", "call ended")
        case Update():
            return state, []
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of an earlier reply, or an early alarm
        case _:
            assert_never(event)


def agent_speaking(moves: Moves, state: AgentSpeaking, event: StateEvent, now: float) -> Step:
    """Decide while a reply is being heard."""
    match event:
        case StartOfTurn(turn, words) if _may_be_noise(moves, words):
            moves.skip_to(turn)
            until = now + moves.policy.barge_in.decide_s
            overlap = Overlapping(state, turn, words, paused=True, deadline=until)
            return overlap, [PauseReply(state.reply)]
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
            return _give_way(moves, state, event, now)
        case PlayoutFinished(reply) if reply == state.reply:
            return moves.listen(now), moves.close(state.purpose, "answered")
        case ReplyFailed(reply, reason) if reply == state.reply:
            return moves.apologise(state.purpose, reason, now)
        case DeadlineReached() if now >= state.deadline:
            return moves.listen(now), _too_long(moves, state)
        case InterruptRequested(reason):
            cut = moves.cut(state, "asked", "interrupted", reason)
            return moves.listen(now), cut
        case CallEnded():
            return Closed(), _hung_up(moves, state)
        case Update():
            return state, []
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of an earlier reply, or an early alarm
        case _:
            assert_never(event)


def overlapping(moves: Moves, state: Overlapping, event: StateEvent, now: float) -> Step:
    """Decide while it is not clear what a sound the user made during a reply means."""
    speaking = state.speaking
    match event:
        case StartOfTurn(turn) | EagerEndOfTurn(turn) | TurnResumed(turn) | EndOfTurn(turn) if (
            turn != state.turn
        ):  # the end of this turn was lost on the way
            cut = moves.cut(speaking, "barge_in", "interrupted")
            return moves.instead([*cut, *moves.supersede(state.turn)], event, now)
        case EndOfTurn():
            return _judge_ended(moves, state, event, now)
        case EagerEndOfTurn(_, words) | TurnResumed(_, words) | StartOfTurn(_, words):
            return _judge(moves, state, words, event, now)
        case Update(turn, words) if turn == state.turn:
            return _judge(moves, state, words, StartOfTurn(state.turn, words), now)
        case DeadlineReached() if now >= state.deadline:
            return _judge_late(moves, state, now)
        case PlayoutFinished(reply) if reply == speaking.reply:
            return UserSpeaking(state.turn), moves.close(speaking.purpose, "answered")
        case ReplyFailed(reply, reason) if reply == speaking.reply:
            closed = moves.close(speaking.purpose, "failed", reason)
            return UserSpeaking(state.turn), closed
        case InterruptRequested(reason):
            cut = moves.cut(speaking, "asked", "interrupted", reason)
            return UserSpeaking(state.turn), cut
        case CallEnded():
            return Closed(), _hung_up(moves, speaking)
        case (
            Update()
            | PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of an earlier reply, or an early alarm
        case _:
            assert_never(event)


def _speak(moves: Moves, state: Thinking, now: float) -> State:
    speaking = AgentSpeaking(state.purpose, state.reply, now + moves.policy.max_reply_s)
    match state.purpose:
        case Prompt(interruptible=False):
            return Insisting(speaking, moves.listen(now))
        case _:
            return speaking


def _may_be_noise(moves: Moves, words: str) -> bool:
    barge_in = moves.policy.barge_in
    return barge_in.at_once == "pause" and barge_in.judge(words) == "wait"


def _give_way(moves: Moves, speaking: AgentSpeaking, event: FloorEvent, now: float) -> Step:
    """Barge-in: the user always wins the floor."""
    cut = moves.cut(speaking, "barge_in", "interrupted")
    return moves.instead(cut, event, now)


def _judge(moves: Moves, state: Overlapping, words: str, event: FloorEvent, now: float) -> Step:
    if moves.policy.barge_in.judge(words) == "stop":
        return _give_way(moves, state.speaking, event, now)
    heard = Overlapping(state.speaking, state.turn, words, state.paused, state.deadline)
    return heard, []


def _judge_ended(moves: Moves, state: Overlapping, event: EndOfTurn, now: float) -> Step:
    if moves.policy.barge_in.judge(event.transcript, ended=True) == "stop":
        return _give_way(moves, state.speaking, event, now)
    moves.settled_turn = event.turn
    closed = CloseTurn(event.turn, "declined", "backchannel")
    return state.speaking, [*_go_on(state, "backchannel"), closed]


def _judge_late(moves: Moves, state: Overlapping, now: float) -> Step:
    if not state.paused:
        return UserSpeaking(state.turn), _too_long(moves, state.speaking)
    if moves.policy.barge_in.judge_late(state.words) == "stop":
        return _give_way(moves, state.speaking, StartOfTurn(state.turn), now)
    until = state.speaking.deadline
    audible = Overlapping(state.speaking, state.turn, state.words, paused=False, deadline=until)
    return audible, _go_on(state, "no words in time")


def _go_on(state: Overlapping, reason: str) -> list[Command]:
    return [ResumeReply(state.speaking.reply, reason)] if state.paused else []


def _too_long(moves: Moves, speaking: AgentSpeaking) -> list[Command]:
    return moves.cut(speaking, "deadline", "interrupted", "reply too long")


def _hung_up(moves: Moves, speaking: AgentSpeaking) -> list[Command]:
    return moves.cut(speaking, "call_ended", "interrupted", "call ended")
