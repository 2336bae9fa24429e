"""The turns of one call, from the messages of however many connections it took. Pure.

A new connection counts turns and seconds from zero, and hears again what the lost one may not have
told. Here that becomes one story: each turn starts once and ends once, with numbers that rise by
one, and nothing is told that was told before. Seconds are seconds of the call's audio.

A turn can also be ended from here. What the server says later of the same turn is then cut: the
words that were final stay out of it, and words after them begin a new turn.
"""

from dataclasses import dataclass
from math import inf
from typing import TypeAlias, assert_never

from turnkit.sources.flux_wire import TurnInfo
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    StartOfTurn,
    TurnResumed,
    Update,
    UserEvent,
)

MISSED = "missed"
"""The trigger of an EndOfTurn that got lost: the server has gone on to the next turn."""

_MARGIN_S = 0.5  # of audio before the first word, for the recognizer to find its feet
_TOLERANCE_S = 0.001  # times are 32-bit floats


@dataclass(frozen=True, slots=True)
class Between:
    """No turn is open; the next one has this number."""

    turn: int


@dataclass(frozen=True, slots=True)
class Open:
    """The user has the floor."""

    turn: int


@dataclass(frozen=True, slots=True)
class Announced:
    """The user has the floor, and the end was announced with this transcript."""

    turn: int
    transcript: str


State: TypeAlias = Between | Open | Announced
Step: TypeAlias = tuple[State, list[UserEvent]]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word, and when it was said, if the server tells."""

    word: str
    start_s: float | None
    end_s: float | None


Text: TypeAlias = tuple[Spoken, ...]


@dataclass(frozen=True, slots=True)
class _Cut:
    """So much of the server's turn was final before the server ended it."""

    words: int
    until_s: float | None


