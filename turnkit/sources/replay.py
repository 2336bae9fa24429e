"""Recorded Flux traffic, played again: what was said then is said when as much audio is heard.

The file is a JSON object whose `events` hold, in order, each message as Flux sent it in `data`.
"""

from collections import deque
from collections.abc import Iterable
from pathlib import Path

import msgspec

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError, SourceRefused, WireError
from turnkit.sources.base import Change, ConfigureRefused, Report
from turnkit.sources.feed import CHUNK_S, Feed
from turnkit.sources.flux_wire import TurnInfo, parse_server, to_event

_ROUNDING_S = 0.001  # logged times went through 32-bit floats: 1.6800001


class _Entry(msgspec.Struct):
    data: msgspec.Raw


class _Recording(msgspec.Struct):
    events: list[_Entry]


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> "ReplaySource":  # noqa: ARG001
    """Replay the recording in the file `argument`. Raises ConfigError."""
    if argument is None:
        raise ConfigError("source replay needs a file, such as replay:call.flux.json")
    return ReplaySource(load(Path(argument)), audio)


def load(path: Path) -> list[TurnInfo]:
    """Read a recording's turn messages. Raises ConfigError."""
    try:
        recording = msgspec.json.decode(path.read_bytes(), type=_Recording)
        messages = [parse_server(bytes(entry.data)) for entry in recording.events]
    except OSError as exc:
        raise ConfigError(f"recording {path} cannot be read: {exc.strerror}") from exc
    except (msgspec.DecodeError, UnicodeError, RecursionError, WireError) as exc:
        raise ConfigError(f"recording {path} is not a log of Flux messages: {exc}") from exc
    return [message for message in messages if isinstance(message, TurnInfo)]


class ReplaySource:
    """Reports recorded messages, each when the audio heard has reached where it was sent."""

    def __init__(self, messages: Iterable[TurnInfo], audio: AudioFormat) -> None:
        self._messages = deque(messages)
        self._feed = Feed(audio)

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio, for its length only; 30 s wait at most."""
        self._feed.hear(audio)

    def finish(self) -> None:
        """Say that no more audio will come: nor will the messages after it, as with Flux."""
        self._feed.finish()

    def end_turn(self) -> None:
        """Refuse: the turns of a recording end where they ended. Raises SourceRefused."""
        raise SourceRefused("a recording's turns cannot be ended early; use another source")

    async def configure(self, change: Change) -> None:  # noqa: ARG002
        """Refuse: what was said then was said then. Raises ConfigureRefused."""
        raise ConfigureRefused("NOT_LISTENING", "a recording is played as it is")

    async def run(self, report: Report) -> None:
        """Report messages as their time comes; return after `finish`."""
        chunks = 0
        while await self._feed.next_chunk() is not None:
            chunks += 1
            heard_s = chunks * CHUNK_S + _ROUNDING_S
            while self._messages and self._messages[0].audio_window_end <= heard_s:
                report(to_event(self._messages.popleft()))
