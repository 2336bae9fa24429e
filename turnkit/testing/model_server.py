"""A server that speaks OpenAI's wire on a real socket, for tests and measurements without a key.

It answers with what it is given, piece by piece, remembers what it was asked, and knows who hung
up, when, and on how many connections they came. An ASGI application: `serving` runs it on HTTP/1.1,
and any server that can do more on HTTP/2.
"""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any, TypeAlias

import anyio
import uvicorn

from turnkit.llm.scripted import Cut, Pause

Json: TypeAlias = dict[str, Any]
Piece: TypeAlias = Json | str | Pause | Cut
"""An event's JSON, bytes as they are to be sent, silence, or a connection that breaks."""

_Scope: TypeAlias = MutableMapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

DONE = "data: [DONE]\n\n"


def chunk(delta: Json | None = None, finish: str | None = None, **more: object) -> Json:
    """Return one event of an answer, as OpenAI writes it."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    kind = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return {**kind, "choices": [choice], **more}


def spoken(
    *tokens: str, first_token_s: float = 0.0, token_s: float = 0.0
) -> list[Json | str | Pause | Cut]:
    """Return an answer of these words, at this pace."""
    pieces: list[Piece] = [chunk({"role": "assistant", "content": ""}), Pause(first_token_s)]
    for token in tokens:
        pieces += [chunk({"content": token}), Pause(token_s)]
    usage = {"prompt_tokens": 42, "completion_tokens": len(tokens)}
    return [*pieces[:-1], chunk(finish="stop"), chunk(choices=[], usage=usage), DONE]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    body: Json
    key: str
    connection: tuple[str, int]
    at: float


class ModelServer:
    """Give every request the same answer; change it at any time."""

    def __init__(self, answer: Sequence[Piece] = ()) -> None:
        self.answer: Sequence[Piece] = answer or spoken("Hello ", "there.")
        self.status = 200
        self.headers: Mapping[str, str] = {"content-type": "text/event-stream"}
        self.before_headers_s = 0.0
        self.url = ""
        self.asked: list[Asked] = []
        self.closed_at: list[float] = []
        """When the other side hung up in mid-answer."""

    @property
    def connections(self) -> int:
        """How many connections the requests came on."""
        return len({asked.connection for asked in self.asked})

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str, None]:
        """Listen on a free port of this machine for as long as the block runs; give its URL."""
        config = uvicorn.Config(self, port=0, log_config=None, lifespan="off")
        server, socket = uvicorn.Server(config), config.bind_socket()
        # asyncio forgets it for such a socket, and tokens would come in lumps of 40 ms.
        socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}/v1"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [socket])
            yield self.url
            server.should_exit = server.force_exit = True

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """Answer one request, until it is said or the other side hangs up."""
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        key = dict(scope["headers"]).get(b"authorization", b"").decode()
        request = json.loads(body + message["body"])
        self.asked.append(Asked(request, key, tuple(scope["client"]), anyio.current_time()))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            await self._answer(send)
            tasks.cancel_scope.cancel()

    async def _watch(self, receive: _Receive, answer: anyio.CancelScope) -> None:
        await receive()
        self.closed_at.append(anyio.current_time())
        answer.cancel()

    async def _answer(self, send: _Send) -> None:
        await anyio.sleep(self.before_headers_s)
        headers = [(name.encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        for piece in self.answer:
            match piece:
                case Pause(seconds):
                    await anyio.sleep(seconds)
                case Cut():
                    raise ConnectionResetError("scripted")
                case str() as text:
                    await send(_part(text))
                case event:
                    await send(_part(f"data: {json.dumps(event)}\n\n"))
        await send({"type": "http.response.body", "body": b""})


def _part(text: str) -> MutableMapping[str, Any]:
    return {"type": "http.response.body", "body": text.encode(), "more_body": True}
