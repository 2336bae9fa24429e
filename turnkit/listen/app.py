"""Flux's `/v2/listen` as an ASGI application: the handshake, and what is refused in it.

Requests that Flux refuses are refused as Flux does it: with an HTTP response to the handshake. Any
key is accepted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from uuid import uuid4

import anyio
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from turnkit import origins
from turnkit.audio.silero_onnx import find_silero_onnx
from turnkit.calls import Calls
from turnkit.client_socket import connection_of
from turnkit.config import Settings
from turnkit.engine.engine import open_engine
from turnkit.engine.smart_turn import find_smart_turn
from turnkit.listen.faults import Fault, Hang
from turnkit.listen.service import OpenService
from turnkit.listen.stream import DEAD_S, MAX_FRAME_BYTES, Stream
from turnkit.listen.trouble import Trouble
from turnkit.listen.visits import Visit
from turnkit.no_path import unserved
from turnkit.recognizers.middleware import offer_recognizers
from turnkit.sources.flux_query import ListenParameters, ParameterRefused, parse_query

log = structlog.get_logger(__name__)

PATH = "/v2/listen"

_RETRY_AFTER_S = 5
_BUSY = "TOO_MANY_REQUESTS"
_SUBPROTOCOLS = frozenset({"token", "bearer"})  # browsers cannot set headers

_REASONS = {
    400: ("INVALID_PARAMETER", "a fault that was asked for"),
    401: ("INVALID_AUTH", "Invalid credentials."),
    402: ("ASR_PAYMENT_REQUIRED", "Project does not have enough credits."),
    403: ("INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."),
    404: ("NOT_FOUND", "Not found."),
    429: (_BUSY, "Too many requests. Please try again later."),
}
"""What is said where a refusal was asked for; 5xx otherwise."""

_GENERAL_SHAPE = frozenset({401, 402})
"""Statuses whose body has the shape of Deepgram's REST services, not that of `/v2/listen`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who answers, and what goes wrong."""

    open_service: OpenService = open_engine
    faults: Sequence[Fault] = ()
    seed: int = 0
    """The same seed brings the same faults, as long as clients come in the same order."""
    visits: list[Visit] | None = None
    """Where to write down who came; for tests, since it grows with each."""
    _connections: "count[int]" = field(default_factory=count)

    def trouble(self) -> Trouble:
        """Return the trouble of the next connection."""
        connection = next(self._connections)
        return Trouble(self.faults, connection, Random(f"{self.seed}/{connection}").random)


def create_listen_app(settings: Settings, plan: Plan | None = None) -> Starlette:
    """Build an application that serves `/v2/listen` and nothing else.

    Args:
        settings: of them, how many streams there may be at a time, and which pages may connect.
        plan: who answers and what goes wrong; by default the engine, and nothing.
    """
    calls = Calls(settings.max_calls)
    app = Starlette(routes=[*listen_routes(settings, calls, plan), unserved(PATH)])
    if plan is None or plan.open_service is open_engine:
        offer_recognizers(app, settings)
    app.state.calls = calls
    app.state.max_message_bytes = MAX_FRAME_BYTES
    return app


def listen_routes(settings: Settings, calls: Calls, plan: Plan | None = None) -> list[BaseRoute]:
    """Return the routes, for an application that has others besides.

    Args:
        settings: of them, `host`, `origins` and `public_url` say which pages may connect.
        calls: where streams are counted; it bounds how many there are at a time.
        plan: as for `create_listen_app`.
    """
    desk = _Desk(settings, calls, plan or Plan())
    return [WebSocketRoute(PATH, desk.listen), Route(PATH, _hint)]


async def _hint(_request: Request) -> Response:
    description = f"this is a WebSocket: connect to ws://HOST{PATH}?model=flux-general-en&..."
    body = {"code": "UPGRADE_REQUIRED", "description": description}
    return JSONResponse(body, 426, {"Upgrade": "websocket"})


class _Desk:
    """Takes streams in, or turns them away."""

    def __init__(self, settings: Settings, calls: Calls, plan: Plan) -> None:
        self._settings = settings
        self._calls = calls
        self._plan = plan
        self._open_service = plan.open_service
        if plan.open_service is open_engine:
            self._open_service = partial(
                open_engine,
                smart_turn=find_smart_turn(settings.smart_turn),
                silero_onnx=find_silero_onnx(settings.silero_onnx),
            )

    async def listen(self, websocket: WebSocket) -> None:
        """Serve one stream, or say why not."""
        request_id = str(uuid4())
        trouble = self._plan.trouble()
        try:
            await _face(trouble, websocket)
            parameters = self._checked(websocket)
        except _Refused as exc:
            log.info("listen.refused", request_id=request_id, status=exc.status, reason=str(exc))
            await websocket.send_denial_response(exc.response(request_id))
            return
        visit = Visit(parameters)
        with self._calls.admit(request_id):
            await _accept(websocket, request_id)
            if self._plan.visits is not None:
                self._plan.visits.append(visit)
            stream = Stream(websocket, request_id, trouble, visit)
            await stream.run(self._open_service)

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
            raise _Refused(status, code, busy, str(_RETRY_AFTER_S))
        return parameters


async def _face(trouble: Trouble, websocket: WebSocket) -> None:
    """Meet what goes wrong at the door. Raises _Refused."""
    fault = trouble.at_the_door()
    if fault is None:
        return
    if isinstance(fault, Hang):
        with anyio.move_on_after(DEAD_S):
            if (connection := connection_of(websocket)) is not None:
                await connection.gone.wait()
        raise _Refused(503, "UNAVAILABLE", "a handshake that was to hang")
    reason = ("UNAVAILABLE", "Service unavailable.")
    raise _Refused(fault.status, *_REASONS.get(fault.status, reason), fault.retry_after)


class _Refused(Exception):
    """A handshake is to be answered with an HTTP error."""

    def __init__(
        self, status: int, code: str, description: str, retry_after: str | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self._code = code
        self._retry_after = retry_after

    def response(self, request_id: str) -> Response:
        headers = {"dg-request-id": request_id, "dg-error": str(self)}
        if self._retry_after is not None:
            headers["Retry-After"] = self._retry_after
        body = {"code": self._code, "description": str(self)}
        if self.status in _GENERAL_SHAPE:
            body = {"err_code": self._code, "err_msg": str(self), "request_id": request_id}
        return JSONResponse(body, self.status, headers)


async def _accept(websocket: WebSocket, request_id: str) -> None:
    offered = websocket.scope.get("subprotocols", [])
    await websocket.accept(
        subprotocol=offered[0] if offered and offered[0].lower() in _SUBPROTOCOLS else None,
        # The second tells our own client that ForceEndTurn and Configure are understood here.
        headers=[(b"dg-request-id", request_id.encode()), (b"x-turnkit", b"listen")],
    )
