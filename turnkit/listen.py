"""The embedded engine as a server of Flux's `/v2/listen`, for any client that speaks to Flux.

Requests that Flux refuses are refused as Flux does it: with an HTTP response to the handshake. Any
key is accepted. Audio and control messages are worked on one at a time and in their order; a client
that sends faster than the engine works is left unread once its backlog is full.
"""

from dataclasses import dataclass
from uuid import uuid4

import anyio
import structlog
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from turnkit import origins
from turnkit.backlog import Backlog
from turnkit.calls import Calls
from turnkit.config import Settings
from turnkit.engine.engine import Engine, open_engine
from turnkit.errors import TransportClosed, WireError
from turnkit.sources.flux_query import ListenParameters, ParameterRefused, parse_query
from turnkit.sources.flux_wire import (
    UNPARSABLE,
    CloseStream,
    ServerMessage,
    encode,
    parse_client,
)
from turnkit.transports.peer import Peer

log = structlog.get_logger(__name__)

PATH = "/v2/listen"

IDLE_S = 60.0
"""Flux's own limit. It counts pings, which uvicorn answers without telling us; we count messages,
so a client that has nothing to say sends silence."""

MAX_FRAME_BYTES = 1 << 20  # 33 s of 16 kHz linear16, against the 2560 bytes Flux recommends

_PIECE_BYTES = 1 << 15  # about a second: then its messages go out, and others get their turn
_BUSY = "TOO_MANY_REQUESTS"
_INTERNAL = "INTERNAL_SERVER_ERROR"
_UNREADABLE = 1007  # a WireError's own close code, for which Flux sends an Error instead
_SUBPROTOCOLS = frozenset({"token", "bearer"})  # browsers cannot set headers


def create_listen_app(settings: Settings) -> Starlette:
    """Build an application that serves the engine and nothing else."""
    calls = Calls(settings.max_calls)
    app = Starlette(routes=listen_routes(settings, calls))
    app.state.calls = calls
    app.state.max_message_bytes = MAX_FRAME_BYTES
    return app


def listen_routes(settings: Settings, calls: Calls) -> list[BaseRoute]:
    """Return the routes, for an application that has others besides.

    Args:
        settings: of them, `host`, `origins` and `public_url` say which pages may connect.
        calls: where streams are counted; it bounds how many there are at a time.
    """
    return [WebSocketRoute(PATH, _Desk(settings, calls).listen), Route(PATH, _hint)]


async def _hint(_request: Request) -> Response:
    description = f"this is a WebSocket: connect to ws://HOST{PATH}?model=flux-general-en&..."
    body = {"code": "UPGRADE_REQUIRED", "description": description}
    return JSONResponse(body, 426, {"Upgrade": "websocket"})


class _Desk:
    """Takes streams in, or turns them away."""

    def __init__(self, settings: Settings, calls: Calls) -> None:
        self._settings = settings
        self._calls = calls

    async def listen(self, websocket: WebSocket) -> None:
        """Serve one stream, or say why not."""
        request_id = str(uuid4())
        try:
            parameters = self._checked(websocket)
        except _Refused as exc:
            log.info("listen.refused", request_id=request_id, status=exc.status, reason=str(exc))
            await websocket.send_denial_response(exc.response(request_id))
            return
        with self._calls.admit(request_id):
            await _accept(websocket, request_id)
            await _Stream(websocket, parameters, request_id).run()

    def _checked(self, websocket: WebSocket) -> ListenParameters:
        """Return what the client asks for, if it can have it. Raises _Refused."""
        origin = websocket.headers.get("origin")
        host = websocket.headers.get("host", "")
        if origin is not None and not origins.allowed(origin, host, self._settings):
            raise _Refused(403, "INSUFFICIENT_PERMISSIONS", origins.advice(origin))
        try:
            parameters = parse_query(websocket.query_params.multi_items())
        except ParameterRefused as exc:
            raise _Refused(400, exc.code, exc.description) from None
        if (busy := self._calls.refusal) is not None:
            status, code = (503, "UNAVAILABLE") if self._calls.draining else (429, _BUSY)
            raise _Refused(status, code, busy)
        return parameters


