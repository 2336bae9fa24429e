"""How every turn ended, and what speculation cost and gained: a listener that keeps accounts.

It sees what every listener sees, so that the accounts of a live call and those of its trace come
from the same code.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from turnkit.listeners.base import (
    Item,
    ReplyHeard,
    ReplyReady,
    ReplySpent,
    ReplyWorded,
    UserAcknowledged,
)
from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReply,
    CloseTurn,
    Outcome,
    Purpose,
    ReleaseReply,
    SkipDraft,
    StartReply,
)
from turnkit.turn.events import EndOfTurn, PlayoutStarted

MAX_RECORDS = 1000
"""Turns remembered; of older ones only the totals are."""


_LATE_REPLIES = 64
"""Replies that are over, and whose work may still have something to add to the bill."""


@dataclass(slots=True)
class TurnRecord:
    """One turn's account. Instants are on the session's clock, in seconds."""

    turn: int
    transcript: str = ""
    final_at: float | None = None
    first_sound_at: float | None = None
    outcome: Outcome | None = None
    """None while it is open."""
    reason: str = ""
    heard: str = ""
    """What the user can have heard in reply."""
    heard_estimated: bool = False
    """Whether that was cut by the clock, within words whose places in the audio are not known."""
    drafts: int = 0
    released: int = 0
    """Drafts that became the reply: 0 or 1."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Drafts that did not, by reason."""
    skipped: Counter[str] = field(default_factory=Counter)
    """Drafts that were not started, by reason."""
    tokens: int = 0
    characters: int = 0
    wasted_tokens: int = 0
    wasted_characters: int = 0
    head_start_s: float = 0.0
    """How much sooner the first sound came than without speculation."""

    @property
    def response_s(self) -> float | None:
        """From the final transcript to the first sound."""
        if self.final_at is None or self.first_sound_at is None:
            return None
        return self.first_sound_at - self.final_at


@dataclass(slots=True)
class Totals:
    """The sums over a call."""

    outcomes: Counter[str] = field(default_factory=Counter)
    drafts: int = 0
    released: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    characters: int = 0
    wasted_tokens: int = 0
    wasted_characters: int = 0
    head_start_s: float = 0.0
    acknowledgements: int = 0
    """How often the user said something short while the agent spoke, and took no turn."""

    @property
    def hit_rate(self) -> float | None:
        """The share of drafts that were heard; None if there was no draft."""
        return self.released / self.drafts if self.drafts else None

    def cost(self, per_million_tokens: float, per_million_characters: float) -> tuple[float, float]:
        """Return what was spent in all, and what of it was wasted, in the prices' currency."""

        def price(tokens: int, characters: int) -> float:
            return (tokens * per_million_tokens + characters * per_million_characters) / 1e6

        return (
            price(self.tokens, self.characters),
            price(self.wasted_tokens, self.wasted_characters),
        )

    def account(
        self, per_million_tokens: float, per_million_characters: float
    ) -> dict[str, object]:
        """Return all of it for a log line: what speculation gained, and what it cost."""
        spent, wasted = self.cost(per_million_tokens, per_million_characters)
        return {
            "outcomes": dict(self.outcomes),
            "drafts": self.drafts,
            "drafts_heard": self.released,
            "head_start_ms": round(self.head_start_s * 1000),
            "tokens": self.tokens,
            "tokens_wasted": self.wasted_tokens,
            "characters": self.characters,
            "characters_wasted": self.wasted_characters,
            "cost": round(spent, 6),
            "cost_wasted": round(wasted, 6),
        }


@dataclass(slots=True)
class _Draft:
    """What is known of a reply that is not over."""

    turn: int | None
    drafted: bool
    started_at: float
    worded_at: float | None = None  # the first clause was there
    voiced_at: float | None = None  # and went to the voice
    ready_at: float | None = None  # the first sound was there
    released_at: float | None = None
    dropped: bool = False
    tokens: int = 0
    characters: int = 0


Records: TypeAlias = Mapping[int, TurnRecord]


