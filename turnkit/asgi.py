"""turnkit as an ASGI application: the page, the calls, and what a load balancer asks.

It can be mounted in an application of your own. Every refusal comes before a call exists, as an
HTTP response: nothing is allocated for a client that is sent away.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from typing import Protocol, TypeAlias

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from turnkit import origins, twiml
from turnkit.agent import Agent
from turnkit.calls import Calls
from turnkit.config import Settings
from turnkit.errors import TransportClosed, TurnkitError, WireError
from turnkit.listeners.base import Listener
from turnkit.no_path import unserved
from turnkit.recognizers.middleware import offer_recognizers
from turnkit.session import converse
from turnkit.transports import client_wire, twilio
from turnkit.transports.base import Transport
from turnkit.transports.peer import Verdict
from turnkit.transports.websocket import WebSocketTransport

log = structlog.get_logger(__name__)

Conversation: TypeAlias = Callable[
    [Agent, Transport, Settings, Sequence[Listener]], Awaitable[None]
]

RETRY_AFTER_S = 5

_STATIC = {
    "app.js": "text/javascript",
    "call.js": "text/javascript",
    "conversation.js": "text/javascript",
    "events.js": "text/javascript",
    "icon.svg": "image/svg+xml",
    "lanes.js": "text/javascript",
    "microphone.js": "text/javascript",
    "player.js": "text/javascript",
    "style.css": "text/css",
}
"""All that is served besides the page. Paths from outside never reach the file system."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def create_app(
    agent: type[Agent], settings: Settings, conversation: Conversation = converse
) -> Starlette:
    """Build the application. Its calls are in `app.state.calls`.

    Args:
        agent: made anew for each call.
        settings: for all calls.
        conversation: what runs a call; only tests need another.
    """
    desk = _Desk(agent, settings, conversation)
    pages = {name: _asset(name, kind) for name, kind in _STATIC.items()}
    app = Starlette(
        routes=[
            Route("/", _asset("index.html", "text/html")),
            *(Route(f"/static/{name}", page) for name, page in pages.items()),
            Route("/healthz", _health),
            Route("/readyz", desk.ready),
            Route("/twiml", desk.twiml, methods=["GET", "POST"]),
            WebSocketRoute("/ws", desk.websocket),
            WebSocketRoute("/twilio", desk.telephone),
            unserved("/ws", "/twilio"),
        ],
        middleware=[Middleware(_SafeHeaders)],
    )
    if settings.source == "local":
        offer_recognizers(app, settings)
    app.state.calls = desk.calls
    return app


class _Call(Transport, Protocol):
    """What the desk needs of a transport besides."""

    @property
    def verdict(self) -> Verdict | None: ...

    async def close(self, failure: str | None = None) -> None: ...


class _Desk:
    """Takes calls in, or turns them away."""

    def __init__(self, agent: type[Agent], settings: Settings, conversation: Conversation) -> None:
        self.calls = Calls(settings.max_calls)
        self._agent = agent
        self._settings = settings
        self._conversation = conversation

    async def ready(self, _request: Request) -> Response:
        """Say whether a call would be taken."""
        if (refusal := self.calls.refusal) is not None:
            return _busy(refusal)
        return JSONResponse({"ready": True, "calls": len(self.calls)})

    async def twiml(self, request: Request) -> Response:
        """Tell Twilio to connect the caller to `/twilio`."""
        if self.calls.refusal is not None:
            return Response(twiml.reject(), media_type="text/xml")
        url = twiml.stream_url(self._settings.public_url, str(request.url))
        return Response(twiml.connect(url), media_type="text/xml")

    async def websocket(self, websocket: WebSocket) -> None:
        """Take the call of a browser or a program."""
        try:
            terms = client_wire.parse_query(websocket.query_params)
        except WireError as exc:
            await _deny(websocket, JSONResponse({"error": str(exc)}, 400))
            return
        if (refused := self._refusal(websocket)) is not None:
            await _deny(websocket, refused)
            return
        call = secrets.token_hex(8)
        with self.calls.admit(call):
            await websocket.accept()
            transport = WebSocketTransport(websocket, terms, call)
            log.info("call.started", call=call, transport="websocket")
            await self._converse(call, transport, [transport])

    async def telephone(self, websocket: WebSocket) -> None:
        """Take the call of a telephone, by way of Twilio."""
        if (refused := self._refusal(websocket)) is not None:
            await _deny(websocket, refused)
            return
        call = secrets.token_hex(8)
        with self.calls.admit(call):
            await websocket.accept()
            try:
                transport = await twilio.answer(websocket)
            except TransportClosed as exc:
                log.info("call.aborted", reason=str(exc))
                return
            log.info("call.started", call=call, transport="twilio", call_sid=transport.call_sid)
            await self._converse(call, transport, [])

    def _refusal(self, websocket: WebSocket) -> Response | None:
        origin = websocket.headers.get("origin")
        host = websocket.headers.get("host", "")
        if origin is not None and not origins.allowed(origin, host, self._settings):
            log.warning("call.refused", reason="origin", origin=origin)
            return JSONResponse({"error": origins.advice(origin)}, 403)
        if (refusal := self.calls.refusal) is not None:
            log.warning("call.refused", reason=refusal)
            return _busy(refusal)
        return None

    async def _converse(self, call: str, transport: _Call, listeners: Sequence[Listener]) -> None:
        failure: str | None = None
        with structlog.contextvars.bound_contextvars(call=call):
            try:
                await self._conversation(self._agent(), transport, self._settings, listeners)
            except TurnkitError as exc:
                failure = str(exc)
                log.error("call.failed", reason=failure)
            except Exception:
                failure = "internal error"
                log.exception("call.failed")
            finally:
                await transport.close(failure)
                verdict = transport.verdict
                log.info(
                    "call.ended",
                    code=verdict.code if verdict else None,
                    reason=verdict.reason if verdict else None,
                )


async def _health(_request: Request) -> Response:
    return JSONResponse({"healthy": True})


def _asset(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    body = files("turnkit").joinpath("web", name).read_bytes()

    async def page(_request: Request) -> Response:
        return Response(body, media_type=kind)

    return page


def _busy(refusal: str) -> Response:
    return JSONResponse({"error": refusal}, 503, {"Retry-After": str(RETRY_AFTER_S)})


async def _deny(websocket: WebSocket, response: Response) -> None:
    """Answer the handshake with an HTTP response, where the server can do that."""
    if "websocket.http.response" in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(response)
    else:
        await websocket.close()


class _SafeHeaders:
    """Puts the security headers on every HTTP response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(k.lower().encode(), v.encode()) for k, v in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, send_safely)
