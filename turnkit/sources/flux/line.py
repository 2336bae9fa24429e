"""One WebSocket to a Flux server: messages out and in, and every way to break as a named error."""

import logging
import ssl
from collections import Counter, deque

import anyio
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from turnkit.errors import SourceRefused, WireError
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux.route import Route, close_code
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    EVENTS,
    ClientMessage,
    Connected,
    FluxError,
    ServerMessage,
    TurnInfo,
    Unknown,
    encode,
    parse_server,
    unknown_fields,
)

log = structlog.get_logger(__name__)

_WRITE_LIMIT_BYTES = 4096  # audio that cannot leave is to wait in the ring, where it is bounded
_MALFORMED_LIMIT = 10
_MALFORMED_WINDOW_S = 10.0
_UNKNOWN_LIMIT = 50  # names counted apart; a server that sends more makes them up
_SHOWN_CHARS = 200  # of a server's own words in our messages


class Oddities:
    """Counts what servers say that cannot be understood, over all connections of a call."""

    def __init__(self) -> None:
        self.malformed = 0
        self.unknown: Counter[str] = Counter()

    def count_malformed(self, exc: WireError, size_bytes: int) -> None:
        """Count a message that is none."""
        log.warning("flux.malformed", problem=str(exc), size_bytes=size_bytes)
        self.malformed += 1

    def count_unknown(self, message: ServerMessage | Unknown, text: bytes) -> None:
        """Count words that did not exist when this was written; log each once."""
        match message:
            case Unknown(name):
                names = [f"type {name}"]
            case TurnInfo(event=event) if event not in EVENTS:
                names = [f"event {event}"]
            case _:
                names = []
        names += [f"field {field}" for field in unknown_fields(text)]
        for name in (name[:_SHOWN_CHARS] for name in names):
            first = name not in self.unknown
            if first and len(self.unknown) >= _UNKNOWN_LIMIT:
                return
            self.unknown[name] += 1
            if first:
                log.warning("flux.unknown", what=name)


class Gone(Exception):
    """Nothing can be sent any more; why, `receive` tells."""


class Line:
    """An open connection. It reads nothing and sends nothing by itself."""

    def __init__(
        self,
        websocket: ClientConnection,
        route: Route,
        parameters: ListenParameters,
        oddities: Oddities,
    ) -> None:
        self.route = route
        self.closing = False
        """Whether we have said that no more audio will come."""
        self._websocket = websocket
        self._parameters = parameters
        self._oddities = oddities
        self._malformed_at: deque[float] = deque(maxlen=_MALFORMED_LIMIT + 1)

    async def send(self, message: bytes | ClientMessage) -> None:
        """Send audio or an order, waiting while the network is slow. Raises Gone."""
        try:
            await self._websocket.send(message if isinstance(message, bytes) else encode(message))
        except ConnectionClosed as exc:
            raise Gone from exc

    async def receive(self) -> ServerMessage | Unknown | None:
        """Wait for a message that makes sense; return None when the server closed as it should.

        Raises Lost and SourceRefused.
        """
        while True:
            try:
                # As bytes: invalid UTF-8 is to cost a message, not the connection.
                text = await self._websocket.recv(decode=False)
            except ConnectionClosed as exc:
                if self.closing and close_code(exc) in {1000, 1005, 1006}:
                    return None
                raise self.route.closed(exc, self._parameters) from exc
            try:
                message = parse_server(text)
            except WireError as exc:
                self._oddities.count_malformed(exc, len(text))
                self._bear(exc)
            else:
                self._oddities.count_unknown(message, text)
                if isinstance(message, FluxError):
                    raise self.route.failed(message)
                return message

    def _bear(self, exc: WireError) -> None:
        self._malformed_at.append(anyio.current_time())
        spread_s = self._malformed_at[-1] - self._malformed_at[0]
        if len(self._malformed_at) > _MALFORMED_LIMIT and spread_s < _MALFORMED_WINDOW_S:
            raise self.route.lost(f"sends messages that are not Flux's: {exc}") from exc

    async def close(self, limit_s: float) -> None:
        """Close as the protocol has it, waiting so long for the server to agree."""
        with anyio.move_on_after(limit_s, shield=True):
            await self._websocket.close()
        self.abort()

    def abort(self) -> None:
        """Let go at once."""
        self._websocket.transport.abort()


async def open_line(
    route: Route, parameters: ListenParameters, patience: Patience, oddities: Oddities
) -> Line:
    """Connect, and wait until the server is ready for audio. Raises Lost and SourceRefused."""
    websocket = await _connect(route, parameters, patience)
    line = Line(websocket, route, parameters, oddities)
    try:
        assert websocket.response is not None
        route.welcomed(websocket.response.headers)
        with anyio.move_on_after(patience.connected_s):
            while not isinstance(await line.receive(), Connected):
                continue
            return line
    except BaseException:
        line.abort()
        raise
    line.abort()
    limit_s = patience.connected_s
    raise route.lost(f"accepted the connection, but sent no Connected within {limit_s} s")


async def _connect(
    route: Route, parameters: ListenParameters, patience: Patience
) -> ClientConnection:
    quiet = logging.getLogger(f"{__name__}.websocket")
    quiet.setLevel(logging.INFO)  # at debug level it would log the key and what people say
    try:
        return await connect(
            route.address(parameters),
            additional_headers=route.authorization,
            proxy=None if route.is_local else True,
            compression=None,  # of audio it saves little, and it costs 40 KB a connection
            open_timeout=patience.open_s,
            ping_interval=None,  # audio keeps the connection busy; messages show that it lives
            close_timeout=patience.close_s,
            write_limit=_WRITE_LIMIT_BYTES,
            logger=quiet,
        )
    except InvalidStatus as exc:
        raise route.refused(exc.response) from exc
    except ssl.SSLEOFError as exc:
        raise route.lost(f"cannot be reached: {_described(exc)}") from exc
    except ssl.SSLError as exc:
        who = f"turn source {route.host}"
        raise SourceRefused(f"{who} cannot be spoken to over TLS as itself: {exc}") from exc
    except (OSError, WebSocketException) as exc:
        raise route.lost(f"cannot be reached: {_described(exc)}") from exc


def _described(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
