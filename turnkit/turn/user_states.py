"""What happens while the user has the floor, or nobody: one function for each such state."""

from typing import assert_never

from turnkit.turn.commands import AskIdle, CancelReply, Command
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
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
from turnkit.turn.states import Closed, Holding, Listening, Speculating, UserSpeaking


def listening(moves: Moves, state: Listening, event: StateEvent, now: float) -> Step:
    """Decide while nobody has the floor."""
    match event:
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
            return moves.open(event, now)
        case DeadlineReached() if now >= state.deadline:
            return moves.listen(now), [AskIdle()]
        case CallEnded():
            return Closed(), []
        case Update() | InterruptRequested():
            return state, []  # words may precede the StartOfTurn they belong to
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of a reply that is settled
        case _:
            assert_never(event)


def user_speaking(moves: Moves, state: UserSpeaking, event: StateEvent, now: float) -> Step:
    """Decide while the user has the floor."""
    match event:
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn() if (
            event.turn != state.turn
        ):  # the end of this turn was lost on the way
            return moves.instead(moves.supersede(state.turn), event, now)
        case EagerEndOfTurn():
            return moves.speculate(state, event, now)
        case EndOfTurn():
            return moves.commit(event, now)
        case CallEnded():
            return Closed(), []
        case StartOfTurn() | TurnResumed() | Update() | InterruptRequested():
            return state, []  # we knew: the user is speaking
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of a reply that was cancelled
        case _:
            assert_never(event)


def speculating(moves: Moves, state: Speculating, event: StateEvent, now: float) -> Step:
    """Decide while the user is probably done, and a draft is under way."""
    match event:
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn() if (
            event.turn != state.answer.turn
        ):
            return moves.instead(_lose(moves, state, now), event, now)
        case EndOfTurn(_, transcript) if moves.answers(state, transcript):
            return moves.release(state, now)
        case EagerEndOfTurn(_, transcript) if moves.answers(state, transcript):
            return state, []  # said twice
        case EagerEndOfTurn() | EndOfTurn():
            return _redraft(moves, state, event, now)
        case TurnResumed():
            return moves.hold(state, now)
        case DeadlineReached() if now >= state.deadline:
            return _before(state), moves.drop(state, "expired", now)
        case ReplyFailed(reply) if reply == state.reply:
            moves.budget.resolved(now, heard=False)
            return _before(state), []  # asked again when the turn is final
        case CallEnded():
            return Closed(), [CancelReply(state.reply, "call_ended")]
        case StartOfTurn() | Update() | InterruptRequested():
            return state, []
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of a reply that was cancelled
        case _:
            assert_never(event)


def holding(moves: Moves, state: Holding, event: StateEvent, now: float) -> Step:
    """Decide while the user goes on, and the draft is kept for a moment."""
    match event:
        case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn() if (
            event.turn != state.answer.turn
        ):
            return moves.instead(_lose(moves, state, now), event, now)
        case EndOfTurn(_, transcript) if moves.answers(state, transcript):
            return moves.release(state, now)
        case EagerEndOfTurn(_, transcript) if moves.answers(state, transcript):
            until = now + moves.policy.draft_age_s
            return Speculating(state.answer, state.reply, state.drafts, until), []
        case EagerEndOfTurn() | EndOfTurn():
            return _redraft(moves, state, event, now)
        case DeadlineReached() if now >= state.deadline:
            return _before(state), moves.drop(state, "expired", now)
        case ReplyFailed(reply) if reply == state.reply:
            moves.budget.resolved(now, heard=False)
            return _before(state), []
        case CallEnded():
            return Closed(), [CancelReply(state.reply, "call_ended")]
        case StartOfTurn() | TurnResumed() | Update() | InterruptRequested():
            return state, []  # we knew: the user is speaking
        case (
            PlayoutStarted()
            | PlayoutFinished()
            | ReplyDeclined()
            | ReplyFailed()
            | DeadlineReached()
        ):
            return state, []  # late news of a reply that was cancelled, or an early alarm
        case _:
            assert_never(event)


def _lose(moves: Moves, draft: Speculating | Holding, now: float) -> list[Command]:
    """Drop the draft of a turn whose end was lost on the way."""
    dropped = moves.drop(draft, "superseded", now)
    return [*dropped, *moves.supersede(draft.answer.turn)]


def _redraft(
    moves: Moves, draft: Speculating | Holding, event: EagerEndOfTurn | EndOfTurn, now: float
) -> Step:
    """Throw a draft away that answers other words, and answer these."""
    dropped = moves.drop(draft, "changed", now)
    after, commands = user_speaking(moves, _before(draft), event, now)
    return after, [*dropped, *commands]


def _before(draft: Speculating | Holding) -> UserSpeaking:
    """Return the state as it is without the draft."""
    return UserSpeaking(draft.answer.turn, draft.drafts)
