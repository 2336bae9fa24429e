"""The moves that several states of the turn machine share. No rule of when to make them."""

from typing import TypeAlias, assert_never

from turnkit.turn.budget import Budget
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
    ReleaseReply,
    SkipDraft,
    StartReply,
)
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, FloorEvent, StartOfTurn, TurnResumed
from turnkit.turn.policy import TurnPolicy
from turnkit.turn.states import (
    AgentSpeaking,
    Holding,
    Listening,
    Speculating,
    State,
    Thinking,
    UserSpeaking,
)

Step: TypeAlias = tuple[State, list[Command]]


class Moves:
    """Numbers replies, remembers which turn ended last, and knows how each move is made."""

    def __init__(self, policy: TurnPolicy, budget: Budget) -> None:
        self.policy = policy
        self.budget = budget
        self.replies = 0
        self.settled_turn = -1  # the newest turn that ended; news of it or older comes too late

    # The user's side.

    def open(self, event: FloorEvent, now: float) -> Step:
        """Give the user the floor, also where the source skipped the StartOfTurn."""
        self.skip_to(event.turn)
        match event:
            case StartOfTurn(turn) | TurnResumed(turn):
                return UserSpeaking(turn), []
            case EagerEndOfTurn(turn):
                return self.speculate(UserSpeaking(turn), event, now)
            case EndOfTurn():
                return self.commit(event, now)
            case _:
                assert_never(event)

    def skip_to(self, turn: int) -> None:
        """Take every earlier turn as settled: turns do not go back."""
        self.settled_turn = max(self.settled_turn, turn - 1)

    def instead(self, first: list[Command], event: FloorEvent, now: float) -> Step:
        """Clear away what stood in the user's way, then give the user the floor."""
        state, commands = self.open(event, now)
        return state, [*first, *commands]

    def supersede(self, turn: int) -> list[Command]:
        """Close a turn whose end never came, because a newer one has begun."""
        self.settled_turn = max(self.settled_turn, turn)
        return [CloseTurn(turn, "superseded", "its end never came")]

    def commit(self, event: EndOfTurn, now: float) -> Step:
        """Take the turn as final, with no draft that answers it."""
        self.settled_turn = event.turn
        if not event.transcript.strip():
            return self.listen(now), [CloseTurn(event.turn, "declined", "empty transcript")]
        return self.start(Answer(event.turn, event.transcript, drafted=False), now)

    def listen(self, now: float) -> Listening:
        """Leave the floor to whoever wants it."""
        return Listening(now + self.policy.idle_s)

    # Drafts.

    def speculate(self, state: UserSpeaking, event: EagerEndOfTurn, now: float) -> Step:
        """Start a draft for a turn that is probably over, if that is worthwhile and affordable."""
        if not self.policy.speculate or not event.transcript.strip():
            return state, []
        if state.drafts >= self.policy.max_drafts_per_turn:
            return state, [SkipDraft(event.turn, "limit of drafts a turn")]
        if (refusal := self.budget.refusal(now)) is not None:
            return state, [SkipDraft(event.turn, refusal)]
        self.budget.started(now)
        answer = Answer(event.turn, event.transcript, drafted=True)
        start = self.next_reply(answer)
        until = now + self.policy.draft_age_s
        return Speculating(answer, start.reply, state.drafts + 1, until), [start]

    def answers(self, draft: Speculating | Holding, transcript: str) -> bool:
        """Tell whether a draft fits the words."""
        return self.policy.same_words(draft.answer.transcript, transcript)

    def release(self, draft: Speculating | Holding, now: float) -> Step:
        """Take the turn as final; the draft answers it."""
        self.settled_turn = draft.answer.turn
        self.budget.resolved(now, heard=True)
        return self.think(draft.reply, draft.answer, now), [ReleaseReply(draft.reply)]

    def drop(self, draft: Speculating | Holding, reason: CancelReason, now: float) -> list[Command]:
        """Throw a draft away."""
        self.budget.resolved(now, heard=False)
        return [CancelReply(draft.reply, reason)]

    def hold(self, draft: Speculating, now: float) -> Step:
        """Keep the draft for a moment though the user goes on, if the policy says so."""
        if not self.policy.hold_s:
            return UserSpeaking(draft.answer.turn, draft.drafts), self.drop(draft, "resumed", now)
        return Holding(draft.answer, draft.reply, draft.drafts, now + self.policy.hold_s), []

    # Replies.

    def start(self, purpose: Purpose, now: float) -> Step:
        """Start a reply that may be heard at once."""
        start = self.next_reply(purpose)
        return self.think(start.reply, purpose, now), [start, ReleaseReply(start.reply)]

    def next_reply(self, purpose: Purpose) -> StartReply:
        """Give a reply its number."""
        self.replies += 1
        return StartReply(self.replies, purpose)

    def think(self, reply: int, purpose: Purpose, now: float) -> Thinking:
        """Wait for the first sound of a released reply."""
        match purpose:
            case Answer(drafted=True):
                patience_s = self.policy.draft_deadline_s
            case Answer() | Apology() | Prompt():
                patience_s = self.policy.reply_deadline_s
            case _:
                assert_never(purpose)
        return Thinking(purpose, reply, now + patience_s)

    def replace_failed(self, purpose: Purpose, reason: str, now: float) -> Step:
        """Try once more if the attempt was a guess, else apologise; nothing was heard yet."""
        match purpose:
            case Answer(turn, transcript, drafted=True):
                return self.start(Answer(turn, transcript, drafted=False), now)
            case Answer() | Apology() | Prompt():
                return self.apologise(purpose, reason, now)
            case _:
                assert_never(purpose)

    def apologise(self, purpose: Purpose, reason: str, now: float) -> Step:
        """Say sorry for an answer that failed; for anything else, give up."""
        match purpose:
            case Answer(turn):
                return self.start(Apology(turn, reason), now)
            case Apology() | Prompt():
                return self.listen(now), self.close(purpose, "failed", reason)
            case _:
                assert_never(purpose)

    def cut(
        self,
        state: Thinking | AgentSpeaking,
        cancel: CancelReason,
        outcome: Outcome,
        reason: str = "",
    ) -> list[Command]:
        """Stop a reply and close its turn."""
        return [CancelReply(state.reply, cancel), *self.close(state.purpose, outcome, reason)]

    def close(self, purpose: Purpose, outcome: Outcome, reason: str = "") -> list[Command]:
        """Close the turn a reply was for, if it was for one."""
        match purpose:
            case Answer(turn):
                return [CloseTurn(turn, outcome, reason)]
            case Apology(turn, failure):  # words instead of an answer do not make it one
                return [CloseTurn(turn, "failed", failure)]
            case Prompt():
                return []
            case _:
                assert_never(purpose)
