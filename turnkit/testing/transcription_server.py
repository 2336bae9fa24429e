"""A server of `POST /v1/audio/transcriptions` on a real socket, for tests without a key.

It reads the form as any server would, remembers it, and answers in the format asked for, or as it
was told to. Reading forms needs `python-multipart`.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

KEY = "sk-aig-test"
PATH = "/v1/audio/transcriptions"

_SUBTITLES = {
    "srt": "1\n00:00:00,000 --> 00:00:01,820\n{text}\n",
    "vtt": "WEBVTT\n\n00:00:00.000 --> 00:00:01.820\n{text}\n",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its form without the file, and the file."""

    form: dict[str, str]
    filename: str
    content_type: str
    content: bytes
    key: str
    at: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error, in the gateway's shape."""

    status: int
    kind: str
    message: str = "asked for"
    headers: Mapping[str, str] = field(default_factory=dict)


class TranscriptionServer:
    """Gives the refusals it was told to, one a request, and then the text."""

    def __init__(self, *refusals: Refusal, text: str = "Hello from AIgateway.") -> None:
        self.text = text
        self.body: str | None = None
        """What is answered instead, whatever was asked for."""
        self.before_answer_s = 0.0
        self.asked: list[Asked] = []
        self.url = ""
        self._refusals = list(refusals)

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[str, None]:
        """Listen on a free port of this machine for as long as the block runs; give its URL."""
        app = Starlette(routes=[Route(PATH, self._answer, methods=["POST"])])
        config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
        server, socket = uvicorn.Server(config), config.bind_socket()
        self.url = f"http://127.0.0.1:{socket.getsockname()[1]}/v1"
        with socket:
            socket.listen()  # whoever comes before the server has started waits
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, [socket])
                try:
                    yield self.url
                finally:
                    server.should_exit = server.force_exit = True

    async def _answer(self, request: Request) -> Response:
        async with request.form() as form:
            file = form["file"]
            assert isinstance(file, UploadFile)
            asked = Asked(
                form={name: value for name, value in form.items() if isinstance(value, str)},
                filename=file.filename or "",
                content_type=file.content_type or "",
                content=await file.read(),
                key=request.headers.get("authorization", ""),
                at=anyio.current_time(),
            )
        self.asked.append(asked)
        if self._refusals:
            return _refused(self._refusals.pop(0))
        if asked.key != f"Bearer {KEY}":
            return _refused(Refusal(401, "authentication_error", f"no such key: {asked.key}"))
        await anyio.sleep(self.before_answer_s)
        if self.body is not None:
            return PlainTextResponse(self.body)
        return self._in_format(asked.form.get("response_format", "json"))

    def _in_format(self, name: str) -> Response:
        if name in _SUBTITLES:
            return PlainTextResponse(_SUBTITLES[name].format(text=self.text))
        if name == "text":
            return PlainTextResponse(f"{self.text}\n")
        said: dict[str, object] = {"text": self.text, "language": "en", "duration": 1.82}
        if name == "verbose_json":
            said["segments"] = [{"id": 0, "start": 0.0, "end": 1.82, "text": self.text}]
        return Response(json.dumps(said), media_type="application/json")


def _refused(refusal: Refusal) -> Response:
    error = {"error": {"type": refusal.kind, "message": refusal.message}}
    return Response(
        json.dumps(error),
        status_code=refusal.status,
        media_type="application/json",
        headers=dict(refusal.headers),
    )
