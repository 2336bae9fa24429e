"""The relay's way to the model: streaming chat completions on a kept HTTP/1.1 connection.

A cancelled answer costs its connection; the next one is opened at once, ahead of need.
"""

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import httptools
import msgspec

_BUDGET_BYTES = 64 * 1024
"""Of the conversation; what is older is forgotten."""


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta


class _Chunk(msgspec.Struct):
    choices: list[_Choice]


_chunk = msgspec.json.Decoder(_Chunk).decode


class Model:
    """One conversation."""

    def __init__(self, url: str, say: Callable[[str], None], done: Callable[[], None]) -> None:
        self._url = urlsplit(url)
        self._say = say
        self._done = done
        self._history = bytearray()
        self._connection: _Connection | None = None
        self._unsent = b""
        self._said = b""
        self._answer: list[str] = []
        self._opening: asyncio.Task[None] | None = None

    def connect(self) -> None:
        """Open a connection, ahead of need."""
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def ask(self, transcript: str) -> None:
        """Ask for an answer to these words."""
        said = b',{"role":"user","content":' + msgspec.json.encode(transcript) + b"}"
        self._said = said
        body = (
            b'{"model":"bench","stream":true,"messages":[{"role":"system",'
            b'"content":"You are on the telephone."}' + bytes(self._history) + said + b"]}"
        )
        request = (
            b"POST %b/chat/completions HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b"
        ) % (self._url.path.encode(), self._url.netloc.encode(), len(body), body)
        if self._connection is None:
            self._unsent = request
        else:
            self._connection.transport.write(request)

    def cancel(self) -> None:
        """Stop the answer."""
        self._unsent = b""
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None
            self.connect()

    def settle(self, *, heard: bool) -> None:
        """Remember the last exchange, or forget it."""
        if heard:
            answer = msgspec.json.encode("".join(self._answer))
            self._history += self._said + b',{"role":"assistant","content":' + answer + b"}"
        if len(self._history) > _BUDGET_BYTES:
            self._history.clear()
        self._said, self._answer = b"", []

    def close(self) -> None:
        """End."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.transport.abort()

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: _Connection(self._hear), self._url.hostname or "", self._url.port or 80
        )
        self._connection = connection
        if self._unsent:
            connection.transport.write(self._unsent)
            self._unsent = b""

    def _hear(self, connection: "_Connection", data: bytes) -> None:
        if connection is not self._connection:
            return  # of an answer that was cancelled
        if data == b"[DONE]":
            self._done()
            return
        for choice in _chunk(data).choices:
            if choice.delta.content:
                self._answer.append(choice.delta.content)
                self._say(choice.delta.content)


class _Connection(asyncio.Protocol):
    """One HTTP connection; hands on the data of server-sent events."""

    def __init__(self, hear: Callable[["_Connection", bytes], None]) -> None:
        self._hear = hear
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self.transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Take in a piece of the answer."""
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            if event.startswith(b"data: "):
                self._hear(self, event[6:])
