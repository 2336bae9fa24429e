"""From what is known every 80 ms to Flux's turn events, at given thresholds. Pure.

The rules are those of developers.deepgram.com/docs/flux/state: an end when the confidence reaches
`eot_threshold` or nobody has spoken for `eot_timeout_ms`; before that an eager end at
`eager_eot_threshold`, which is taken back when somebody speaks or the words change.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.policy.people import FRAME_S, Frame, Utterance
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, UserEvent


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Flux's own settings."""

    eager: float | None = 0.5
    eot: float = 0.7
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn as it was detected."""

    number: int
    final_at: float
    utterance: int
    """Which utterance it is of."""
    complete: bool
    """Whether it ended after the utterance's last word; else the user was cut off."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What Flux makes of a conversation."""

    events: tuple[tuple[float, UserEvent], ...]
    turns: tuple[Turn, ...]


class _Detector:
    """Follows one conversation."""

    def __init__(self, thresholds: Thresholds) -> None:
        self.events: list[tuple[float, UserEvent]] = []
        self.turns: list[Turn] = []
        self._thresholds = thresholds
        self._number = 0
        self._silent_s = 0.0
        self._from = 0  # the utterance's first word that is of this turn
        self._open = False
        self._announced: str | None = None

    def hear(self, place: int, utterance: Utterance) -> None:
        """Take in an utterance, until its last turn is final."""
        self._from = 0
        for frame in utterance.frames:
            self._silent_s = 0.0 if frame.speaking else self._silent_s + FRAME_S
            words = " ".join(utterance.words[self._from : frame.words])
            if not self._open:
                if words:
                    self._open = True
                    self._say(frame, StartOfTurn(self._number, words))
                continue
            if self._announced is not None and (frame.speaking or words != self._announced):
                self._announced = None
                self._say(frame, TurnResumed(self._number, words))
            elif self._is_over(frame):
                self._end(place, utterance, frame, words)
                if self.turns[-1].complete:
                    return
            elif self._is_probably_over(frame):
                self._announced = words
                self._say(frame, EagerEndOfTurn(self._number, words))

    def _is_over(self, frame: Frame) -> bool:
        known = self._silent_s >= self._thresholds.timeout_s or frame.over >= self._thresholds.eot
        return known and not frame.speaking

    def _is_probably_over(self, frame: Frame) -> bool:
        eager = self._thresholds.eager
        return self._announced is None and eager is not None and frame.over >= eager

    def _end(self, place: int, utterance: Utterance, frame: Frame, words: str) -> None:
        complete = frame.words == len(utterance.words)
        self._say(frame, EndOfTurn(self._number, words))
        self.turns.append(Turn(self._number, frame.at, place, complete))
        self._number += 1
        self._from, self._open, self._announced = frame.words, False, None

    def _say(self, frame: Frame, event: UserEvent) -> None:
        self.events.append((frame.at, event))


def detect(utterances: Iterable[Utterance], thresholds: Thresholds) -> Detected:
    """Return the turn events of a conversation, and which of its turns are what."""
    detector = _Detector(thresholds)
    for place, utterance in enumerate(utterances):
        detector.hear(place, utterance)
    return Detected(tuple(detector.events), tuple(detector.turns))


def eager_ends(detected: Detected) -> Iterator[tuple[float, int]]:
    """Give the instant and the turn of every eager end."""
    for at, event in detected.events:
        if isinstance(event, EagerEndOfTurn):
            yield at, event.turn
