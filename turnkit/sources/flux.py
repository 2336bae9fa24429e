"""Flux over a WebSocket: audio up, turn events down, for any server of `/v2/listen`.

One connection from start to end. Whoever runs it decides what to do when it is lost.
"""

import ipaddress
import logging
import ssl
from collections import Counter, deque
from dataclasses import dataclass
from typing import assert_never
from urllib.parse import SplitResult, urlencode, urlsplit

import anyio
import structlog
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.http11 import Response

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError, SourceError, SourceLost, SourceRefused, WireError
from turnkit.sources.base import Report
from turnkit.sources.feed import Feed
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import (
    EVENTS,
    CloseStream,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ServerMessage,
    TurnInfo,
    Unknown,
    encode,
    parse_refusal,
    parse_server,
    to_event,
    unknown_fields,
)

log = structlog.get_logger(__name__)

PATH = "/v2/listen"

_WRITE_LIMIT_BYTES = 4096  # audio that cannot leave is to wait in the feed, where it is bounded
_MALFORMED_LIMIT = 10
_MALFORMED_WINDOW_S = 10.0
_UNKNOWN_LIMIT = 50  # names counted apart; a server that sends more makes them up
_SHOWN_CHARS = 200  # of a server's own words in our messages

_REFUSALS = frozenset(
    {
        "UNPARSABLE_CLIENT_MESSAGE",
        "INVALID_PARAMETER",
        "INVALID_AUTH",
        "INSUFFICIENT_PERMISSIONS",
        "ASR_PAYMENT_REQUIRED",
    }
)
"""Error codes that the same request would meet again. Any other may be the server's bad day."""

