"""Flux without Flux: audio in, the messages of `/v2/listen` out.

No network, no key, no clock and no I/O: time is the audio received. Everything is worked out by
the time a call returns, which for a second of speech takes 0.1 to 0.2 s with pocketsphinx, so a
caller with other things to do calls from a worker thread.
"""

from itertools import count
from typing import assert_never

import msgspec
import numpy as np
import structlog

from turnkit.audio.framer import Framer
from turnkit.audio.frames import AudioFormat, Samples, samples_of
from turnkit.audio.vad import WINDOW_SAMPLES, Vad, open_vad, silero_installed
from turnkit.engine.activity import Activity
from turnkit.engine.endpointer import FRAME_S, Endpointer, Heard, Report
from turnkit.engine.intake import Intake
from turnkit.engine.transcript import Transcript
from turnkit.engine.words import Recognizer, Words, open_recognizer, pocketsphinx_installed
from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import (
    NO_ACTIVE_TURN,
    ActiveThresholds,
    ClientMessage,
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
    Word,
    configured,
)

log = structlog.get_logger()

_MULTILINGUAL = "flux-general-multi"
_RECOGNIZED = ("en",)  # whatever was hinted: the recognizers here know no other language


def open_engine(parameters: ListenParameters, request_id: str) -> "Engine":
    """Return an engine with the best detector and recognizer that are installed."""
    if not silero_installed():
        log.warning("engine.vad_missing", effect="noise opens turns", install="turnkit[local]")
    if not pocketsphinx_installed():
        log.warning("engine.words_missing", effect="turns say [speech]", install="turnkit[local]")
    return Engine(parameters, request_id, vad=open_vad(), recognizer=open_recognizer())


class Engine:
    """One stream's turn-taking. Not safe for two threads at once."""

    def __init__(
        self, parameters: ListenParameters, request_id: str, *, vad: Vad, recognizer: Recognizer
    ) -> None:
        self._parameters = parameters
        self._request_id = request_id
        self._sequence = count()
        self._intake = Intake(AudioFormat(parameters.sample_rate_hz, parameters.encoding), FRAME_S)
        self._windows = Framer(WINDOW_SAMPLES * 2)
        self._vad = vad
        self._activity = Activity()
        self._transcript = Transcript(recognizer)
        self._endpointer = Endpointer(parameters)
        self._closed = False

    def connected(self) -> Connected:
        """Return the message that comes before all others."""
        return Connected(request_id=self._request_id, sequence_id=next(self._sequence))

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, of any length; return what to tell the client, in order."""
        if self._closed:
            return []
        reports = (self._hear(frame) for frame in self._intake.feed(audio))
        return [message for message in reports if message is not None]

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out what the client asks for; return what to tell it."""
        if self._closed:
            return []
        match message:
            case CloseStream():
                return self._close()
            case Configure():
                return [self._configure(message)]
            case ForceEndTurn():
                return [self._force_end()]
            case _:
                assert_never(message)

    def change(self, parameters: ListenParameters) -> None:
        """Listen by these from now on, without a word to the client."""
        self._parameters = self._endpointer.parameters = parameters

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""
        self._closed = True
        return FluxError(next(self._sequence), code, description)

    def _hear(self, samples: Samples) -> TurnInfo | None:
        for window in self._windows.feed(samples.tobytes()):
            self._activity.hear(self._vad.speech_probability(samples_of(window)))
        self._transcript.hear(samples, self._activity)
        words = self._transcript.words
        report = self._endpointer.hear(
            Heard(_text(words), self._activity.silence_s, self._transcript.settled)
        )
        if report is None:
            return None
        if report.event == "EndOfTurn":
            self._transcript.clear()
        return self._tell(report, words)

    def _force_end(self) -> TurnInfo | FluxWarning:
        words = self._transcript.words
        report = self._endpointer.force_end()
        if report is None:
            return FluxWarning(
                request_id=self._request_id,
                sequence_id=next(self._sequence),
                code=NO_ACTIVE_TURN,
                description="there is no active turn to end",
            )
        self._transcript.clear()
        self._activity.forget()  # who goes on speaking begins the next turn
        return self._tell(report, words)

    def _close(self) -> list[ServerMessage]:
        self._closed = True
        self._transcript.finish()
        words = self._transcript.words
        report = self._endpointer.close(_text(words))
        return [] if report is None else [self._tell(report, words)]

    def _configure(self, message: Configure) -> ConfigureSuccess | ConfigureFailure:
        try:
            parameters = configured(self._parameters, message)
        except ParameterRefused as exc:
            return ConfigureFailure(
                request_id=self._request_id,
                sequence_id=next(self._sequence),
                code=exc.code,
                description=exc.description,
            )
        self.change(parameters)
        return self._configuration()

    def _configuration(self) -> ConfigureSuccess:
        now = self._parameters
        return ConfigureSuccess(
            thresholds=ActiveThresholds(
                now.eager_eot_threshold, now.eot_threshold, now.eot_timeout_ms
            ),
            keyterms=now.keyterms,
            request_id=self._request_id,
            sequence_id=next(self._sequence),
            language_hints=now.language_hints if now.model == _MULTILINGUAL else None,
            numerals=now.numerals,
        )

    def _tell(self, report: Report, words: Words) -> TurnInfo:
        multilingual = self._parameters.model == _MULTILINGUAL
        start_s, end_s = report.window_start * FRAME_S, report.window_end * FRAME_S
        return TurnInfo(
            request_id=self._request_id,
            event=report.event,
            turn_index=report.turn,
            audio_window_start=_single(start_s),
            audio_window_end=_single(end_s),
            transcript=report.transcript,
            words=tuple(_on_wire(word, start_s, end_s) for word in words),
            end_of_turn_confidence=round(report.confidence, 4),
            sequence_id=next(self._sequence),
            languages=(_RECOGNIZED if report.transcript else ()) if multilingual else None,
            languages_hinted=self._parameters.language_hints if multilingual else None,
            trigger=report.trigger,
        )


def _text(words: Words) -> str:
    return " ".join(word.word for word in words)


def _on_wire(word: Word, start_s: float, end_s: float) -> Word:
    """Keep a word's times within its turn: the recognizer also hears a little from before."""
    assert word.start is not None
    assert word.end is not None
    return msgspec.structs.replace(
        word,
        start=_single(min(max(word.start, start_s), end_s)),
        end=_single(min(max(word.end, start_s), end_s)),
    )


def _single(seconds: float) -> float:
    """Round to a 32-bit float, which is what Flux sends, and write it as briefly as one can be."""
    return float(str(np.float32(seconds)))