class Ledger:
    """Readable at any time: `turns` by number, in order, and `totals`."""

    def __init__(self) -> None:
        self.totals = Totals()
        self._turns: dict[int, TurnRecord] = {}
        self._replies: dict[int, _Draft] = {}
        self._over_lately: dict[int, int] = {}  # which turn a reply was for

    @property
    def turns(self) -> Records:
        """The newest thousand turns that were final, or about which a guess was made."""
        return self._turns

    def note(self, at: float, item: Item) -> None:
        """Take in what happened."""
        match item:
            case EndOfTurn(turn, transcript):
                self._final(turn, transcript, at)
            case StartReply(reply, purpose):
                self._start(reply, purpose, at)
            case ReplyWorded(reply) if reply in self._replies:
                draft = self._replies[reply]
                draft.worded_at = at if draft.worded_at is None else draft.worded_at
            case ReplyReady(reply) if reply in self._replies:
                self._replies[reply].ready_at = at
            case ReplySpent(reply, tokens, characters):
                self._spend(reply, tokens, characters, at)
            case ReleaseReply(reply) if reply in self._replies:
                self._replies[reply].released_at = at
            case PlayoutStarted(reply) if reply in self._replies:
                self._sound(self._replies[reply], at)
            case CancelReply(reply, reason) if reply in self._replies:
                self._drop(self._replies[reply], reason)
            case ReplyHeard(reply, heard, _, estimated) if reply in self._replies:
                self._over(reply, heard, estimated=estimated)
            case SkipDraft(turn, reason):
                self._record(turn).skipped[reason] += 1
                self.totals.skipped[reason] += 1
            case CloseTurn(turn, outcome, reason):
                self._close(turn, outcome, reason)
            case UserAcknowledged():
                self.totals.acknowledgements += 1
            case _:
                pass  # of no account

    def _close(self, turn: int, outcome: Outcome, reason: str) -> None:
        record = self._record(turn)
        record.outcome, record.reason = outcome, reason
        self.totals.outcomes[outcome] += 1

    def _record(self, turn: int) -> TurnRecord:
        if turn not in self._turns:
            self._turns[turn] = TurnRecord(turn)
            if len(self._turns) > MAX_RECORDS:
                del self._turns[next(iter(self._turns))]
        return self._turns[turn]

    def _final(self, turn: int, transcript: str, at: float) -> None:
        record = self._record(turn)
        if record.final_at is None:
            record.final_at, record.transcript = at, transcript

    def _start(self, reply: int, purpose: Purpose, at: float) -> None:
        turn = purpose.turn if isinstance(purpose, Answer | Apology) else None
        drafted = isinstance(purpose, Answer) and purpose.drafted
        self._replies[reply] = _Draft(turn, drafted, at)
        if drafted and turn is not None:
            self._record(turn).drafts += 1
            self.totals.drafts += 1

    def _spend(self, reply: int, tokens: int, characters: int, at: float) -> None:
        self.totals.tokens += tokens
        self.totals.characters += characters
        if (draft := self._replies.get(reply)) is None:
            self.totals.wasted_tokens += tokens  # it was dropped, and its work had not ended yet
            self.totals.wasted_characters += characters
            if (turn := self._over_lately.get(reply)) is not None:
                record = self._record(turn)
                record.tokens += tokens
                record.characters += characters
                record.wasted_tokens += tokens
                record.wasted_characters += characters
            return
        if characters and draft.voiced_at is None:
            draft.voiced_at = at
        draft.tokens += tokens
        draft.characters += characters
        if draft.turn is not None:
            record = self._record(draft.turn)
            record.tokens += tokens
            record.characters += characters

    def _sound(self, draft: _Draft, at: float) -> None:
        if draft.turn is None:
            return
        record = self._record(draft.turn)
        if record.first_sound_at is None:
            record.first_sound_at = at
        if draft.drafted:
            gained_s = _gained_s(draft, at)
            record.head_start_s += gained_s
            self.totals.head_start_s += gained_s

    def _drop(self, draft: _Draft, reason: str) -> None:
        draft.dropped = True
        if draft.drafted and draft.released_at is None and draft.turn is not None:
            self._record(draft.turn).dropped[reason] += 1
            self.totals.dropped[reason] += 1

    def _over(self, reply: int, heard: str, *, estimated: bool) -> None:
        """Close a reply's account: a draft that was never released was for nothing."""
        draft = self._replies.pop(reply)
        if draft.turn is None:
            return
        self._over_lately[reply] = draft.turn
        if len(self._over_lately) > _LATE_REPLIES:
            del self._over_lately[next(iter(self._over_lately))]
        record = self._record(draft.turn)
        record.heard += heard
        record.heard_estimated |= estimated
        if not draft.drafted:
            return
        if draft.released_at is not None:
            record.released += 1
            self.totals.released += 1
            return
        if not draft.dropped:  # it ended by itself, unheard
            self._drop(draft, "failed")
        record.wasted_tokens += draft.tokens
        record.wasted_characters += draft.characters
        self.totals.wasted_tokens += draft.tokens
        self.totals.wasted_characters += draft.characters


def _gained_s(draft: _Draft, sounded_at: float) -> float:
    """Return how much later the sound would have come had the draft begun when the turn was final.

    Its preparation would have taken as long as it did, less what it spent waiting for the end.
    """
    match draft:
        case _Draft(
            worded_at=float(worded),
            voiced_at=float(voiced),
            ready_at=float(ready),
            released_at=float(released),
        ):
            preparation_s = (worded - draft.started_at) + (ready - voiced)
            return max(0.0, preparation_s - (sounded_at - released))
        case _:
            return 0.0  # a recording, which nothing had to be prepared for