class _Refused(Exception):
    """A handshake is to be answered with an HTTP error."""

    def __init__(self, status: int, code: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self._body = {"code": code, "description": description}

    def response(self, request_id: str) -> Response:
        headers = {"dg-request-id": request_id, "dg-error": str(self)}
        return JSONResponse(self._body, self.status, headers)


async def _accept(websocket: WebSocket, request_id: str) -> None:
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(
        subprotocol=offered[0] if offered and offered[0].lower() in _SUBPROTOCOLS else None,
        # The second tells our own client that ForceEndTurn and Configure are understood here.
        headers=[(b"dg-request-id", request_id.encode()), (b"x-turnkit", b"listen")],
    )


@dataclass(frozen=True, slots=True)
class _End:
    """Why a stream ended, and what to close with: by default no status code, as Flux does it."""

    reason: str
    code: int | None = None


class _Stream:
    """One client's stream, from Connected to the close."""

    def __init__(self, websocket: WebSocket, parameters: ListenParameters, request_id: str) -> None:
        self._websocket = websocket
        self._peer = Peer(websocket)
        self._backlog = Backlog()
        self._parameters = parameters
        self._request_id = request_id
        self._end = _End("CloseStream")

    async def run(self) -> None:
        """Serve the client until one side closes."""
        log.info("listen.started", request_id=self._request_id)
        engine = await to_thread.run_sync(open_engine, self._parameters, self._request_id)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._read, tasks.cancel_scope)
            self._end = await self._serve(engine)
            tasks.cancel_scope.cancel()
        log.info("listen.ended", request_id=self._request_id, reason=self._end.reason)
        await self._close(self._end)

    async def _read(self, stream: anyio.CancelScope) -> None:
        """Read what comes. If nothing does, or nothing can, the stream is over at once."""
        try:
            while True:
                with anyio.fail_after(IDLE_S):
                    message = await self._peer.receive()
                await self._backlog.put(message)
        except TimeoutError:
            self._end = _End("NET-0001", 1011)
        except TransportClosed as exc:
            self._end = _End(str(exc))
        stream.cancel()

    async def _serve(self, engine: Engine) -> _End:
        """Answer what was read until there is nothing more to say."""
        try:
            await self._answer(engine)
        except TransportClosed as exc:
            return _End(str(exc), self._peer.verdict.code if self._peer.verdict else None)
        except WireError as exc:
            if exc.close_code != _UNREADABLE:
                return _End(str(exc), exc.close_code)
            return await self._give_up(engine, UNPARSABLE, str(exc))
        except Exception:  # one stream's end, not the server's
            log.exception("listen.failed", request_id=self._request_id)
            return await self._give_up(engine, _INTERNAL, "the engine broke down")
        return _End("CloseStream")

    async def _answer(self, engine: Engine) -> None:
        """Answer until CloseStream. Raises WireError and TransportClosed."""
        await self._tell([engine.connected()])
        while True:
            match await self._backlog.take():
                case bytes() as audio:
                    await self._hear(engine, audio)
                case text:
                    message = parse_client(text)
                    await self._tell(await to_thread.run_sync(engine.handle, message))
                    if isinstance(message, CloseStream):
                        return

    async def _hear(self, engine: Engine, audio: bytes) -> None:
        if len(audio) > MAX_FRAME_BYTES:
            raise WireError(f"a frame of audio holds at most {MAX_FRAME_BYTES} bytes", 1009)
        for start in range(0, len(audio), _PIECE_BYTES):
            piece = audio[start : start + _PIECE_BYTES]
            await self._tell(await to_thread.run_sync(engine.feed, piece))

    async def _give_up(self, engine: Engine, code: str, description: str) -> _End:
        try:
            await self._tell([engine.fail(code, description)])
        except TransportClosed as exc:
            return _End(str(exc))
        return _End(code)

    async def _tell(self, messages: list[ServerMessage]) -> None:
        for message in messages:
            await self._peer.send(encode(message))

    async def _close(self, end: _End) -> None:
        """Close, with an empty close frame if there is no code.

        Starlette's own `close` insists on a code; this way uvicorn's protocol on websockets'
        sans-I/O core is asked for None, and sends none.
        """
        if self._websocket.client_state is WebSocketState.DISCONNECTED:
            return
        frame = {"type": "websocket.close", "code": end.code, "reason": end.reason}
        try:
            await self._websocket.send(frame if end.code else {**frame, "reason": ""})
        except (WebSocketDisconnect, RuntimeError):
            log.debug("listen.gone", request_id=self._request_id)  # the client was faster
