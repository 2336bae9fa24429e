"""One connection of HTTP/1.1 (RFC 9112) to a model's server, by the short way.

A request is one write, and its answer is read in the event loop's own callback, by the parser of
Node.js (llhttp, in httptools). A client that can do all of HTTP takes ten times as long for a
request, and as long again for each token, and the user waits for both.
"""

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from socket import IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from typing import Protocol, cast

import aiohappyeyeballs
import httptools

from turnkit import clock
from turnkit.bell import Bell
from turnkit.dial import distrust
from turnkit.errors import ModelError

CONNECT_S = 5.0
"""How long a connection may take to open."""
HEAD_BYTES = 64 * 1024
"""What may come ahead of the body of an answer."""
WAITING_BYTES = 256 * 1024
"""What may have come of an answer and not be read; then the server has to wait."""

_NEXT_ADDRESS_S = 0.25  # RFC 8305, section 8: a name's addresses are tried so long apart


@dataclass(frozen=True, slots=True)
class Origin:
    """A server, and what makes sure that it is the one."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Answer:
    """An answer on its way; the names are those of httpx's `Response`."""

    def __init__(self, connection: "Connection") -> None:
        self.status_code = 0
        """HTTP's; 0 as long as nothing has come."""
        self.headers: dict[str, str] = {}
        """By their names in small letters."""
        self.ended = False
        """Whether all of it has come, read or not."""
        self._connection = connection
        self._pieces: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._error = ""
        self._news = Bell()

    async def begun(self) -> None:
        """Wait for the status and the headers. Raises ModelError."""
        while not self.status_code:
            await self._wait()

    async def read(self) -> bytes:
        """Wait for more of the body; none is its end. Raises ModelError."""
        while not self._pieces:
            if self.ended:
                return b""
            await self._wait()
        piece = self._pieces.popleft()
        self._waiting_bytes -= len(piece)
        self._connection.read_on(full=self._is_full)
        return piece

    async def aclose(self) -> None:
        """Want no more of it: what has not come will not."""
        self._connection.cut(self)

    async def _wait(self) -> None:
        if self._error:
            raise ModelError(f"the model's server was lost: {self._error}")
        await self._news.wait()

    # What the connection does.

    def add(self, piece: bytes) -> None:
        """Take in a piece of the body."""
        self._pieces.append(piece)
        self._waiting_bytes += len(piece)
        self._connection.read_on(full=self._is_full)

    def break_off(self, error: str) -> None:
        """Take in that there will be no more, and why."""
        self._error = error
        self._news.ring()

    def tell(self) -> None:
        """Wake who waits for what came."""
        self._news.ring()

    @property
    def _is_full(self) -> bool:
        return self._waiting_bytes > WAITING_BYTES


class Owner(Protocol):
    """Whoever has connections."""

    def idle(self, connection: "Connection") -> None:
        """Take in that it has room for a request again."""

    def gone(self, connection: "Connection") -> None:
        """Take in that it is no more."""


class Connection(asyncio.Protocol):
    """One connection; it has one request at a time."""

    def __init__(self, owner: Owner) -> None:
        self.opened_at = self.idle_since = clock.now()
        self._owner = owner
        self.is_open = True
        """Whether anything can be sent. Its owner hears when that ends."""
        self._answer: Answer | None = None
        self._headers: dict[str, str] = {}
        self._head_bytes = 0
        self._kept = True  # by the server, for another request
        self._paused = False

    def ask(self, request: bytes) -> Answer:
        """Send a request, head and body; the connection has to be idle."""
        self._transport.write(request)  # first of all: everybody waits for it
        self._answer = answer = Answer(self)
        self._head_bytes = 0
        return answer

    def cut(self, answer: Answer) -> None:
        """End an answer that is not complete, and with it the connection."""
        if self._answer is answer:
            self._end("it was cancelled")

    def close(self) -> None:
        """Close it; what is asked is lost."""
        self._end("it was closed")

    def read_on(self, *, full: bool) -> None:
        """Read what comes, or let the server wait."""
        if full is not self._paused and self.is_open:
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(0)  # or uvloop writes when all else is done
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Take in what came; who waits for it is woken once."""
        if (answer := self._answer) is None:
            self._end("nobody asked")
            return
        if not answer.status_code:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as exc:
            self._end(f"what came is not HTTP: {exc}")
            return
        if not answer.status_code and self._head_bytes > HEAD_BYTES:
            self._end(f"there were headers of more than {HEAD_BYTES} bytes")
            return
        answer.tell()
        if answer.ended:
            self._be_idle()

    def connection_lost(self, exc: Exception | None) -> None:
        """Be done. An answer without a length ends when the connection does."""
        answer = self._answer
        lengths = self._headers.keys() & {"content-length", "transfer-encoding"}
        if answer is not None and answer.status_code and not lengths and exc is None:
            answer.ended = True
            answer.tell()
        self._end("the connection was closed" if exc is None else f"{type(exc).__name__}")
        del self._parser  # it leads back here, which only a collection of garbage would notice

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take in that the headers are complete; those of a 1xx are but the news of others."""
        headers, self._headers = self._headers, {}
        if (status := self._parser.get_status_code()) < 200:
            return
        assert self._answer is not None
        self._kept = self._parser.should_keep_alive()
        self._headers = self._answer.headers = headers
        self._answer.status_code = status

    def on_body(self, body: bytes) -> None:
        """Pass on a piece of the body."""
        assert self._answer is not None
        self._answer.add(body)

    def on_message_complete(self) -> None:
        """Take in that the answer is complete, unless it was a 1xx."""
        assert self._answer is not None
        self._answer.ended = bool(self._answer.status_code)

    def _be_idle(self) -> None:
        self._answer, self._headers = None, {}
        self.idle_since = clock.now()
        if self._kept:
            self._owner.idle(self)
        else:
            self._end("it was the last answer")

    def _end(self, error: str) -> None:
        """Close now, and say so; what is asked is lost unless it is answered."""
        answer, self._answer = self._answer, None
        if answer is not None and not answer.ended:
            answer.break_off(error)
        if self.is_open:
            self.is_open = False
            self._transport.abort()
            self._owner.gone(self)


async def connect(origin: Origin, owner: Owner) -> Connection:
    """Open a connection. Raises ModelError."""
    try:
        return await _connect(origin, owner)
    except TimeoutError:
        reason = f"no connection within {CONNECT_S:g} s"
    except ssl.SSLError as exc:
        reason = distrust(exc)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
    raise ModelError(f"the model's server cannot be reached: {reason}")


async def _connect(origin: Origin, owner: Owner) -> Connection:
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_S):
        places = await loop.getaddrinfo(origin.host, origin.port, type=SOCK_STREAM)
        socket = await aiohappyeyeballs.start_connection(
            places, happy_eyeballs_delay=_NEXT_ADDRESS_S, interleave=1
        )
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        _, connection = await loop.create_connection(
            lambda: Connection(owner),
            sock=socket,
            ssl=origin.tls,
            server_hostname=None if origin.tls is None else origin.host,
        )
    return connection
