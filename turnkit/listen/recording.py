"""Recordings of Flux, played again to whoever listens: what was said then is said when as much
audio has come. Pure, but for reading the file.

Two formats are read: logs of Flux's messages, whose `events` hold each one in `data`, and the
traces that turnkit writes of its calls (`--set trace=FOLDER`).
"""

from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import assert_never

import msgspec
from msgspec.structs import replace

from turnkit.engine.endpointer import FRAME_S
from turnkit.errors import ConfigError
from turnkit.listen.answers import Answers, single
from turnkit.listen.player import FrameClock
from turnkit.listeners import trace
from turnkit.sources import replay
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
from turnkit.turn.events import (
    EndOfTurn,
    Update,
    UserEvent,
)

_UPDATE_S = 3 * FRAME_S
_ROUNDING_S = 0.001  # logged times went through 32-bit floats: 1.6800001
_WORD_CONFIDENCE = 0.98
_CONFIDENCE = {"EagerEndOfTurn": 0.6, "EndOfTurn": 0.8}  # a trace does not say


def load_recording(path: Path) -> list[TurnInfo]:
    """Read a recording's turn messages. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            is_trace = file.readline(4096).startswith(b'{"turnkit": "trace"')
        if is_trace:
            return _of_trace(path)
    except OSError as exc:
        raise ConfigError(f"recording {path} cannot be read: {exc.strerror or exc}") from None
    return replay.load(path)


def _of_trace(path: Path) -> list[TurnInfo]:
    infos: list[TurnInfo] = []
    window_start_s = 0.0
    for at, item in trace.read(path):
        if not isinstance(item, UserEvent):
            continue
        frames = round(max(at, 0.0) / FRAME_S)
        info = _told(item, window_start_s, max(window_start_s, frames * FRAME_S))
        infos.append(info)
        if isinstance(item, EndOfTurn):
            window_start_s = info.audio_window_end
    return _renumbered(infos)


def _told(event: UserEvent, start_s: float, end_s: float) -> TurnInfo:
    name = type(event).__name__
    return TurnInfo(
        request_id="",
        event=name,
        turn_index=event.turn,
        audio_window_start=single(start_s),
        audio_window_end=single(end_s),
        transcript=event.transcript,
        words=tuple(Word(word, _WORD_CONFIDENCE) for word in event.transcript.split()),
        end_of_turn_confidence=_CONFIDENCE.get(name, 0.1),
        sequence_id=0,
        trigger=event.trigger if isinstance(event, EndOfTurn) else None,
    )


def _renumbered(infos: list[TurnInfo]) -> list[TurnInfo]:
    """Count turns from 0, as a connection does."""
    turn = 0
    counted = infos[:1]
    for before, info in pairwise(infos):
        turn += before.event == "EndOfTurn"
        counted.append(replace(info, turn_index=turn))
    return [replace(info, turn_index=0) for info in counted[:1]] + counted[1:]


class RecordingPlayer:
    """Plays a recording to one stream, and goes on with updates where it has nothing to say.

    What the client asks for is taken note of and changes nothing.
    """

    def __init__(
        self, messages: Iterable[TurnInfo], parameters: ListenParameters, request_id: str
    ) -> None:
        self._messages = deque(messages)
        self._answers = Answers(parameters, request_id)
        self._clock = FrameClock(parameters)
        self._last = _told(Update(0), 0.0, 0.0)
        self._closed = False

    def connected(self) -> Connected:
        """Return the message that comes before all others."""
        return self._answers.connected()

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, for its length only."""
        if self._closed:
            return []
        return [told for _ in range(self._clock.feed(audio)) for told in self._frame()]

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Take note of what the client asks for."""
        if self._closed:
            return []
        match message:
            case CloseStream():
                self._closed = True
                return []
            case Configure():
                return [self._answers.configure(message)]
            case ForceEndTurn():
                why = "a recording's turns end where they ended"
                return [self._answers.nothing_to_end(why)]
            case _:
                assert_never(message)

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""
        self._closed = True
        return self._answers.error(code, description)

    def close(self) -> None:
        """Hold nothing, so give nothing back."""

    def _frame(self) -> list[ServerMessage]:
        self._clock.frames += 1
        now_s = self._clock.now_s + _ROUNDING_S
        told: list[ServerMessage] = []
        while self._messages and self._messages[0].audio_window_end <= now_s:
            told.append(self._tell(self._messages.popleft()))
        if not told and now_s - self._last.audio_window_end >= _UPDATE_S:
            told.append(self._tell(self._update()))
        return told

    def _update(self) -> TurnInfo:
        """Return what there is to say where the recording says nothing."""
        end_s = single(self._clock.now_s)
        if self._last.event == "EndOfTurn":
            start_s = self._last.audio_window_end
            return replace(_told(Update(self._last.turn_index + 1), start_s, end_s))
        return replace(self._last, event="Update", audio_window_end=end_s, trigger=None)

    def _tell(self, info: TurnInfo) -> TurnInfo:
        self._last = info
        return self._answers.turn(**msgspec.structs.asdict(info))
