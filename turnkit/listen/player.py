"""Plays a script as Flux would tell it: against the clock of the audio that is received. Pure.

The thresholds of the connection hold: without `eager_eot_threshold` no end is announced, a cue
whose confidence is written below its threshold comes to nothing, at an `eot_threshold` of 1 the
model ends no turn, and `eot_timeout_ms` of silence ends any.
"""

from collections import deque
from typing import assert_never

from msgspec.structs import replace

from turnkit.audio.frames import AudioFormat
from turnkit.engine.endpointer import FRAME_S, Trigger, TurnEvent
from turnkit.listen.answers import Answers, single
from turnkit.listen.script import Eager, End, Resume, Rewritten, Script, Spoken
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    ClientMessage,
    CloseStream,
    Configure,
    Connected,
    FluxError,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
    Word,
)

_UPDATE_FRAMES = 3
_NEVER_BY_MODEL = 1.0
_ROUNDING_S = 1e-6

_AT_FIRST = 0.25  # what Flux says of the silence a connection begins with
_HALF_SURE_S = 0.4  # of silence in a turn; at the default threshold of 0.7 it is 0.93 s


class ScriptPlayer:
    """Plays a script to one stream."""

    def __init__(self, script: Script, parameters: ListenParameters, request_id: str) -> None:
        self._cues = deque(script)
        self._answers = Answers(parameters, request_id)
        self._clock = FrameClock(parameters)
        self._sureness = _AT_FIRST
        self._words: tuple[Word, ...] = ()
        self._last_word_s = 0.0
        self._open = False
        self._announced = False
        self._closed = False
        self._turn = 0
        self._first_frame = 0

    def connected(self) -> Connected:
        """Return the message that comes before all others."""
        return self._answers.connected()

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, for its length only."""
        if self._closed:
            return []
        frames = self._clock.feed(audio)
        return [told for _ in range(frames) if (told := self._frame()) is not None]

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out what the client asks for."""
        if self._closed:
            return []
        match message:
            case CloseStream():
                self._closed = True
                return []
            case Configure():
                return [self._answers.configure(message)]
            case ForceEndTurn():
                return [
                    self._tell("EndOfTurn", "manual")
                    if self._open
                    else self._answers.nothing_to_end()
                ]
            case _:
                assert_never(message)

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""
        self._closed = True
        return self._answers.error(code, description)

    def close(self) -> None:
        """Hold nothing, so give nothing back."""

    def _frame(self) -> TurnInfo | None:
        """Play one frame; at most one message comes of it."""
        self._clock.frames += 1
        happened = self._play()
        silence_s = max(0.0, self._clock.now_s - self._last_word_s)
        self._sureness = _sureness(self._sureness, silence_s if self._open else 0.0)
        if happened is None and self._open and self._timed_out(silence_s):
            happened = "EndOfTurn", "timeout", None
        if happened is not None:
            return self._tell(*happened)
        due = (self._clock.frames - self._first_frame) % _UPDATE_FRAMES == 0
        return self._tell("Update") if due else None

    def _timed_out(self, silence_s: float) -> bool:
        return silence_s * 1000 >= self._answers.parameters.eot_timeout_ms

    def _play(self) -> tuple[TurnEvent, Trigger | None, float | None] | None:
        """Take the cues that are due, up to the first that is an event."""
        now_s = self._clock.now_s + _ROUNDING_S
        while self._cues and self._cues[0].at <= now_s:
            if self._words and not self._open:
                break  # the turn starts first
            match self._cues.popleft():
                case Spoken(_, word):
                    self._words += (word,)
                    self._last_word_s = word.end or 0.0
                case Rewritten(_, text):
                    self._words = _rewritten(self._words, text)
                case Eager(_, confidence) if self._may_announce(confidence):
                    return "EagerEndOfTurn", None, confidence
                case Resume(_, confidence) if self._announced:
                    return "TurnResumed", None, confidence
                case End(_, confidence, trigger) if self._may_end(confidence, trigger):
                    return "EndOfTurn", trigger, confidence
                case Eager() | Resume() | End():
                    continue  # not on this connection, or not in this turn
        return ("StartOfTurn", None, None) if self._words and not self._open else None

    def _may_announce(self, confidence: float | None) -> bool:
        threshold = self._answers.parameters.eager_eot_threshold
        return self._open and threshold is not None and threshold <= _or_enough(confidence)

    def _may_end(self, confidence: float | None, trigger: str) -> bool:
        threshold = self._answers.parameters.eot_threshold
        by_model = threshold < _NEVER_BY_MODEL and threshold <= _or_enough(confidence)
        return self._open and (by_model or trigger != "model")

    def _tell(
        self, event: TurnEvent, trigger: Trigger | None = None, confidence: float | None = None
    ) -> TurnInfo:
        start_s, end_s = self._first_frame * FRAME_S, self._clock.now_s
        info = self._answers.turn(
            event=event,
            turn_index=self._turn,
            audio_window_start=single(start_s),
            audio_window_end=single(end_s),
            transcript=" ".join(word.word for word in self._words),
            words=tuple(_within(word, start_s, end_s) for word in self._words),
            end_of_turn_confidence=round(self._sure(event, trigger, confidence), 4),
            trigger=trigger,
        )
        if event != "Update":
            self._open = event != "EndOfTurn"
            self._announced = event == "EagerEndOfTurn"
        if event == "EndOfTurn":
            self._turn += 1
            self._first_frame = self._clock.frames
            self._words = ()
        return info

    def _sure(self, event: TurnEvent, trigger: Trigger | None, confidence: float | None) -> float:
        """Return the confidence as written, or one that goes with the event."""
        if confidence is not None:
            return confidence
        parameters = self._answers.parameters
        if event == "EagerEndOfTurn":
            return max(self._sureness, parameters.eager_eot_threshold or 0)
        if event == "EndOfTurn" and trigger == "model":
            return max(self._sureness, parameters.eot_threshold)
        return self._sureness


class FrameClock:
    """Counts frames of received audio."""

    def __init__(self, parameters: ListenParameters) -> None:
        self.frames = 0
        """Those that have been played."""
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self._frame_bytes = audio.bytes_in(FRAME_S)
        self._rest_bytes = 0

    @property
    def now_s(self) -> float:
        """The time on the stream's clock."""
        return self.frames * FRAME_S

    def feed(self, audio: bytes) -> int:
        """Take in audio; return how many frames it completes."""
        complete, self._rest_bytes = divmod(self._rest_bytes + len(audio), self._frame_bytes)
        return complete


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


def _within(word: Word, start_s: float, end_s: float) -> Word:
    """Keep a word's times within its turn, as Flux does."""
    return replace(
        word,
        start=single(min(max(word.start or 0.0, start_s), end_s)),
        end=single(min(max(word.end or 0.0, start_s), end_s)),
    )
