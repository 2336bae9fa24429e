"""A server that speaks Aura's wire on a real socket, for tests and measurements without a key.

It keeps Aura's limits, records what it is sent and when, and makes mistakes if told to. Its audio
is noise, different for every text, so that each sample can be traced to the text it belongs to.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from typing import assert_never
from urllib.parse import parse_qsl, urlsplit
from zlib import crc32

import anyio
import numpy as np
import structlog
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from turnkit.audio.frames import Samples
from turnkit.audio.g711 import encode_alaw, encode_mulaw
from turnkit.errors import ConfigError, WireError
from turnkit.tts.aura_wire import (
    MAX_CHARS,
    MAX_FLUSHES,
    MAX_LIFE_S,
    MAX_SPEAK_CHARS,
    PATH,
    WINDOW_S,
    AuraWarning,
    Clear,
    Cleared,
    ClientMessage,
    Close,
    Encoding,
    Flush,
    Flushed,
    Metadata,
    Refusal,
    ServerMessage,
    Speak,
    SpeakParameters,
    Window,
    encode,
    parse_client,
    parse_query,
)

log = structlog.get_logger(__name__)

CHARACTERS_PER_S = 15.0
"""How fast it speaks."""

_AMPLITUDE = 8000
_BACKLOG = 1024  # messages of a client that are not worked on yet
_ENCODERS: dict[Encoding, Callable[[Samples], bytes]] = {
    "linear16": lambda samples: samples.tobytes(),
    "mulaw": encode_mulaw,
    "alaw": encode_alaw,
}
_ERRORS = {
    400: ("INVALID_QUERY_PARAMETER", "Failed to deserialize query parameters"),
    401: ("INVALID_AUTH", "Invalid credentials."),
    404: ("NOT_FOUND", "Not found."),
    429: ("TOO_MANY_REQUESTS", "Too many requests. Please try again later"),
}


def audio_of(text: str, sample_rate_hz: int, encoding: Encoding = "linear16") -> bytes:
    """Return the audio that this server makes of a text: always the same, and of no other."""
    count = round(len(text) / CHARACTERS_PER_S * sample_rate_hz)
    noise = np.random.default_rng(crc32(text.encode())).integers(
        -_AMPLITUDE, _AMPLITUDE, count, dtype=np.int16
    )
    return _ENCODERS[encoding](noise)


@dataclass(frozen=True, slots=True)
class Manner:
    """How the server behaves. What is None, empty or 0 does not happen."""

    first_audio_s: float = 0.0
    """From a Flush to its first frame."""
    speed: float = inf
    """How many times faster than real time audio comes."""
    frame_s: float = 0.1
    """How much audio is in a frame."""
    cleared_s: float = 0.0
    """From a Clear to its Cleared; inf for never."""
    opening_s: float = 0.0
    """How long a handshake takes."""

    # Mistakes.
    late_frames: int = 0
    """Frames of what was cleared that come between Clear and Cleared."""
    frames_after_cleared: int = 0
    """Frames of what was cleared that come after Cleared, which Aura promises not to send."""
    flushed_after_cleared: bool = False
    """Whether a Flush that was cleared is answered nevertheless."""
    cut_at_bytes: int = 0
    """Frames of so many bytes instead: an odd number cuts samples in two."""
    extra_bytes: int = 0
    """Bytes more than there is audio."""
    stalls_after_frames: int | None = None
    """Frames of a text until no more come, for ever."""
    closes_after_frames: int | None = None
    """Frames of a text until the connection is closed."""
    closing: tuple[int, str] = (1011, "NET-0000")
    """With which code and reason."""
    instead: str | bytes | None = None
    """What comes where audio is due."""
    warning: AuraWarning | None = None
    """What comes ahead of the audio."""


@dataclass(slots=True)
class Connection:
    """What one client asked for and said."""

    parameters: SpeakParameters
    opened_at: float
    closed_at: float | None = None
    heard: list[tuple[float, ClientMessage]] = field(default_factory=list)
    """Every message, and when it came, on the clock of `anyio.current_time`."""
    sent_at: list[float] = field(default_factory=list)
    """When each frame of audio was sent."""

    def times(self, kind: type[ClientMessage]) -> list[float]:
        """Return when messages of this kind came."""
        return [at for at, message in self.heard if isinstance(message, kind)]


class AuraServer:
    """A server that runs. `manner` and `refusals` may be changed at any time."""

    def __init__(self, manner: Manner, *, most: int, life_s: float) -> None:
        self.url = ""
        self.manner = manner
        self.at_first: deque[Manner] = deque()
        """How it behaves on the next texts instead, one each."""
        self.refusals: deque[int] = deque()
        """HTTP statuses that the next handshakes are refused with."""
        self.connections: list[Connection] = []
        """All there ever were."""
        self._most = most
        self._life_s = life_s

    @property
    def open(self) -> list[Connection]:
        """The connections that are not closed."""
        return [connection for connection in self.connections if connection.closed_at is None]

    @property
    def heard(self) -> list[tuple[float, ClientMessage]]:
        """What all clients said, in order."""
        every = [entry for connection in self.connections for entry in connection.heard]
        return sorted(every, key=lambda entry: entry[0])

    def times(self, kind: type[ClientMessage]) -> list[float]:
        """Return when messages of this kind came, over any connection."""
        return [at for at, message in self.heard if isinstance(message, kind)]

    async def check(self, websocket: ServerConnection, request: Request) -> Response | None:
        """Refuse what Aura refuses, as it does: with an HTTP response."""
        await anyio.sleep(self.manner.opening_s)
        status, said = self._verdict(request)
        if status is None:
            return None
        code, message = _ERRORS.get(status, ("INTERNAL_SERVER_ERROR", "Something went wrong."))
        return websocket.respond(status, encode(Refusal(code, said or message, _new_id(self))))

    def _verdict(self, request: Request) -> tuple[int | None, str]:
        parts = urlsplit(request.path)
        if self.refusals:
            return self.refusals.popleft(), ""
        if parts.path != PATH:
            return 404, ""
        scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
        if scheme not in {"token", "bearer"}:
            return 401, ""
        try:
            parse_query(parse_qsl(parts.query))
        except ConfigError as exc:
            return 400, str(exc)
        return (429, "") if len(self.open) >= self._most else (None, "")

    async def serve(self, websocket: ServerConnection) -> None:
        """Serve one client."""
        assert websocket.request is not None
        parameters = parse_query(parse_qsl(urlsplit(websocket.request.path).query))
        connection = Connection(parameters, anyio.current_time())
        self.connections.append(connection)
        metadata = Metadata(_new_id(self), parameters.model, "2025-07-10.0", _new_id(self), ())
        try:
            await websocket.send(encode(metadata))
            async with anyio.create_task_group() as tasks:
                voice = _Voice(self, websocket, connection)
                tasks.start_soon(voice.speak)
                tasks.start_soon(voice.obey)
                tasks.start_soon(self._end, websocket)
                await voice.listen()
                tasks.cancel_scope.cancel()
        except* ConnectionClosed as left:
            log.debug("aura_server.left", reason=str(left.exceptions[0]))
        finally:
            connection.closed_at = anyio.current_time()

    async def _end(self, websocket: ServerConnection) -> None:
        """Close a connection when it is too old."""
        await anyio.sleep(self._life_s)
        await websocket.close(1011, "NET-0003")


class _Voice:
    """The work for one client: what it says is recorded, obeyed in order, and spoken."""

    def __init__(
        self, server: AuraServer, websocket: ServerConnection, connection: Connection
    ) -> None:
        self._server = server
        self._websocket = websocket
        self._connection = connection
        self._text = ""
        self._texts: deque[str] = deque()  # flushed, and not begun
        self._left: deque[bytes] = deque()  # frames of the one being spoken, still to come
        self._news = anyio.Event()
        self._speaking = anyio.CancelScope()
        self._answers = 0
        self._flushes = Window(MAX_FLUSHES, WINDOW_S)
        self._characters = Window(MAX_CHARS, WINDOW_S)
        self._inbox, self._orders = anyio.create_memory_object_stream[ClientMessage](_BACKLOG)

    async def listen(self) -> None:
        """Take in what the client says until it leaves."""
        with self._inbox:
            try:
                async for data in self._websocket:
                    if isinstance(data, bytes):
                        await self._websocket.close(1003, "MESSAGE-0000")
                        return
                    message = parse_client(data)
                    self._connection.heard.append((anyio.current_time(), message))
                    await self._inbox.send(message)
            except WireError as exc:
                await self._websocket.close(exc.close_code, "DATA-0000")

    async def obey(self) -> None:
        """Do what it says, one message after the other."""
        with self._orders:
            async for message in self._orders:
                await self._obey(message, anyio.current_time())

    async def _obey(self, message: ClientMessage, now: float) -> None:
        match message:
            case Speak(text) if len(text) > MAX_SPEAK_CHARS:
                await self._websocket.close(1009, "BIG-0001")
            case Speak(text) if self._characters.free_at(len(text), now) > now:
                await self._websocket.close(1008, "DATA-0001")
            case Speak(text):
                self._characters.spend(len(text), now)
                self._text += text
            case Flush() if self._flushes.free_at(1, now) > now:
                await self._say(AuraWarning("Flush limit reached.", "FLUSH_LIMIT"))
            case Flush():
                self._flushes.spend(1, now)
                self._texts.append(self._text)
                self._text = ""
                self._news.set()
            case Clear():
                await self._clear()
            case Close():
                await self._websocket.close(1000)
            case _:
                assert_never(message)

    async def speak(self) -> None:
        """Speak what is flushed."""
        while True:
            if not self._texts:
                self._news = anyio.Event()
                await self._news.wait()
            with anyio.CancelScope() as self._speaking:
                await self._speak(self._texts.popleft())
                self._left.clear()
                await self._answer(Flushed)

    async def _speak(self, text: str) -> None:
        at_first, parameters = self._server.at_first, self._connection.parameters
        manner = at_first.popleft() if at_first else self._server.manner
        audio = audio_of(text, parameters.sample_rate_hz, parameters.encoding)
        sample_bytes = 2 if parameters.encoding == "linear16" else 1
        frame_bytes = round(manner.frame_s * parameters.sample_rate_hz) * sample_bytes
        frames = _cut(audio + bytes(manner.extra_bytes), manner.cut_at_bytes or frame_bytes)
        self._left = deque(frames)
        await anyio.sleep(manner.first_audio_s)
        if manner.warning is not None:
            await self._say(manner.warning)
        if manner.instead is not None:
            await self._websocket.send(manner.instead)
            return
        began_at = anyio.current_time()
        for number in range(len(frames) + 1):
            if number == manner.closes_after_frames:
                await self._websocket.close(*manner.closing)
            if number == manner.stalls_after_frames:
                await anyio.sleep_forever()
            if self._left:
                await anyio.sleep_until(began_at + number * manner.frame_s / manner.speed)
                await self._send(self._left.popleft())

    async def _clear(self) -> None:
        manner = self._server.manner
        was_speaking = bool(self._left)
        self._speaking.cancel()
        self._texts.clear()
        self._text = ""
        await self._send_late(manner.late_frames)
        await anyio.sleep(manner.cleared_s)
        await self._answer(Cleared)
        if was_speaking and manner.flushed_after_cleared:
            await self._answer(Flushed)
        await self._send_late(manner.frames_after_cleared)
        self._left.clear()

    async def _send_late(self, frames: int) -> None:
        for _ in range(min(frames, len(self._left))):
            await self._send(self._left.popleft())

    async def _send(self, frame: bytes) -> None:
        self._connection.sent_at.append(anyio.current_time())
        await self._websocket.send(frame)

    async def _answer(self, kind: type[Flushed] | type[Cleared]) -> None:
        self._answers += 1
        await self._say(kind(self._answers - 1))

    async def _say(self, message: ServerMessage) -> None:
        await self._websocket.send(encode(message))


@asynccontextmanager
async def aura_server(
    manner: Manner | None = None, *, most: int = 45, life_s: float = MAX_LIFE_S
) -> AsyncIterator[AuraServer]:
    """Serve on a free port of loopback.

    Args:
        manner: how it behaves; without one, at once and as it should.
        most: connections at a time; Deepgram's smallest plan has 45.
        life_s: how long a connection may last.
    """
    server = AuraServer(manner or Manner(), most=most, life_s=life_s)
    async with serve(
        server.serve,
        "127.0.0.1",
        0,
        compression=None,
        process_request=server.check,
        ping_interval=None,
        close_timeout=0.5,
    ) as running:
        server.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        yield server


def _cut(audio: bytes, size_bytes: int) -> Sequence[bytes]:
    return [audio[start : start + size_bytes] for start in range(0, len(audio), size_bytes)]


def _new_id(server: AuraServer) -> str:
    """Return an id of the form Deepgram's have, the same in each run."""
    return f"00000000-0000-4000-8000-{len(server.connections):012x}"
