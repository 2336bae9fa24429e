"""An OpenAI-compatible model with a set pace: `/v1/chat/completions`, streaming.

What an answer is, and when its tokens are due, is in `Answer`; how it goes over HTTP/1.1 is here,
and over HTTP/2 in `fake_model_http2`.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import httptools
import msgspec

from benchmarks.load import codes
from benchmarks.load.journal import Journal
from benchmarks.load.plan import Pace

PATH_END = b"/chat/completions"
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n"
)
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
_CHUNK = (
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1763600000,"model":"bench",'
    '"choices":['
)

Write = Callable[[bytes, bool], None]
"""Takes a piece of the body, and whether it is the last."""


class _Message(msgspec.Struct):
    role: str
    content: str | list[dict[str, str]] | None = None


class _Options(msgspec.Struct):
    include_usage: bool = False


class _Request(msgspec.Struct):
    messages: list[_Message]
    stream_options: _Options | None = None


_request = msgspec.json.Decoder(_Request).decode


class Answer:
    """One answer on its way: tokens by the clock, until it is said or nobody listens."""

    def __init__(self, pace: Pace, journal: Journal, link: int, body: bytes, write: Write) -> None:
        self._journal = journal
        self._link = link
        self._write = write
        request = _request(body)
        text = next(m.content for m in reversed(request.messages) if m.role == "user")
        self._call, self._turn, mode = codes.asked(str(text)) or (-1, -1, "brisk")
        self._note("model.asked", mode)
        slow = mode == "slow"
        count = pace.slow_sentences if slow else pace.sentences
        sentences = codes.answer(self._call, self._turn, mode, pace.mark, count)
        self._tokens = iter([token for sentence in sentences for token in sentence])
        self._said, self._first = 0, len(sentences[0])
        self._token_s = pace.slow_token_s if slow else pace.token_s
        self._usage = request.stream_options is not None
        write(_event('{"index":0,"delta":{"role":"assistant","content":""}}'), False)  # noqa: FBT003
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + pace.first_token_s
        self._timer: asyncio.TimerHandle | None = self._loop.call_at(self._due, self._say)

    def cut(self) -> None:
        """Be left by who asked; that is noted if there was something left to say."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._note("model.cut")

    def _say(self) -> None:
        if (token := next(self._tokens, None)) is None:
            self._timer = None
            self._write(self._end(), True)  # noqa: FBT003
            self._note("model.done")
            return
        self._said += 1
        if self._said == 1:
            self._note("model.first")
        if self._said == self._first:
            self._note("model.sentence")
        self._write(_event(f'{{"index":0,"delta":{{"content":"{token}"}}}}'), False)  # noqa: FBT003
        self._due += self._token_s
        self._timer = self._loop.call_at(self._due, self._say)

    def _end(self) -> bytes:
        end = _event('{"index":0,"delta":{},"finish_reason":"stop"}')
        if self._usage:
            total = 42 + self._said
            usage = f'"prompt_tokens":42,"completion_tokens":{self._said},"total_tokens":{total}'
            end += f'data: {_CHUNK}],"usage":{{{usage}}}}}\n\n'.encode()
        return end + b"data: [DONE]\n\n"

    def _note(self, kind: str, note: str = "") -> None:
        self._journal.note(kind, self._link, self._call, self._turn, note)


class ModelConnection(asyncio.Protocol):
    """One connection of HTTP/1.1, which has one request at a time."""

    def __init__(self, pace: Pace, journal: Journal) -> None:
        self._pace = pace
        self._journal = journal
        self._body: list[bytes] = []
        self._path = b""
        self._answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._link = self._journal.open("model")
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Stop."""
        if self._answer is not None:
            self._answer.cut()
        self._journal.note("model.gone", self._link)

    # What the parser reports.

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._body, self._path = [], b""

    def on_url(self, url: bytes) -> None:
        """Take in the path, or a piece of it."""
        self._path += url

    def on_body(self, body: bytes) -> None:
        """Take in a piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Answer."""
        if not self._path.endswith(PATH_END):
            self._transport.write(_NOT_FOUND)
            return
        self._head = _HEAD  # goes along with the first piece
        body = b"".join(self._body)
        self._answer = Answer(self._pace, self._journal, self._link, body, self._write)

    def _write(self, data: bytes, last: bool) -> None:  # noqa: FBT001  # a callback
        end = b"\r\n0\r\n\r\n" if last else b"\r\n"
        self._transport.write(b"%b%x\r\n%b%b" % (self._head, len(data), data, end))
        self._head = b""


def _event(choice: str) -> bytes:
    return f"data: {_CHUNK}{choice}]}}\n\n".encode()
