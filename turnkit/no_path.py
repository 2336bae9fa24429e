"""What a WebSocket is told that knocks where nothing is served: 404, and what is served where.

Starlette itself closes it, which servers answer with HTTP 403, as if a key were missing.
"""

import structlog
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

log = structlog.get_logger(__name__)

_SHOWN_CHARS = 64  # of a client's own words in an answer


def unserved(*paths: str) -> WebSocketRoute:
    """Return the last of an application's routes.

    Args:
        paths: where WebSockets are served.
    """
    known = " or ".join(paths)

    async def refuse(websocket: WebSocket) -> None:
        path = ascii(websocket.url.path[:_SHOWN_CHARS])
        description = f"nothing is served at {path}; connect to {known}"
        log.info("path.unknown", path=path)
        if "websocket.http.response" not in websocket.scope.get("extensions", {}):
            await websocket.close()
            return
        body = {"code": "NOT_FOUND", "description": description}
        await websocket.send_denial_response(JSONResponse(body, 404, {"dg-error": description}))

    return WebSocketRoute("/{path:path}", refuse)
