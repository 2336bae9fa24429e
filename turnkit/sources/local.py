"""Turns from the engine inside turnkit: no key, no network, no model to download."""

from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from turnkit.audio.frames import AudioFormat
from turnkit.audio.silero_onnx import find_silero_onnx
from turnkit.config import Settings
from turnkit.engine.engine import Engine, open_engine
from turnkit.engine.smart_turn import find_smart_turn
from turnkit.errors import ConfigError
from turnkit.listeners.base import UserAcknowledged
from turnkit.plug import open_speech_model
from turnkit.recognizers.offer import offered
from turnkit.recognizers.pool import Recognizers
from turnkit.sources.base import Change, ConfigureRefused, Report
from turnkit.sources.feed import Feed
from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import (
    CloseStream,
    Configure,
    ForceEndTurn,
    ServerMessage,
    Thresholds,
    TurnInfo,
    configured,
    to_event,
)

T = TypeVar("T")

_MAX_PLAYED = 250
"""So many frames (5 s) may wait to be looked at; the oldest go. There are 4 with each chunk."""


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> "LocalSource":
    """Listen with the embedded engine. Raises ConfigError."""
    if argument is not None:
        raise ConfigError(f"source local takes no argument, not {argument!r}; say --source local")
    return LocalSource(
        ListenParameters(
            model=settings.model,
            encoding=audio.encoding,
            sample_rate_hz=audio.sample_rate_hz,
            eager_eot_threshold=settings.eager_eot_threshold,
            eot_threshold=settings.eot_threshold,
            eot_timeout_ms=settings.eot_timeout_ms,
            keyterms=settings.keyterms,
        ),
        barge_in_s=settings.barge_in_speech_s,
        smart_turn=find_smart_turn(settings.smart_turn),
        silero_onnx=find_silero_onnx(settings.silero_onnx),
        recognizers=offered() or Recognizers(open_speech_model(settings)),
    )


class LocalSource:
    """A turn source in this process. Its work is done in worker threads, one chunk at a time."""

    def __init__(
        self,
        parameters: ListenParameters,
        *,
        barge_in_s: float = 0.0,
        smart_turn: Path | None = None,
        silero_onnx: Path | None = None,
        recognizers: Recognizers | None = None,
    ) -> None:
        self._parameters = parameters
        self._recognizers = recognizers
        self._barge_in_s = barge_in_s
        self._smart_turn = smart_turn
        self._silero_onnx = silero_onnx
        self._played: deque[bytes] = deque(maxlen=_MAX_PLAYED)  # b"": nothing more is heard
        self._feed = Feed(AudioFormat(parameters.sample_rate_hz, parameters.encoding))
        self._end_wanted = False
        self._waiting: anyio.CancelScope | None = None

    @property
    def dropped_bytes(self) -> int:
        """How much audio was dropped because the engine did not keep up."""
        return self._feed.dropped_bytes

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio; 30 s wait at most, then the oldest goes."""
        self._feed.hear(audio)

    def played(self, frame: bytes) -> None:
        """Take in what left for the user; the engine looks at it with the next chunk it hears."""
        self._played.append(frame)

    def silenced(self) -> None:
        """Take in that the rest of it is not heard."""
        self._played.append(b"")

    def finish(self) -> None:
        """Say that no more audio will come."""
        self._feed.finish()

    def end_turn(self) -> None:
        """End the open turn now, on the words there are; audio not yet worked on comes after."""
        self._end_wanted = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def configure(self, change: Change) -> None:
        """Change how it listens; in force at once, for all audio not yet worked on."""
        thresholds = Thresholds(
            change.eager_eot_threshold, change.eot_threshold, change.eot_timeout_ms
        )
        order = Configure(thresholds, change.keyterms, change.language_hints)
        try:
            self._parameters = configured(self._parameters, order)
        except ParameterRefused as exc:
            raise ConfigureRefused(exc.code, exc.description) from None

    async def run(self, report: Report) -> None:
        """Report turn events; return after `finish`. Cancelling waits for the chunk in work."""
        # Loading the recognizer takes a while; a cancelled caller need not wait for it.
        with closing(await to_thread.run_sync(self._open, abandon_on_cancel=True)) as engine:
            while (chunk := await self._next_chunk()) is not None:
                engine.change(self._parameters)
                self._tell_played(engine)
                await _work(report, engine.feed, chunk)
                for told in engine.take_acknowledgements():
                    report(UserAcknowledged(told.transcript, told.spoken_s))
                if self._end_wanted:
                    self._end_wanted = False
                    await _work(report, engine.handle, ForceEndTurn())
            await _work(report, engine.handle, CloseStream())

    async def _next_chunk(self) -> bytes | None:
        """Wait for audio; return none of it if a turn is to be ended first."""
        if self._end_wanted:
            return b""
        with anyio.CancelScope() as self._waiting:
            return await self._feed.next_chunk()
        return b""

    def _tell_played(self, engine: Engine) -> None:
        while self._played:
            if frame := self._played.popleft():
                engine.played(frame)
            else:
                engine.silenced()

    def _open(self) -> Engine:
        return open_engine(
            self._parameters,
            request_id="local",
            barge_in_s=self._barge_in_s,
            smart_turn=self._smart_turn,
            silero_onnx=self._silero_onnx,
            recognizers=self._recognizers,
        )


async def _work(report: Report, work: Callable[[T], list[ServerMessage]], given: T) -> None:
    """Have the engine work in a thread; report what it says of turns."""
    for message in await to_thread.run_sync(work, given):
        if isinstance(message, TurnInfo):
            report(to_event(message))
