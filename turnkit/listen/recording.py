"""Recordings of Flux as parts to play: what was said then is said when as much audio has come.
Pure, but for reading the file.

Two formats are read: logs of Flux's messages, whose `events` hold each one in `data`, and the
traces that turnkit writes of its calls (`--set trace=FOLDER`).
"""

from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace

from turnkit.engine.answers import single
from turnkit.engine.endpointer import FRAME_S
from turnkit.errors import ConfigError
from turnkit.listeners import trace
from turnkit.sources import replay
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo, Word
from turnkit.turn.events import EndOfTurn, Update, UserEvent

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


class Recorded:
    """Plays a recording, and goes on with updates where it has nothing to say.

    What the client asks for is taken note of and changes nothing.
    """

    def __init__(self, messages: Iterable[TurnInfo]) -> None:
        self._messages = deque(messages)
        self._frames = 0
        self._last = _told(Update(0), 0.0, 0.0)

    def play(self, parameters: ListenParameters) -> list[TurnInfo]:  # noqa: ARG002
        """Play one more frame."""
        self._frames += 1
        now_s = self._frames * FRAME_S + _ROUNDING_S
        told: list[TurnInfo] = []
        while self._messages and self._messages[0].audio_window_end <= now_s:
            told.append(self._messages.popleft())
        if not told and now_s - self._last.audio_window_end >= _UPDATE_S:
            told.append(self._update())
        self._last = told[-1] if told else self._last
        return told

    def end_turn(self, parameters: ListenParameters) -> str:  # noqa: ARG002
        """Say that there is nothing to be done."""
        return "a recording's turns end where they ended"

    def _update(self) -> TurnInfo:
        """Return what there is to say where the recording says nothing."""
        end_s = single(self._frames * FRAME_S)
        if self._last.event == "EndOfTurn":
            return _told(Update(self._last.turn_index + 1), self._last.audio_window_end, end_s)
        return replace(self._last, event="Update", audio_window_end=end_s, trigger=None)
