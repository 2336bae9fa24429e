"""Who has the floor: events in, commands out. No I/O, no clock, no task, no log.

The driver feeds one event at a time, with the time it happened, and carries out the commands
in order. It calls again with `DeadlineReached` once `deadline` has passed.
"""

from math import inf
from typing import TypeAlias, assert_never

from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReason,
    CancelReply,
    CloseTurn,
    Command,
    Outcome,
    Prompt,
    Purpose,
    RefusePrompt,
    ReleaseReply,
    StartReply,
)
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    Event,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)
from turnkit.turn.policy import TurnPolicy
from turnkit.turn.states import (
    AgentSpeaking,
    Closed,
    Listening,
    Speculating,
    State,
    Thinking,
    UserSpeaking,
)

Step: TypeAlias = tuple[State, list[Command]]
FloorEvent: TypeAlias = StartOfTurn | EagerEndOfTurn | TurnResumed | EndOfTurn


class TurnMachine:
    """The turn-taking of one conversation.

    It promises that every turn that was final is closed by exactly one `CloseTurn`, that only
    one reply at a time is released and not yet cancelled or finished, and that a reply is
    released only for a turn that is final.
    """

    def __init__(self, policy: TurnPolicy | None = None) -> None:
        self.state: State = Listening()
        self._policy = policy or TurnPolicy()
        self._replies = 0
        self._settled_turn = -1  # the newest turn that ended; news of it or older comes too late

    @classmethod
    def at(cls, state: State, *, settled_turn: int, replies: int) -> "TurnMachine":
        """Return a machine in the midst of a conversation, to look at one step of it."""
        machine = cls()
        machine.state, machine._settled_turn, machine._replies = state, settled_turn, replies
        return machine

    @property
    def deadline(self) -> float:
        """The instant at which the machine wants `DeadlineReached`; `inf` for never."""
        match self.state:
            case Thinking(deadline=deadline) | AgentSpeaking(deadline=deadline):
                return deadline
            case Listening() | UserSpeaking() | Speculating() | Closed():
                return inf
            case _:
                assert_never(self.state)

    @property
    def closed(self) -> bool:
        """Whether the call is over, so that nothing will ever be asked again."""
        return isinstance(self.state, Closed)

    def feed(self, event: Event, now: float) -> list[Command]:
        """Take in one event; return what to do about it, in order."""
        if self._is_late(event):
            return []
        match self.state:
            case Listening():
                self.state, commands = self._listening(event, now)
            case UserSpeaking() as state:
                self.state, commands = self._user_speaking(state, event, now)
            case Speculating() as state:
                self.state, commands = self._speculating(state, event, now)
            case Thinking() as state:
                self.state, commands = self._thinking(state, event, now)
            case AgentSpeaking() as state:
                self.state, commands = self._agent_speaking(state, event, now)
            case Closed():
                commands = self._closed(event)
            case _:
                assert_never(self.state)
        return commands

    def _is_late(self, event: Event) -> bool:
        """Tell news of a turn that has ended: sources repeat themselves, and networks reorder."""
        match event:
            case (
                StartOfTurn(turn)
                | Update(turn)
                | EagerEndOfTurn(turn)
                | TurnResumed(turn)
                | EndOfTurn(turn)
            ):
                return turn <= self._settled_turn
            case _:
                return False

    # One method per state.

    def _listening(self, event: Event, now: float) -> Step:
        match event:
            case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                return self._open(event, now)
            case PromptRequested(prompt):
                return self._start(Prompt(prompt), now)
            case CallEnded():
                return Closed(), []
            case Update():
                return Listening(), []  # words may precede the StartOfTurn they belong to
            case (
                PlayoutStarted()
                | PlayoutFinished()
                | ReplyDeclined()
                | ReplyFailed()
                | DeadlineReached()
            ):
                return Listening(), []  # late news of a reply that is settled
            case _:
                assert_never(event)

    def _user_speaking(self, state: UserSpeaking, event: Event, now: float) -> Step:
        match event:
            case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                if event.turn != state.turn:  # the end of this turn was lost on the way
                    return self._instead(self._supersede(state.turn), event, now)
                return self._with_user(state, event, now)
            case PromptRequested(prompt):
                return state, [RefusePrompt(prompt)]
            case CallEnded():
                return Closed(), []
            case Update():
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

    def _with_user(self, state: UserSpeaking, event: FloorEvent, now: float) -> Step:
        match event:
            case EagerEndOfTurn():
                return self._speculate(state, event)
            case EndOfTurn():
                return self._commit(event, now)
            case StartOfTurn() | TurnResumed():
                return state, []  # we knew: the user is speaking
            case _:
                assert_never(event)

    def _speculating(self, state: Speculating, event: Event, now: float) -> Step:
        turn = state.answer.turn
        match event:
            case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                if event.turn != turn:  # the end of this turn was lost on the way
                    dropped = [CancelReply(state.reply, "superseded"), *self._supersede(turn)]
                    return self._instead(dropped, event, now)
                return self._with_draft(state, event, now)
            case ReplyFailed(reply) if reply == state.reply:
                return UserSpeaking(turn, state.drafts), []  # asked again when the turn is final
            case PromptRequested(prompt):
                return state, [RefusePrompt(prompt)]
            case CallEnded():
                return Closed(), [CancelReply(state.reply, "call_ended")]
            case Update():
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

    def _with_draft(self, state: Speculating, event: FloorEvent, now: float) -> Step:
        before = UserSpeaking(state.answer.turn, state.drafts)
        match event:
            case EndOfTurn(turn, transcript) if self._draft_answers(state, transcript):
                self._settled_turn = turn
                return self._think(state.reply, state.answer, now), [ReleaseReply(state.reply)]
            case EndOfTurn():
                return self._instead([CancelReply(state.reply, "changed")], event, now)
            case EagerEndOfTurn(_, transcript) if self._draft_answers(state, transcript):
                return state, []  # said twice
            case EagerEndOfTurn():
                after, commands = self._speculate(before, event)
                return after, [CancelReply(state.reply, "changed"), *commands]
            case TurnResumed():
                return before, [CancelReply(state.reply, "resumed")]
            case StartOfTurn():
                return state, []  # said twice
            case _:
                assert_never(event)

    def _thinking(self, state: Thinking, event: Event, now: float) -> Step:
        match event:
            case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                return self._instead(self._cut(state, "superseded", "superseded"), event, now)
            case PlayoutStarted(reply) if reply == state.reply:
                until = now + self._policy.max_reply_s
                return AgentSpeaking(state.purpose, reply, until), []
            case ReplyDeclined(reply) if reply == state.reply:
                return Listening(), self._close(state.purpose, "declined")
            case PlayoutFinished(reply) if reply == state.reply:
                return Listening(), self._close(state.purpose, "answered")
            case ReplyFailed(reply, reason) if reply == state.reply:
                return self._instead_of_failed(state.purpose, reason, now)
            case DeadlineReached() if now >= state.deadline:
                after, commands = self._instead_of_failed(state.purpose, "no sound in time", now)
                return after, [CancelReply(state.reply, "deadline"), *commands]
            case PromptRequested(prompt):
                return state, [RefusePrompt(prompt)]
            case CallEnded():
                return Closed(), self._cut(state, "call_ended", "failed", "call ended")
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

    def _agent_speaking(self, state: AgentSpeaking, event: Event, now: float) -> Step:
        match event:
            case StartOfTurn() | EagerEndOfTurn() | TurnResumed() | EndOfTurn():
                # Barge-in: the user always wins the floor.
                return self._instead(self._cut(state, "barge_in", "interrupted"), event, now)
            case PlayoutFinished(reply) if reply == state.reply:
                return Listening(), self._close(state.purpose, "answered")
            case ReplyFailed(reply, reason) if reply == state.reply:
                return self._apologise(state.purpose, reason, now)
            case DeadlineReached() if now >= state.deadline:
                return Listening(), self._cut(state, "deadline", "interrupted", "reply too long")
            case PromptRequested(prompt):
                return state, [RefusePrompt(prompt)]
            case CallEnded():
                return Closed(), self._cut(state, "call_ended", "interrupted", "call ended")
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

    def _closed(self, event: Event) -> list[Command]:
        match event:
            case PromptRequested(prompt):
                return [RefusePrompt(prompt)]
            case (
                StartOfTurn()
                | Update()
                | EagerEndOfTurn()
                | TurnResumed()
                | EndOfTurn()
                | PlayoutStarted()
                | PlayoutFinished()
                | ReplyDeclined()
                | ReplyFailed()
                | CallEnded()
                | DeadlineReached()
            ):
                return []  # nothing can follow the end of a call
            case _:
                assert_never(event)

    # The moves they share.

    def _open(self, event: FloorEvent, now: float) -> Step:
        """Give the user the floor, also where the source skipped the StartOfTurn."""
        self._settled_turn = max(self._settled_turn, event.turn - 1)  # turns do not go back
        match event:
            case StartOfTurn(turn) | TurnResumed(turn):
                return UserSpeaking(turn), []
            case EagerEndOfTurn(turn):
                return self._speculate(UserSpeaking(turn), event)
            case EndOfTurn():
                return self._commit(event, now)
            case _:
                assert_never(event)

    def _instead(self, first: list[Command], event: FloorEvent, now: float) -> Step:
        """Clear away what stood in the user's way, then give the user the floor."""
        state, commands = self._open(event, now)
        return state, [*first, *commands]

    def _speculate(self, state: UserSpeaking, event: EagerEndOfTurn) -> Step:
        """Start a draft for a turn that is probably over, if the policy thinks it worthwhile."""
        if not self._policy.may_draft(event.transcript, state.drafts):
            return state, []
        answer = Answer(event.turn, event.transcript, drafted=True)
        start = self._next_reply(answer)
        return Speculating(answer, start.reply, state.drafts + 1), [start]

    def _draft_answers(self, state: Speculating, transcript: str) -> bool:
        return self._policy.same_words(state.answer.transcript, transcript)

    def _commit(self, event: EndOfTurn, now: float) -> Step:
        """Take the turn as final, with no draft that answers it."""
        self._settled_turn = event.turn
        if not event.transcript.strip():
            return Listening(), [CloseTurn(event.turn, "declined", "empty transcript")]
        return self._start(Answer(event.turn, event.transcript, drafted=False), now)

    def _start(self, purpose: Purpose, now: float) -> Step:
        """Start a reply that may be heard at once."""
        start = self._next_reply(purpose)
        return self._think(start.reply, purpose, now), [start, ReleaseReply(start.reply)]

    def _next_reply(self, purpose: Purpose) -> StartReply:
        self._replies += 1
        return StartReply(self._replies, purpose)

    def _think(self, reply: int, purpose: Purpose, now: float) -> Thinking:
        match purpose:
            case Answer(drafted=True):
                patience_s = self._policy.draft_deadline_s
            case Answer() | Apology() | Prompt():
                patience_s = self._policy.reply_deadline_s
            case _:
                assert_never(purpose)
        return Thinking(purpose, reply, now + patience_s)

    def _instead_of_failed(self, purpose: Purpose, reason: str, now: float) -> Step:
        """Try once more if the attempt was a guess, else apologise; nothing was heard yet."""
        match purpose:
            case Answer(turn, transcript, drafted=True):
                return self._start(Answer(turn, transcript, drafted=False), now)
            case Answer() | Apology() | Prompt():
                return self._apologise(purpose, reason, now)
            case _:
                assert_never(purpose)

    def _apologise(self, purpose: Purpose, reason: str, now: float) -> Step:
        """Say sorry for an answer that failed; for anything else, give up."""
        match purpose:
            case Answer(turn):
                return self._start(Apology(turn, reason), now)
            case Apology() | Prompt():
                return Listening(), self._close(purpose, "failed", reason)
            case _:
                assert_never(purpose)

    def _cut(
        self,
        state: Thinking | AgentSpeaking,
        cancel: CancelReason,
        outcome: Outcome,
        reason: str = "",
    ) -> list[Command]:
        return [CancelReply(state.reply, cancel), *self._close(state.purpose, outcome, reason)]

    def _close(self, purpose: Purpose, outcome: Outcome, reason: str = "") -> list[Command]:
        match purpose:
            case Answer(turn):
                return [CloseTurn(turn, outcome, reason)]
            case Apology(turn, failure):  # words instead of an answer do not make it one
                return [CloseTurn(turn, "failed", failure)]
            case Prompt():
                return []
            case _:
                assert_never(purpose)

    def _supersede(self, turn: int) -> list[Command]:
        """Close a turn whose end never came, because a newer one has begun."""
        self._settled_turn = max(self._settled_turn, turn)
        return [CloseTurn(turn, "superseded", "its end never came")]
