"""Plays the caller: a recording or spoken text, over a real socket or in virtual time."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from turnkit.agent import Agent
from turnkit.audio.framer import Framer
from turnkit.audio.frames import FRAME_S, AudioFormat, Samples, samples_of
from turnkit.audio.resample import Resampler
from turnkit.config import Settings
from turnkit.errors import ConfigError, TransportClosed
from turnkit.far_end import FarEnd
from turnkit.listeners.base import Item, Listener
from turnkit.session import converse
from turnkit.testing.clock import run_virtual
from turnkit.testing.fakes import MemoryTransport
from turnkit.timeline import Line, Timeline
from turnkit.transports import client_wire
from turnkit.tts.base import Synthesizer

CALLER_HZ = 16000
AGENT_HZ = 24000

_FRAME_BYTES = AudioFormat(CALLER_HZ).bytes_in(FRAME_S)

_QUIET_S = 2.0
"""Silence of both sides, after the caller's last word, before the caller hangs up."""

_POLITE_S = 0.5
"""Silence of both sides before a caller who waits for the agent speaks."""

_PATIENCE_S = 60.0
"""How long a caller waits for silence, whatever the agent does."""

_REPORT_S = 0.1

Show: TypeAlias = Callable[[Line], None]


@dataclass(frozen=True, slots=True)
class Hush:
    """The caller says nothing until the agent has had its say."""


Part: TypeAlias = Samples | Hush
"""What the caller does next: make this sound, at `CALLER_HZ`, or wait."""


@dataclass(slots=True)
class Record:
    """What happened on a call, and what it sounded like on both sides."""

    timeline: Timeline = field(default_factory=Timeline)
    far_end: FarEnd = field(default_factory=lambda: FarEnd(AGENT_HZ))
    frames: list[bytes] = field(default_factory=list)
    """What the caller sent, 20 ms each."""

    def both_sides(self) -> tuple[Samples, Samples, int]:
        """Return caller and agent from the call's beginning to its end, and their rate."""
        rate = Resampler(CALLER_HZ, AGENT_HZ)
        sent = samples_of(b"".join(self.frames))
        caller = np.concatenate([rate.feed(sent), rate.flush()])
        return caller, self.far_end.waveform(self.ended_at), AGENT_HZ

    @property
    def ended_at(self) -> float:
        """How long the call took, in seconds."""
        return len(self.frames) * FRAME_S


async def spoken(text: str, voice: Synthesizer) -> list[Part]:
    """Speak the caller's part: `[0.7]` is a pause, `[reply]` waits for the agent.

    Raises ConfigError for other brackets, and where there is nothing to say.
    """
    parts: list[Part] = [Hush()]
    pieces = re.split(r"(\[[^\]]*\])", text)
    if not any(piece.strip() for piece in pieces[::2]):
        raise ConfigError(f"--say: {text!r} has no words; write what the caller says")
    for piece in pieces:
        if piece == "[reply]":
            parts.append(Hush())
        elif piece.startswith("[") and piece.endswith("]"):
            parts.append(np.zeros(round(_pause_s(piece) * CALLER_HZ), np.int16))
        elif "[" in piece or "]" in piece:
            raise ConfigError(f"--say: {piece.strip()!r} has half a bracket; a pause is [0.7]")
        elif piece.strip():
            rate = Resampler(voice.sample_rate_hz, CALLER_HZ)
            said = [pcm async for pcm in voice.speak(piece.strip()) if isinstance(pcm, bytes)]
            parts += [rate.feed(samples_of(pcm)) for pcm in said]
            parts.append(rate.flush())
    return parts


def _pause_s(piece: str) -> float:
    try:
        seconds = float(piece[1:-1])
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 60:
        raise ConfigError(
            f"--say: {piece} is no pause; write seconds from 0 to 60, such as [0.7], or [reply]"
        )
    return seconds


def _frames(parts: Sequence[Part], record: Record) -> Iterator[bytes]:
    """Yield what the caller sends, 20 ms at a time, each when it is due; ends with the call."""
    framer = Framer(_FRAME_BYTES)
    for part in parts:
        if isinstance(part, Hush):
            yield from _silence_until_quiet(record, _POLITE_S)
        else:
            yield from framer.feed(part.tobytes())
    if (last := framer.flush(b"\0")) is not None:
        yield last
    yield from _silence_until_quiet(record, _QUIET_S)


