"""HTTP/2 to models: what is cancelled is cancelled on the server's side too.

httpcore2 (2.16, as httpcore before it) forgets a stream that is closed early without a word
to the server, which RST_STREAM would be (RFC 9113, section 5.4.2). The server goes on generating;
what it sends eats up the connection's flow-control window; and after 100 such streams no request
gets through at all ("Max outbound streams is 100"). Here the stream is reset.

This reaches for names that httpcore2 does not promise to keep: `is_possible` tells whether they are
there. Where they are not, callers stay with HTTP/1.1, which closes a connection to cancel.
"""

import anyio
import h2.errors
import h2.events
import httpcore2
import structlog

log = structlog.get_logger(__name__)

ERRORS = (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException)
"""How a request fails, or an answer breaks off."""

_RESET_S = 0.5
"""How long the reset may wait for what is being written before it."""


class Pool(httpcore2.AsyncConnectionPool):
    """Connections that take our HTTP/2 if the server agrees to any."""

    def create_connection(self, origin: httpcore2.Origin) -> httpcore2.AsyncConnectionInterface:
        """Return one that is not connected yet."""
        return _Connection(
            origin,
            ssl_context=self._ssl_context,
            keepalive_expiry=self._keepalive_expiry,
            http2=True,
        )


def is_possible() -> bool:
    """Whether cancelling would work, with this version of httpcore2."""
    known = {"_response_closed", "_write_outgoing_data"} <= {*dir(httpcore2.AsyncHTTP2Connection)}
    if not known:
        log.warning("http2.off", advice="this version of httpcore2 is unknown; please report it")
    return known


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
        kind = _Http2 if agreed else httpcore2.AsyncHTTP11Connection
        return kind(self._origin, stream, self._keepalive_expiry)


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
