"""Connections to models: cancelled on the server's side too, and asked in one piece.

HTTP/2: httpcore2 (2.16, as httpcore before it) forgets a stream that is closed early without a word
to the server, which RST_STREAM would be (RFC 9113, section 5.4.2). The server goes on generating;
what it sends eats up the connection's flow-control window; and after 100 such streams no request
gets through at all ("Max outbound streams is 100"). Here the stream is reset.

HTTP/1.1: httpcore2 writes the head of a request and its body apart, each with a round through the
event loop; the user waits for both. Here they leave together.

This reaches for names that httpcore2 does not promise to keep: where they are gone, `transport`
returns None, and callers stay with HTTP/1.1 as it comes, which closes a connection to cancel.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import anyio
import h2.errors
import h2.events
import h11
import httpcore2
import httpx2
import structlog

log = structlog.get_logger(__name__)

ERRORS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException)
"""How a request fails, or an answer breaks off, on the way past httpx2."""

_RESET_S = 0.5
"""How long the reset may wait for what is being written before it."""


def transport(limits: httpx2.Limits) -> "Transport | None":
    """Return a transport that offers HTTP/2, or None if cancelling would not work."""
    known = {*dir(httpcore2.AsyncHTTP2Connection), *dir(httpcore2.AsyncHTTP11Connection)}
    if not {"_response_closed", "_write_outgoing_data", "_send_event"} <= known:
        log.warning("http2.off", advice="this version of httpcore2 is unknown; please report it")
        return None
    return Transport(limits)


@dataclass(slots=True)
class Answer:
    """An answer that has begun; the names are those of httpx2's `Response`."""

    response: httpcore2.Response

    @property
    def status_code(self) -> int:
        """HTTP's."""
        return self.response.status

    @property
    def headers(self) -> httpx2.Headers:
        """Those of the answer."""
        return httpx2.Headers(self.response.headers)

    def aiter_raw(self) -> AsyncIterator[bytes]:
        """Yield the body as it comes. Raises ERRORS."""
        return self.response.aiter_stream()

    async def aclose(self) -> None:
        """Want no more of it."""
        await self.response.aclose()


class Transport(httpx2.AsyncHTTPTransport):
    """httpx2's, for the SDK, and a way past httpx2 for requests that are complete already."""

    def __init__(self, limits: httpx2.Limits) -> None:
        context = httpx2.create_ssl_context()  # takes 15 ms: made once
        super().__init__(verify=context, http2=True, limits=limits)
        self._pool = _Pool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            http2=True,
        )

    async def ask(self, request: httpcore2.Request) -> Answer:
        """Send a request; return when the answer begins. Raises ERRORS."""
        return Answer(await self._pool.handle_async_request(request))


class _Pool(httpcore2.AsyncConnectionPool):
    def create_connection(self, origin: httpcore2.Origin) -> httpcore2.AsyncConnectionInterface:
        return _Connection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=self._keepalive_expiry,
            http2=True,
        )


class _Connection(httpcore2.AsyncHTTPConnection):
    """A connection that takes our HTTP/2 if the server agrees to any."""

    async def handle_async_request(self, request: httpcore2.Request) -> httpcore2.Response:
        async with self._request_lock:
            if self._connection is None:
                try:
                    stream = await self._connect(request)
                except BaseException:  # also when cancelled, or the pool would wait for it
                    self._connect_failed = True
                    raise
                self._connection = self._upon(stream)
        return await self._connection.handle_async_request(request)

    def _upon(self, stream: httpcore2.AsyncNetworkStream) -> httpcore2.AsyncConnectionInterface:
        tls = stream.get_extra_info("ssl_object")
        agreed = tls is not None and tls.selected_alpn_protocol() == "h2"
        kind = _Http2 if agreed else _Http1
        return kind(self._origin, stream, self._keepalive_expiry)


class _Http1(httpcore2.AsyncHTTP11Connection):
    """Sends a request when it is complete."""

    _unsent = b""

    async def _send_event(
        self,
        event: h11.Event,
        timeout: float | None = None,  # noqa: ASYNC109  # its signature is httpcore2's
    ) -> None:
        self._unsent += self._h11_state.send(event) or b""
        if isinstance(event, h11.EndOfMessage):
            whole, self._unsent = self._unsent, b""
            await self._network_stream.write(whole, timeout=timeout)


class _Http2(httpcore2.AsyncHTTP2Connection):
    """Resets what is closed before its end."""

    async def _response_closed(self, stream_id: int) -> None:
        unfinished = self._is_open(stream_id)
        if unfinished:
            for event in self._events.get(stream_id, ()):
                if isinstance(event, h2.events.DataReceived):  # it came, and nobody will read it
                    size = event.flow_controlled_length or 0
                    self._h2_state.acknowledge_received_data(size, stream_id)
            self._h2_state.reset_stream(stream_id, h2.errors.ErrorCodes.CANCEL)
        await super()._response_closed(stream_id)
        if unfinished:
            with anyio.move_on_after(_RESET_S):
                await self._write_outgoing_data(httpcore2.Request("POST", str(self._origin)))

    def _is_open(self, stream_id: int) -> bool:
        stream = self._h2_state.streams.get(stream_id)
        broken = self._connection_error or self._connection_terminated is not None
        return stream is not None and not stream.closed and not broken
