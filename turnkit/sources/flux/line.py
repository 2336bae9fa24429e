"""One WebSocket to a Flux server: messages out and in, and every way to break as a named error."""

from collections import Counter

import anyio
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import broadcast
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from turnkit import clock
from turnkit.errors import WireError
from turnkit.sources.flux.look import LOOK_BYTES
from turnkit.sources.flux.route import Route, close_code
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    EVENTS,
    UNPARSABLE,
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
from turnkit.sources.link.knock import knock as open_socket
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.tolerance import Tolerance

log = structlog.get_logger(__name__)

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
        self._recode = route.service.recode(parameters.encoding)
        self._head = b""  # the beginning of what was sent
        self._unlooked: tuple[ServerMessage | Unknown, bytes] | None = None
        self._tolerance = Tolerance()

    async def send(self, message: bytes | ClientMessage) -> None:
        """Send audio or an order, waiting while the network is slow. Raises Gone."""
        try:
            await self._websocket.send(
                self._audio(message) if isinstance(message, bytes) else encode(message)
            )
        except ConnectionClosed as exc:
            raise Gone from exc

    @property
    def keeps_up(self) -> bool:
        """Whether the server reads what it is sent."""
        return not self._websocket.paused

    def post(self, message: bytes | ClientMessage) -> None:
        """Send audio or an order at once; orders at any time, audio while the server keeps up.

        Raises Gone.
        """
        if self._websocket.state is not State.OPEN:
            raise Gone
        # websockets' one public way to send without waiting, to however few.
        broadcast(
            [self._websocket],
            self._audio(message) if isinstance(message, bytes) else encode(message),
        )

    async def drain(self) -> None:
        """Wait until the server has read nearly all it was sent, or is gone."""
        await self._websocket.drain()

    def _audio(self, audio: bytes) -> bytes:
        audio = audio if self._recode is None else self._recode(audio)
        if len(self._head) < LOOK_BYTES:
            self._head += audio
        return audio

    async def receive(self) -> ServerMessage | Unknown | None:
        """Wait for a message that makes sense; return None when the server closed as it should.

        Raises Lost and SourceRefused.
        """
        if self._unlooked is not None:  # it was acted on meanwhile, which was more urgent
            self._oddities.count_unknown(*self._unlooked)
            self._unlooked = None
        while True:
            try:
                # As bytes: invalid UTF-8 is to cost a message, not the connection.
                text = await self._websocket.recv(decode=False)
            except ConnectionClosed as exc:
                if self.closing and close_code(exc) in {1000, 1005, 1006}:
                    return None
                raise self.route.closed(exc, self._parameters, self._head) from exc
            try:
                message = parse_server(text)
            except WireError as exc:
                self._oddities.count_malformed(exc, len(text))
                if self._tolerance.exhausted(clock.now()):
                    what = f"sends messages that are not Flux's: {exc}"
                    raise self.route.lost(what) from exc
            else:
                self._unlooked = message, text
                if not isinstance(message, FluxError):
                    return message
                if self.closing and message.code == UNPARSABLE:
                    return None  # it does not know CloseStream either, and the call is over
                raise self.route.failed(message)

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
    line = await knock(route, parameters, patience, oddities)
    try:
        await greet(line, patience)
    except BaseException:
        line.abort()
        raise
    return line


async def knock(
    route: Route, parameters: ListenParameters, patience: Patience, oddities: Oddities
) -> Line:
    """Do the handshake, the first half of `open_line`. Raises Lost and SourceRefused."""
    address = route.service.address(route.url, parameters)
    websocket = await open_socket(route, address, await route.offer(), patience)
    assert websocket.response is not None
    route.welcomed(websocket.response.headers)
    return Line(websocket, route, parameters, oddities)


async def greet(line: Line, patience: Patience) -> None:
    """Wait until the server is ready for audio, the second half. Raises Lost and SourceRefused."""
    if not await _greeted(line, patience):
        limit_s = patience.connected_s
        said = f"accepted the connection, but sent no Connected within {limit_s} s"
        raise line.route.lost(said)


async def _greeted(line: Line, patience: Patience) -> bool:
    """Wait for Connected; not for long, or not at all, where it need not come."""
    certain = line.route.service.greets
    if not line.route.greets:
        return True
    with anyio.move_on_after(patience.connected_s if certain else patience.greeting_s):
        while not isinstance(await line.receive(), Connected):
            continue
        return True
    if not certain:
        line.route.does_not_greet()
    return not certain