_ADVICE = {
    400: "check the turn settings",
    401: "check DEEPGRAM_API_KEY",
    402: "the account is out of credit",
    403: "check that the key's project may use this model, and that the model exists",
    404: f"check the URL: nothing is served there; Flux is at {PATH}",
    429: "too many connections at once; try again later",
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a `FluxSource` waits for what, in seconds."""

    open_s: float = 3.0
    connected_s: float = 10.0
    silent_s: float = 10.0
    """For any message. Flux sends four per second of audio, and audio never pauses; the longest
    gap in recorded traffic is 0.73 s. A connection this quiet is dead."""
    drain_s: float = 5.0
    """For the close after CloseStream."""
    close_s: float = 1.0
    ping_s: float = 5.0
    """Between pings, and for their answers."""


_PATIENCE = Patience()


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> "FluxSource":
    """Connect to the Flux server at the URL `argument`. Raises ConfigError."""
    if argument is None:
        raise ConfigError("source flux needs a URL, such as flux:ws://127.0.0.1:8080/v2/listen")
    parameters = ListenParameters(
        model=settings.model,
        encoding=audio.encoding,
        sample_rate_hz=audio.sample_rate_hz,
        eager_eot_threshold=settings.eager_eot_threshold,
        eot_threshold=settings.eot_threshold,
        eot_timeout_ms=settings.eot_timeout_ms,
        keyterms=settings.keyterms,
    )
    return FluxSource(argument, parameters, key=settings.deepgram_api_key)


class FluxSource:
    """A turn source behind a WebSocket. Nothing is sent before it is run."""

    def __init__(
        self,
        url: str,
        parameters: ListenParameters,
        *,
        key: SecretStr | None = None,
        patience: Patience = _PATIENCE,
    ) -> None:
        """Check the URL and the key. Raises ConfigError.

        Args:
            url: the server's; without a path, `/v2/listen` is meant.
            parameters: what to ask for in the handshake.
            key: sent only over TLS or to this machine, for others could read it on its way.
            patience: how long to wait for what.
        """
        self.malformed = 0
        self.unknown: Counter[str] = Counter()
        self._url = _listen_url(url)
        self._parameters = parameters
        self._patience = patience
        self._key = key.get_secret_value().strip() if key else ""
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError("DEEPGRAM_API_KEY contains characters that no key has; copy it again")
        self._local = _is_loopback(self._url.hostname or "")
        readable = self._url.scheme == "ws" and not self._local  # by others, on its way
        self._authorization: dict[str, str] = {}
        if self._key and not readable:
            self._authorization = {"Authorization": f"Token {self._key}"}
        self._feed = Feed(AudioFormat(parameters.sample_rate_hz, parameters.encoding))
        self._malformed_at: deque[float] = deque(maxlen=_MALFORMED_LIMIT + 1)
        self._closing = False  # whether CloseStream was sent

    @property
    def dropped_bytes(self) -> int:
        """How much audio was dropped because the server did not take it."""
        return self._feed.dropped_bytes

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio; 30 s wait at most, then the oldest goes."""
        self._feed.hear(audio)

    def finish(self) -> None:
        """Say that no more audio will come."""
        self._feed.finish()

    async def run(self, report: Report) -> None:
        """Connect, send what is heard, report events; return after `finish` and the last event."""
        self._closing = False
        websocket = await self._open()
        try:
            await self._await_connected(websocket, report)
            error = await self._converse(websocket, report)
        finally:
            with anyio.move_on_after(2 * self._patience.close_s, shield=True):
                await websocket.close()
        if error is not None:
            raise error

    async def _open(self) -> ClientConnection:
        url = self._url._replace(query=urlencode(self._parameters.query())).geturl()
        quiet = logging.getLogger(f"{__name__}.websocket")
        quiet.setLevel(logging.INFO)  # at debug level it would log the key and what people say
        try:
            return await connect(
                url,
                additional_headers=self._authorization,
                proxy=None if self._local else True,
                compression=None,  # of audio it saves little, and it costs 40 KB a connection
                open_timeout=self._patience.open_s,
                ping_interval=self._patience.ping_s,
                ping_timeout=self._patience.ping_s,
                close_timeout=self._patience.close_s,
                write_limit=_WRITE_LIMIT_BYTES,
                logger=quiet,
            )
        except InvalidStatus as exc:
            raise self._refused(exc.response) from exc
        except ssl.SSLCertVerificationError as exc:
            raise SourceRefused(
                f"turn source {self._url.netloc} is not who it should be: {exc}"
            ) from exc
        except (OSError, WebSocketException) as exc:
            raise self._lost(f"cannot be reached: {exc}") from exc

    async def _await_connected(self, websocket: ClientConnection, report: Report) -> None:
        """Wait until the server is ready for audio."""
        limit_s = self._patience.connected_s
        with anyio.move_on_after(limit_s):
            while (message := await self._next_message(websocket)) is not None:
                if isinstance(message, Connected):
                    return
                self._take(message, report)
        raise self._lost(f"accepted the connection, but sent no Connected within {limit_s} s")

    async def _converse(self, websocket: ClientConnection, report: Report) -> SourceError | None:
        """Send and report until the end; return its cause, which a task group would wrap."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._send, websocket, tasks.cancel_scope)
            try:
                await self._follow(websocket, report, tasks.cancel_scope)
            except SourceError as exc:
                return exc
            else:
                return None
            finally:
                tasks.cancel_scope.cancel()
        if self._closing:  # a server that does not close has still said all it had to say
            return None
        return self._lost(f"sent nothing for {self._patience.silent_s} s")

    async def _send(self, websocket: ClientConnection, waiting: anyio.CancelScope) -> None:
        try:
            while (chunk := await self._feed.next_chunk()) is not None:
                await websocket.send(chunk)
            self._closing = True
            waiting.deadline = anyio.current_time() + self._patience.drain_s
            await websocket.send(encode(CloseStream()))
        except ConnectionClosed:
            return  # the reader learns of it too, and knows what it means

    async def _follow(
        self, websocket: ClientConnection, report: Report, waiting: anyio.CancelScope
    ) -> None:
        """Report what the server says until it closes, or until `waiting` for it is over."""
        waiting.deadline = anyio.current_time() + self._patience.silent_s
        while (message := await self._next_message(websocket)) is not None:
            if not self._closing:
                waiting.deadline = anyio.current_time() + self._patience.silent_s
            self._take(message, report)

    def _take(self, message: ServerMessage | Unknown, report: Report) -> None:
        match message:
            case TurnInfo():
                report(to_event(message))
            case FluxWarning():
                log.warning("flux.warned", code=message.code)
            case FluxError():
                raise self._failed(message)
            case Connected() | ConfigureSuccess() | ConfigureFailure() | Unknown():
                return  # nothing to do with turns
            case _:
                assert_never(message)

    async def _next_message(self, websocket: ClientConnection) -> ServerMessage | Unknown | None:
        """Wait for a message that makes sense; None when the server has closed as it should."""
        while True:
            try:
                # As bytes: invalid UTF-8 is to cost a message, not the connection.
                text = await websocket.recv(decode=False)
            except ConnectionClosed as exc:
                if self._closing and _code(exc) in {1000, 1005, 1006}:
                    return None
                raise self._closed(exc) from exc
            try:
                message = parse_server(text)
            except WireError as exc:
                self._count_malformed(exc, len(text))
            else:
                self._count_unknown(message, text)
                return message

    def _count_malformed(self, exc: WireError, size_bytes: int) -> None:
        log.warning("flux.malformed", problem=str(exc), size_bytes=size_bytes)
        self.malformed += 1
        self._malformed_at.append(anyio.current_time())
        spread_s = self._malformed_at[-1] - self._malformed_at[0]
        if len(self._malformed_at) > _MALFORMED_LIMIT and spread_s < _MALFORMED_WINDOW_S:
            raise self._lost(f"sends messages that are not Flux's: {exc}") from exc

    def _count_unknown(self, message: ServerMessage | Unknown, text: bytes) -> None:
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

    # What went wrong, as an error that says what to do.

    def _refused(self, response: Response) -> SourceError:
        status = response.status_code
        said = parse_refusal(bytes(response.body)) or response.headers.get("dg-error", "no reason")
        advice = _ADVICE.get(status, "try again later" if status >= 500 else "check the URL")
        if status in {401, 403} and self._key and not self._authorization:
            advice = "the key was not sent, since others could read it on its way; use wss://"
        elif status in {401, 403} and not self._key:
            advice = "set DEEPGRAM_API_KEY"
        message = f"refused the connection with HTTP {status}: {self._quote(said)}; {advice}"
        kind = SourceLost if status in {408, 429} or status >= 500 else SourceRefused
        return kind(f"turn source {self._url.netloc} {message}")

    def _failed(self, message: FluxError) -> SourceError:
        kind = SourceRefused if message.code in _REFUSALS else SourceLost
        said = self._quote(f"{message.code}: {message.description}")
        return kind(f"turn source {self._url.netloc} gave up: {said}")

    def _closed(self, exc: ConnectionClosed) -> SourceError:
        if _code(exc) != 1008:
            return self._lost(f"closed the connection: {exc}")
        audio = f"{self._parameters.encoding} at {self._parameters.sample_rate_hz} Hz"
        said = self._quote(str(exc))
        return SourceRefused(
            f"turn source {self._url.netloc} could not read the audio, announced as {audio}: {said}"
        )

    def _lost(self, what: str) -> SourceLost:
        return SourceLost(f"turn source {self._url.netloc} {self._quote(what)}")

    def _quote(self, text: str) -> str:
        """Make a server's words fit to be shown: short, and without our key, should it echo it."""
        shown = text.replace(self._key, "[key]") if self._key else text
        return shown[:_SHOWN_CHARS]


def _listen_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # it is read only now, and may be no number
    except ValueError as exc:
        raise ConfigError(f"the turn source's URL cannot be read: {exc}") from None
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError("the turn source's URL must look like wss://host/v2/listen")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "the turn source's URL must have no user, query or fragment: "
            "turn parameters are settings, and the key is DEEPGRAM_API_KEY"
        )
    return parts._replace(path=parts.path.rstrip("/") or PATH)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _code(exc: ConnectionClosed) -> int:
    return exc.rcvd.code if exc.rcvd else 1006
