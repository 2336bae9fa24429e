"""A script as a part to play. Pure.

The thresholds of the connection hold: without `eager_eot_threshold` no end is announced, a cue
whose confidence is written below its threshold comes to nothing, at an `eot_threshold` of 1 the
model ends no turn, and `eot_timeout_ms` of silence ends any.
"""

from collections import deque
from dataclasses import dataclass

from turnkit.engine.answers import NO_TURN, single, within
from turnkit.engine.endpointer import FRAME_S, Trigger, TurnEvent
from turnkit.listen.script import Eager, End, Resume, Rewritten, Script, Spoken
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo, Word

_UPDATE_FRAMES = 3
_NEVER_BY_MODEL = 1.0
_ROUNDING_S = 1e-6

_AT_FIRST = 0.25  # what Flux says of the silence a connection begins with
_HALF_SURE_S = 0.4  # of silence in a turn; at the default threshold of 0.7 it is 0.93 s


@dataclass(frozen=True, slots=True)
class _Happening:
    """What a frame brings."""

    event: TurnEvent
    trigger: Trigger | None = None
    confidence: float | None = None
    """As written; None for one that goes with the event."""


class Scripted:
    """Plays a script."""

    def __init__(self, script: Script) -> None:
        self._cues = deque(script)
        self._frames = 0
        self._sureness = _AT_FIRST
        self._words: tuple[Word, ...] = ()
        self._last_word_s = 0.0
        self._open = False
        self._announced = False
        self._turn = 0
        self._first_frame = 0

    def play(self, parameters: ListenParameters) -> list[TurnInfo]:
        """Play one more frame; at most one message comes of it."""
        self._frames += 1
        happened = self._next(parameters)
        silence_s = max(0.0, self._now_s - self._last_word_s)
        self._sureness = _sureness(self._sureness, silence_s if self._open else 0.0)
        if happened is None and self._open and silence_s * 1000 >= parameters.eot_timeout_ms:
            happened = _Happening("EndOfTurn", "timeout")
        if happened is not None:
            return [self._tell(happened, parameters)]
        due = (self._frames - self._first_frame) % _UPDATE_FRAMES == 0
        return [self._tell(_Happening("Update"), parameters)] if due else []

    def end_turn(self, parameters: ListenParameters) -> TurnInfo | str:
        """End the open turn."""
        if not self._open:
            return NO_TURN
        return self._tell(_Happening("EndOfTurn", "manual"), parameters)

    @property
    def _now_s(self) -> float:
        return self._frames * FRAME_S

    def _next(self, parameters: ListenParameters) -> _Happening | None:
        """Take the cues that are due, up to the first that is an event."""
        now_s = self._now_s + _ROUNDING_S
        while self._cues and self._cues[0].at <= now_s:
            if self._words and not self._open:
                break  # the turn starts first
            match self._cues.popleft():
                case Spoken(_, word):
                    self._words += (word,)
                    self._last_word_s = word.end or 0.0
                case Rewritten(_, text):
                    self._words = _rewritten(self._words, text)
                case Eager(_, confidence) if self._may_announce(confidence, parameters):
                    return _Happening("EagerEndOfTurn", None, confidence)
                case Resume(_, confidence) if self._announced:
                    return _Happening("TurnResumed", None, confidence)
                case End(_, confidence, trigger) if self._may_end(confidence, trigger, parameters):
                    return _Happening("EndOfTurn", trigger, confidence)
                case Eager() | Resume() | End():
                    continue  # not on this connection, or not in this turn
        return _Happening("StartOfTurn") if self._words and not self._open else None

    def _may_announce(self, confidence: float | None, parameters: ListenParameters) -> bool:
        threshold = parameters.eager_eot_threshold
        return self._open and threshold is not None and threshold <= _or_enough(confidence)

    def _may_end(
        self, confidence: float | None, trigger: str, parameters: ListenParameters
    ) -> bool:
        threshold = parameters.eot_threshold
        by_model = threshold < _NEVER_BY_MODEL and threshold <= _or_enough(confidence)
        return self._open and (by_model or trigger != "model")

    def _tell(self, happened: _Happening, parameters: ListenParameters) -> TurnInfo:
        start_s, end_s = self._first_frame * FRAME_S, self._now_s
        info = TurnInfo(
            request_id="",
            event=happened.event,
            turn_index=self._turn,
            audio_window_start=single(start_s),
            audio_window_end=single(end_s),
            transcript=" ".join(word.word for word in self._words),
            words=tuple(within(word, start_s, end_s) for word in self._words),
            end_of_turn_confidence=round(self._sure(happened, parameters), 4),
            sequence_id=0,
            trigger=happened.trigger,
        )
        if happened.event != "Update":
            self._open = happened.event != "EndOfTurn"
            self._announced = happened.event == "EagerEndOfTurn"
        if happened.event == "EndOfTurn":
            self._turn += 1
            self._first_frame = self._frames
            self._words = ()
        return info

    def _sure(self, happened: _Happening, parameters: ListenParameters) -> float:
        """Return the confidence as written, or one that goes with the event."""
        if happened.confidence is not None:
            return happened.confidence
        if happened.event == "EagerEndOfTurn":
            return max(self._sureness, parameters.eager_eot_threshold or 0)
        if happened.event == "EndOfTurn" and happened.trigger == "model":
            return max(self._sureness, parameters.eot_threshold)
        return self._sureness


def _sureness(before: float, silence_s: float) -> float:
    """Return how sure a turn is over that has been silent for so long; without one it decays."""
    if silence_s:
        return silence_s / (silence_s + _HALF_SURE_S)
    return max(0.005, before * 0.8)  # half of it in a quarter of a second, as Flux's


def _or_enough(confidence: float | None) -> float:
    return 1.0 if confidence is None else confidence


def _rewritten(words: tuple[Word, ...], text: str) -> tuple[Word, ...]:
    """Put other words in the time of these."""
    said = text.split()
    if not words:
        return ()
    start, end = words[0].start or 0.0, words[-1].end or 0.0
    each = (end - start) / len(said)
    return tuple(
        Word(word, words[0].confidence, start + n * each, start + (n + 1) * each)
        for n, word in enumerate(said)
    )
