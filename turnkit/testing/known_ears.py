"""Ears that know speech from silence for certain: what the embedded engine is to a turn source.

For audio in which silence is digital and all else is speech, such as that of
`turnkit.testing.spelling`. Turns end by the engine's own machine, so thresholds mean what they mean
there; there is no detector, no recognizer, and nothing that depends on how a voice sounds.
"""

from turnkit.audio.framer import Framer
from turnkit.audio.frames import AudioFormat, samples_of
from turnkit.engine.endpointer import FRAME_S, Endpointer, Heard, Report
from turnkit.engine.transcript import UNHEARD
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import ClientMessage, ForceEndTurn, ServerMessage, TurnInfo, Word
from turnkit.testing.spelling import Reader

_SETTLED_S = 0.2


class KnownEars:
    """Hears one stream. With `reads` it makes out the words that are spelled; else it has none."""

    def __init__(self, parameters: ListenParameters, *, reads: bool = False) -> None:
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self._silence = audio.silence(FRAME_S)
        self._framer = Framer(len(self._silence))
        self._endpointer = Endpointer(parameters)
        self._reader = Reader() if reads else None
        self._read = 0  # words of turns that ended
        self._frames = 0
        self._sequence = 0
        self._speech: tuple[int, int] | None = None  # of the turn: its first frame, and its last
        self._silent_s = 0.0

    def change(self, parameters: ListenParameters) -> None:
        """Listen by these from now on."""
        self._endpointer.parameters = parameters

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in audio of any length; return what to say of turns."""
        told = [self._hear(frame) for frame in self._framer.feed(audio)]
        return [info for info in told if info is not None]

    def handle(self, order: ClientMessage) -> list[ServerMessage]:
        """End the open turn if that is the order."""
        report = self._endpointer.force_end() if isinstance(order, ForceEndTurn) else None
        return [] if report is None else [self._tell(report, self._words())]

    def _hear(self, frame: bytes) -> TurnInfo | None:
        self._frames += 1
        if self._reader is not None:
            self._reader.feed(samples_of(frame))
        if frame == self._silence:
            self._silent_s += FRAME_S
        else:
            first = self._speech[0] if self._speech else self._frames
            self._speech, self._silent_s = (first, self._frames), 0.0
        words = self._words()
        text = " ".join(word.word for word in words)
        report = self._endpointer.hear(Heard(text, self._silent_s, self._silent_s >= _SETTLED_S))
        return None if report is None else self._tell(report, words)

    def _words(self) -> tuple[Word, ...]:
        if self._speech is None:
            return ()
        if self._reader is not None:
            return self._reader.words[self._read :]
        first, last = self._speech
        end = min(last * FRAME_S + _SETTLED_S, self._frames * FRAME_S)  # as the engine has it
        return (Word(UNHEARD, 0.0, (first - 1) * FRAME_S, end),)

    def _tell(self, report: Report, words: tuple[Word, ...]) -> TurnInfo:
        self._sequence += 1
        if report.event == "EndOfTurn":
            self._speech = None
            self._read += len(words)
        return TurnInfo(
            request_id="known",
            event=report.event,
            turn_index=report.turn,
            audio_window_start=report.window_start * FRAME_S,
            audio_window_end=report.window_end * FRAME_S,
            transcript=report.transcript,
            words=words,
            end_of_turn_confidence=report.confidence,
            sequence_id=self._sequence,
            trigger=report.trigger,
        )
