"""uvicorn's connections, with small buffers, little patience, a firm end, and a shortcut for audio.

Buffers: a peer that reads nothing must be noticed while what it has not read is still little. With
the system's own buffers, two minutes of audio disappeared in them.

Patience: a client that connects and says nothing, or says it byte by byte, would stay for ever.

End: closing waits until all that was written is read. A peer that reads nothing would never go.

Shortcut: through ASGI each message costs both ways a task's waking and a dozen calls, and for each
that comes reading is stopped and begun again. With 50 frames a second from every caller, that was
more than a quarter of what a call cost.

An application reaches its connection through the ASGI scope (`connection_of`), since ASGI has no
words for the shortcut, for pings that came, nor for the faults a server of tests may have.
"""

from asyncio import BaseTransport, Event, TimerHandle
from collections.abc import Callable
from typing import Any, TypeAlias

from starlette.websockets import WebSocket
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from turnkit.plain_frames import FrameEnds, read_message, write_message

SEND_BUFFER_BYTES = 16 * 1024
"""In the kernel; set on the listening socket, from which connections inherit it."""

WRITE_LIMIT_BYTES = 4 * 1024
"""In this process, before `send` waits: 85 ms of 24 kHz audio."""

REQUEST_S = 5.0
"""How long the first request may take to arrive."""

ABORT_S = 5.0
"""How long a peer may take to read the last of what it was sent, the close frame included."""

EXTENSION = "turnkit.connection"
"""The key of the connection among the scope's extensions."""

Take: TypeAlias = Callable[[str | bytes], bool]
"""Takes in a message, or declines it by returning False, and does neither slowly."""


def connection_of(websocket: WebSocket) -> "WebSocketConnection | None":
    """Return what is under the WebSocket; None if the server is not turnkit's."""
    extension = websocket.scope.get("extensions", {}).get(EXTENSION, {})
    connection: WebSocketConnection | None = extension.get("connection")
    return connection


class HttpConnection(H11Protocol):
    """One connection, until it is a WebSocket or closed."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._impatience: TimerHandle = self.loop.call_later(REQUEST_S, transport.abort)

    def handle_events(self) -> None:
        """Take in what arrived; once there is a request, all is well."""
        super().handle_events()
        if self.scope is not None:
            self._impatience.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Be done."""
        super().connection_lost(exc)
        self._impatience.cancel()


class WebSocketConnection(WebSocketsSansIOProtocol):
    """One client's WebSocket."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)
        self._abort: TimerHandle | None = None
        self._dead = False
        self._take: Take | None = None
        self._ends = FrameEnds()
        self.pinged_at = 0.0
        """When the last ping came, on the event loop's clock."""
        self.gone = Event()
        """Set once the connection is no more."""

    def handle_connect(self, event: Any) -> None:
        """Take in a handshake."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: Any = self.scope["extensions"]
            extensions[EXTENSION] = {"connection": self}

    def handle_ping(self) -> None:
        """Answer a ping, and remember it."""
        super().handle_ping()
        self.pinged_at = self.loop.time()

    def divert(self, take: Take) -> None:
        """Offer messages to `take` as they arrive; what it declines is received as ASGI says.

        As long as one waits to be received, those behind it do too: their order stays.
        """
        self._take = take

    def data_received(self, data: bytes) -> None:
        """Take in what the client sent."""
        if not self.handshake_initiated:
            super().data_received(data)
            return
        if rest := self._diverted(data):
            self._ends.feed(rest)
            super().data_received(rest)

    def _diverted(self, data: bytes) -> bytes:
        """Offer the messages that the data begins with; return the data from where that ends."""
        if (
            self._take is None
            or not self._ends.between
            or self.frames  # of a message that comes in several
            or self.read_paused  # a message waits to be received
            or self.close_sent
        ):
            return data
        at = 0
        while at < len(data) and (read := read_message(data, at)) is not None:
            message, end = read
            if not self._take(message):
                break
            at = end
        return data[at:]

    @property
    def keeps_up(self) -> bool:
        """Whether the client is there and reads what it is sent, so that `write` makes sense."""
        return (
            self.writable.is_set()
            and self.conn.state is State.OPEN
            and not self.transport.is_closing()
        )

    def write(self, message: str | bytes, *, urgent: bool = False) -> None:
        """Send a message without waiting. Only while `keeps_up`: nothing limits what is not read.

        uvloop writes when all else in a round is done, and several messages together, which is
        cheap; but what is urgent at once.
        """
        if urgent:
            self.transport.set_write_buffer_limits(high=0)
        self.transport.write(write_message(message))
        if urgent:
            self.transport.set_write_buffer_limits(high=WRITE_LIMIT_BYTES)

    def abort(self) -> None:
        """End without a close."""
        self.transport.abort()

    def play_dead(self) -> None:
        """Neither read nor write any more; the application is to do nothing but wait for `gone`.

        That comes when the server ends, or with `abort`: nothing is noticed of what the peer does.
        """
        self._dead = True
        self.stop_keepalive()
        self.transport.pause_reading()

    async def send(self, message: Any) -> None:
        """Send as ASGI says, but let a close go even if nothing is being read."""
        if message["type"] == "websocket.close":
            self.writable.set()
            self._end_soon()
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and self.close_sent:
            self.handshake_complete = True  # it is refused; uvicorn would log that as an error

    def keepalive_timeout(self) -> None:
        """End a connection that answers no ping; not if the answer may be among what is unread."""
        if self.read_paused:
            self.schedule_ping()
            return
        super().keepalive_timeout()
        self._end_soon()

    def shutdown(self) -> None:
        """End with 1012."""
        if self._dead:
            self.transport.abort()
            return
        super().shutdown()
        self._end_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        """Be done."""
        super().connection_lost(exc)
        self._take = None  # it leads to all there is of a call, and that leads back here
        self.gone.set()
        if self._abort is not None:
            self._abort.cancel()

    def _end_soon(self) -> None:
        if self._abort is None and not self.disconnected:
            self._abort = self.loop.call_later(ABORT_S, self.transport.abort)