def _silence_until_quiet(record: Record, quiet_s: float) -> Iterator[bytes]:
    began_at = quiet_since = record.ended_at
    while record.ended_at < min(quiet_since + quiet_s, began_at + _PATIENCE_S):
        yield bytes(_FRAME_BYTES)
        if record.timeline.busy:
            quiet_since = record.ended_at


# Over a real socket, in real time.


async def call(url: str, parts: Sequence[Part], show: Show) -> Record:
    """Call the server whose page is at `url`; hang up when neither side has more to say.

    Raises TransportClosed if the server ends the call.
    """
    record = Record()
    query = f"input_rate={CALLER_HZ}&output_rate={AGENT_HZ}&playout=reported"
    address = f"{url.replace('http', 'ws', 1)}/ws?{query}"
    async with connect(address, proxy=None, compression=None, max_size=None) as socket:
        line = _Line(socket, record, show, anyio.current_time())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(line.listen)
            tasks.start_soon(line.report)
            await line.speak(parts)
            tasks.cancel_scope.cancel()
        if line.failure is not None:
            raise TransportClosed(line.failure)
    return record


class _Line:
    """A caller's end of a socket."""

    def __init__(
        self, socket: ClientConnection, record: Record, show: Show, began_at: float
    ) -> None:
        self.failure: str | None = None
        self._socket = socket
        self._record = record
        self._show = show
        self._began_at = began_at
        self._reply = 0

    async def speak(self, parts: Sequence[Part]) -> None:
        """Send 20 ms every 20 ms to the end of the call, then say goodbye."""
        try:
            for frame in _frames(parts, self._record):
                await anyio.sleep_until(self._began_at + self._record.ended_at)
                await self._socket.send(frame)
                self._record.frames.append(frame)
            await self._socket.send(json.dumps({"type": "bye"}))
        except ConnectionClosed as exc:
            self.failure = self.failure or f"the server hung up ({exc})"

    async def listen(self) -> None:
        """Hear the agent and read the notes."""
        async for message in self._socket:
            now = anyio.current_time() - self._began_at
            if isinstance(message, bytes):
                self._record.far_end.arrive(self._reply, message, now)
            else:
                self._understand(json.loads(message), now)

    def _understand(self, message: object, now: float) -> None:
        match message:
            case {"type": "audio", "reply": int(number)}:
                self._reply = number
            case {"type": "clear"}:
                self._record.far_end.clear(now)
            case {"type": "note", "at_ms": at_ms, "name": name, "fields": fields}:
                _read(self._record, at_ms / 1000, name, fields, self._show)
            case {"type": "error", "message": text}:
                self.failure = f"the server ended the call: {text}"

    async def report(self) -> None:
        """Tell the server how far each reply has been played, as a browser does."""
        while True:
            await anyio.sleep(_REPORT_S)
            if sounds := self._record.far_end.sounds:
                reply = sounds[-1].reply
                now = anyio.current_time() - self._began_at
                played_ms = round(self._record.far_end.played_s(reply, now) * 1000, 3)
                report = {"type": "playout", "reply": reply, "played_ms": played_ms}
                await self._socket.send(json.dumps(report))


# In virtual time, without a socket.


def call_fast(agent: type[Agent], settings: Settings, parts: Sequence[Part], show: Show) -> Record:
    """Hold the same conversation as fast as the machine can."""
    transport = MemoryTransport(AGENT_HZ)
    return run_virtual(lambda: call_in_memory(agent, settings, parts, transport, show=show))


async def call_in_memory(
    agent: type[Agent],
    settings: Settings,
    parts: Sequence[Part],
    transport: MemoryTransport,
    listeners: Sequence[Listener] = (),
    *,
    show: Show = lambda _: None,
) -> Record:
    """Hold the conversation over this transport, on the running loop's clock."""
    record = Record(far_end=transport.far_end)

    async def speak() -> None:
        for frame in _frames(parts, record):
            await anyio.sleep_until(record.ended_at)
            await transport.feed(frame)
            record.frames.append(frame)
        transport.hang_up()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        await converse(agent(), transport, settings, [_Reader(record, show), *listeners])
        tasks.cancel_scope.cancel()
    transport.close()
    return record


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the session's notes as they would have come over the wire."""

    record: Record
    show: Show

    def note(self, at: float, item: Item) -> None:
        note = json.loads(client_wire.note(0, item))
        _read(self.record, at, note["name"], note["fields"], self.show)


def _read(record: Record, at: float, name: str, fields: Mapping[str, Any], show: Show) -> None:
    if (line := record.timeline.read(at, name, fields)) is not None:
        show(line)
