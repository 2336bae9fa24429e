"""A server of `/v1/auth/grant` on a real socket: it gives numbered tokens, or refuses to.

It remembers how it was asked and when, and how many asked at a time.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import anyio
import uvicorn

PATH = "/v1/auth/grant"

_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class GrantServer:
    """What is known of a running server, and how it answers; change that at any time."""

    url: str = ""
    status: int = 200
    body: bytes | None = None
    """What to answer with; None for a token, or for a reason why not."""
    headers: dict[str, str] = field(default_factory=dict)
    answer_s: float = 0.0
    keys: list[str] = field(default_factory=list)
    """The Authorization header of each request."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    at_once: int = 0
    """How many requests there were at a time, at most."""
    asked: anyio.Event = field(default_factory=anyio.Event)
    """Set by the first request."""
    _now: int = 0

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        message = await receive()
        self.keys.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        self.bodies.append(json.loads(message["body"] or b"{}"))
        self.asked.set()
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        try:
            await anyio.sleep(self.answer_s)
            await self._answer(scope, send)
        finally:
            self._now -= 1

    async def _answer(self, scope: _Scope, send: _Send) -> None:
        asked_right = scope["method"] == "POST" and scope["path"] == PATH
        status = self.status if asked_right else 404
        if status == 200:
            lives_s = self.bodies[-1].get("ttl_seconds", 30)
            said = {"access_token": f"token-{len(self.keys)}", "expires_in": lives_s}
        else:
            said = {"err_code": "FAULT", "err_msg": f"asked for, {self.keys[-1]}"}
        body = json.dumps(said).encode() if self.body is None else self.body
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def grant_server() -> AsyncIterator[GrantServer]:
    """Serve on a free port of this machine for as long as the block runs."""
    granting = GrantServer()
    config = uvicorn.Config(granting, port=0, log_config=None, lifespan="off", ws="none")
    server, socket = uvicorn.Server(config), config.bind_socket()
    granting.url = f"http://127.0.0.1:{socket.getsockname()[1]}{PATH}"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [socket])
        try:
            yield granting
        finally:
            server.should_exit = server.force_exit = True