class Turns:
    """Follows the turns; `take` and the others return what to report, in order."""

    def __init__(self) -> None:
        self.state: State = Between(0)
        self.transcript = ""
        """The newest words of the open turn."""
        self.keep_from_s = 0.0
        """From here on audio would be needed again if the connection were lost."""
        self.heard_s = 0.0
        """As far as the server has told what it heard."""
        self.told_s = 0.0
        """The same of the present connection, which may be telling things again."""
        self.progress_s = 0.0
        """Where the open turn last changed."""
        self._words: Text = ()
        # About the present connection:
        self._base_s = 0.0
        self._index: int | None = None  # the server's number of its newest turn
        self._closed_index = -1
        self._known_s = -inf  # before this, what the server tells was told by an earlier one
        self._repeating = False  # whether it is still telling the open turn again
        self._confirmed = True  # whether it knows that a turn is open
        self._expected_s = 0.0  # when it should know
        self._prefix: Text = ()  # words of the open turn whose audio it never got
        self._cut: _Cut | None = None

    @property
    def turn(self) -> int:
        """The number of the open turn, or of the next one."""
        return self.state.turn

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return not isinstance(self.state, Between)

    @property
    def unconfirmed_s(self) -> float:
        """For how long the server should have known of the open turn, and has not."""
        return 0.0 if self._confirmed or not self.is_open else self.told_s - self._expected_s

    def resume_at_s(self, oldest_s: float) -> float:
        """Return from where to send audio again, if it is not to be older than this.

        In the middle of a turn that is where a word begins, so that none is heard in part; or
        where the server stopped telling, if it does not tell when the words were said.
        """
        if oldest_s <= self.keep_from_s:
            return self.keep_from_s
        if not _timed(self._words):
            return max(oldest_s, self.heard_s)
        starts = [word.start_s for word in self._words if word.start_s is not None]
        return min((start for start in starts if start >= oldest_s), default=oldest_s)

    def connected(self, base_s: float) -> None:
        """Begin to listen to a new connection, which gets the audio from `base_s` on."""
        self._base_s = self.told_s = base_s
        self._index, self._closed_index, self._cut = None, -1, None
        self._known_s = self._expected_s = self.heard_s if self.heard_s else -inf
        self._repeating = self.is_open
        self._confirmed = False
        self._prefix = ()
        if self.is_open and base_s > self.keep_from_s:
            self._prefix = tuple(w for w in self._words if w.start_s is None or w.start_s < base_s)

    def take(self, info: TurnInfo, sent_s: float) -> list[UserEvent]:
        """Take in what the server says of a turn, having been sent the audio up to `sent_s`."""
        if info.turn_index <= self._closed_index:
            return []  # it was over before
        events = self._follow(info.turn_index)
        at_s = self._base_s + info.audio_window_end
        fresh = at_s > self._known_s + _TOLERANCE_S
        words = self._prefix + self._after_cut(self._spoken(info))
        whole = not self._prefix and self._cut is None
        text = info.transcript if whole else " ".join(word.word for word in words)
        self.told_s = max(self.told_s, at_s)
        if fresh or info.event == "EndOfTurn":
            self._repeating = False
        before = self.state
        told = self._tell(info, text, fresh=fresh)
        if told and self.is_open:
            self._remember(text, words, min(at_s, sent_s), changed=self.state != before)
        self._acknowledge(info, text, min(at_s, sent_s))
        return events + told

    def begin(self, at_s: float) -> list[UserEvent]:
        """Open a turn that somebody else heard begin, while no server listens."""
        match self.state:
            case Between(turn):
                self.state, self._confirmed, self._expected_s = Open(turn), False, at_s
                self.progress_s = at_s
                return [StartOfTurn(turn)]
            case Open() | Announced():
                return []
            case _:
                assert_never(self.state)

    def end(self, trigger: str) -> list[UserEvent]:
        """End the open turn with the words there are, without the server."""
        match self.state:
            case Between():
                return []
            case Open(turn) | Announced(turn):
                end = EndOfTurn(turn, self.transcript, trigger)
                last_s = self._words[-1].end_s if self._words else None
                if self._words:
                    already = self._cut.words if self._cut else 0
                    said = len(self._words) - len(self._prefix)
                    self._cut = _Cut(already + said, last_s)
                self.keep_from_s = max(self.keep_from_s, last_s or self.heard_s)
                self._close(turn)
                return [end]
            case _:
                assert_never(self.state)

    def _close(self, turn: int) -> None:
        self.state = Between(turn + 1)
        self.transcript, self._words, self._prefix, self._repeating = "", (), (), False

    def _follow(self, index: int) -> list[UserEvent]:
        """Go on to the server's next turn; end the one before, should its end have been lost."""
        before, self._index = self._index, max(index, self._index or 0)
        if before is None or index <= before:
            return []
        events = self.end(MISSED)
        self._cut = None
        return events

    def _spoken(self, info: TurnInfo) -> Text:
        base_s = self._base_s
        return tuple(
            Spoken(
                word.word,
                None if word.start is None else base_s + word.start,
                None if word.end is None else base_s + word.end,
            )
            for word in info.words
        )

    def _after_cut(self, words: Text) -> Text:
        if self._cut is None:
            return words
        until_s = self._cut.until_s
        if until_s is None or not _timed(words):
            return words[self._cut.words :]
        return tuple(word for word in words if _middle_s(word) > until_s)

    def _tell(self, info: TurnInfo, text: str, *, fresh: bool) -> list[UserEvent]:
        """Compare what the server says with what was told; return the difference."""
        event = info.event
        self._confirmed = self._confirmed or event in _IN_A_TURN
        if event == "EndOfTurn":
            self._closed_index = info.turn_index
            return self._tell_end(info, text)
        match self.state:
            case Between(turn):
                self.state, events = self._from_between(turn, event, text, fresh=fresh)
            case Open() | Announced() if self._repeating:
                return []
            case Open(turn):
                self.state, events = self._from_open(turn, event, text)
            case Announced():
                self.state, events = self._from_announced(self.state, event, text)
            case _:
                assert_never(self.state)
        return events

    def _from_between(self, turn: int, event: str, text: str, *, fresh: bool) -> Step:
        match event:
            case "EagerEndOfTurn" if text:  # its StartOfTurn was lost
                return Announced(turn, text), [StartOfTurn(turn, text), EagerEndOfTurn(turn, text)]
            case "StartOfTurn" | "TurnResumed" if text or self._cut is None:
                return Open(turn), [StartOfTurn(turn, text)]
            case _ if self._cut is not None:  # the server's turn goes on after the end we made
                return (Open(turn), [StartOfTurn(turn, text)]) if text else (Between(turn), [])
            case _:
                return Between(turn), [Update(turn, text)] if fresh else []

    def _from_open(self, turn: int, event: str, text: str) -> Step:
        if event == "EagerEndOfTurn" and text:
            return Announced(turn, text), [EagerEndOfTurn(turn, text)]
        return Open(turn), [Update(turn, text)]

    def _from_announced(self, state: Announced, event: str, text: str) -> Step:
        changed = bool(text) and text != state.transcript
        match event:
            case "EagerEndOfTurn" if changed:
                after = Announced(state.turn, text)
                return after, [TurnResumed(state.turn, text), EagerEndOfTurn(state.turn, text)]
            case "EagerEndOfTurn":
                return state, []  # said twice
            case "TurnResumed":
                return Open(state.turn), [TurnResumed(state.turn, text)]
            case _ if (
                changed
            ):  # without a TurnResumed; but a new server need not know of the eager end
                return Open(state.turn), [TurnResumed(state.turn, text)]
            case _:
                return state, [Update(state.turn, text)]

    def _tell_end(self, info: TurnInfo, text: str) -> list[UserEvent]:
        trigger = info.trigger or "model"
        match self.state:
            case Between(turn) if not text:
                events: list[UserEvent] = []  # it was over, or never was
            case Between(turn):
                events = [StartOfTurn(turn, text), EndOfTurn(turn, text, trigger)]
            case Open(turn) | Announced(turn):
                # Where the end was forced, a server that lost the words is no reason to.
                said = text or (self.transcript if trigger == "manual" else "")
                events = [EndOfTurn(turn, said, trigger)]
            case _:
                assert_never(self.state)
        if events:
            self._close(turn)
        self._cut = None
        return events

    def _remember(self, text: str, words: Text, at_s: float, *, changed: bool) -> None:
        if changed or text not in ("", self.transcript):
            self.progress_s = max(self.progress_s, at_s)
        if text:
            self.transcript, self._words = text, words

    def _acknowledge(self, info: TurnInfo, text: str, at_s: float) -> None:
        """Take note of what will not be needed again."""
        if info.event == "EndOfTurn" and not self.is_open:
            self.keep_from_s = max(self.keep_from_s, at_s)
        elif not self.is_open and not text:
            self.keep_from_s = max(self.keep_from_s, at_s - _MARGIN_S)
        self.heard_s = max(self.heard_s, at_s)


_IN_A_TURN = frozenset({"StartOfTurn", "EagerEndOfTurn", "TurnResumed"})


def _timed(words: Text) -> bool:
    return all(word.start_s is not None and word.end_s is not None for word in words)


def _middle_s(word: Spoken) -> float:
    assert word.start_s is not None
    assert word.end_s is not None
    return (word.start_s + word.end_s) / 2
