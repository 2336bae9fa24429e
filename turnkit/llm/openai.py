"""Any OpenAI-compatible endpoint, through the official SDK.

`llm=openai` or `llm=openai:MODEL`, such as `openai:gpt-4o-mini` or `openai:llama3.1:8b`; an extra.
OPENAI_API_KEY is the key, OPENAI_BASE_URL a server other than OpenAI's, OPENAI_MODEL the default
model.

The SDK makes the client: its address, its headers, its pool of connections. Requests are sent over
its HTTP client as bytes and answers read as bytes, because its own way costs 0.5 ms more for each
request, 24 ms of one core for turn 100, and 60 us for each token instead of 3 (see `openai_wire`).
There is one pool of connections for all calls of a process, so that a reply does
not wait for a TLS handshake. A cancelled answer closes its stream at once: over HTTP/2 the stream
is reset and the connection stays, over HTTP/1.1 the connection goes.
"""

import urllib.request
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.lowlevel
import msgspec
import structlog

from turnkit.config import Settings
from turnkit.errors import ConfigError, ModelError
from turnkit.llm.base import Delta, Item, Model, ToolSpec
from turnkit.llm.openai_wire import RequestWriter, StreamReader, failure

if TYPE_CHECKING:
    from httpx2 import URL, AsyncClient

    from turnkit.llm.pool import Transport

log = structlog.get_logger(__name__)


class _Error(msgspec.Struct):
    error: msgspec.Raw


_read_error = msgspec.json.Decoder(_Error).decode

_CONNECT_S = 5.0
_TAIL_S = 0.05
"""How long a finished answer may take to its last byte, which keeps an HTTP/1.1 connection."""
_USAGE_S = 0.5
"""How long after its last word an answer may take to say what it cost."""
_IDLE_S = 120.0
"""How long an unused connection is kept. Users pause for longer than the SDK's 5 s."""
_CONNECTIONS = 1000
_PATH = "/chat/completions"
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",  # compressing a stream holds its words back
}
_PROBLEM_S = 2.0
_PROBLEM_BYTES = 64 * 1024
"""How long an error may take to tell, and how much of it is read."""
_NOT_A_STREAM = ("text/html", "application/json")

_lines: anyio.lowlevel.RunVar[dict[tuple[str | None, str | None], "_Line"]]
_lines = anyio.lowlevel.RunVar(f"{__name__}.lines")


def create(argument: str | None, settings: Settings) -> Model:
    """Return the model named `argument`, or the settings' own. Raises ConfigError."""
    try:
        import openai  # noqa: F401, PLC0415  # an extra, and a third of a second to import

        from turnkit.llm import pool  # noqa: F401, PLC0415  # so that no reply waits for it
    except ImportError as exc:
        raise ConfigError(
            "llm openai needs a package: install it with `pip install 'turnkit[openai]'`"
        ) from exc
    key, base_url = settings.openai_api_key, settings.openai_base_url
    if key is None and base_url is None:
        raise ConfigError(
            "llm openai needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for your own server"
        )
    if base_url is not None and not base_url.startswith(("http://", "https://")):
        raise ConfigError(f"OPENAI_BASE_URL must begin with http:// or https://, not {base_url!r}")
    return OpenAIModel(
        argument or settings.openai_model,
        api_key=None if key is None else key.get_secret_value(),
        base_url=base_url,
    )


class _Answer(Protocol):
    """An answer that has begun: httpx2's `Response`, or what stands for one."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def aiter_raw(self) -> AsyncIterator[bytes]: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class _Line:
    """The way to one account's server, worked out once."""

    http: "AsyncClient"
    send: Callable[[bytes], Awaitable[_Answer]]
    """Sends a body; returns when the answer begins."""
    errors: tuple[type[Exception], ...]
    """What sending and reading may raise."""


async def close() -> None:
    """Close the connections of this process. For the end of a server, and of a test."""
    for line in _lines.get({}).values():
        await line.http.aclose()
    _lines.set({})


class OpenAIModel:
    """One model, for one conversation.

    Args:
        model: its name.
        api_key: None for a server that asks for none.
        base_url: None for OpenAI's own.
        options: more fields of the request, such as `{"temperature": 0.3}`.
    """

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._account = api_key, base_url
        self._writer = RequestWriter(model, options or {})
        self._with_usage = True

    async def stream(
        self, messages: Sequence[Item], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer as it comes."""
        reader = StreamReader()
        line = _line(*self._account)
        try:
            async with aclosing(await self._ask(line, messages, tools)) as answer:
                _check_kind(answer)
                pieces = answer.aiter_raw()
                while not reader.done and (piece := await _next(pieces, reader)):
                    for delta in reader.feed(piece):
                        yield delta
                with anyio.move_on_after(_TAIL_S):
                    async for _ in pieces:
                        pass
        except line.errors as exc:
            raise ModelError(f"the model's server was lost: {type(exc).__name__}") from exc
        for delta in reader.finish():
            yield delta

    async def _ask(
        self, line: "_Line", messages: Sequence[Item], tools: Sequence[ToolSpec]
    ) -> _Answer:
        """Send the request; return the answer once it has begun."""
        body = self._writer.write(messages, tools, with_usage=self._with_usage)
        try:
            answer = await line.send(body)
        except line.errors as exc:
            cause = type(exc).__name__
            raise ModelError(f"the model's server cannot be reached: {cause}") from exc
        if 200 <= answer.status_code < 300:
            return answer
        async with aclosing(answer):
            said = await _read_problem(answer)
        if self._with_usage and answer.status_code in {400, 422} and b"stream_options" in said:
            self._with_usage = False  # an older server, which knows no such field
            return await self._ask(line, messages, tools)
        log.debug("model.refused", pii_answer=said.decode(errors="replace"))
        raise _failure(answer, said)


def _line(api_key: str | None, base_url: str | None) -> _Line:
    """Return this process's one line for this account."""
    lines = _lines.get({})
    if (api_key, base_url) not in lines:
        lines[api_key, base_url] = _new_line(api_key, base_url)
        _lines.set(lines)
    return lines[api_key, base_url]


def _new_line(api_key: str | None, base_url: str | None) -> _Line:
    import httpx2  # noqa: PLC0415  # the SDK brings it
    import openai  # noqa: PLC0415  # an extra

    from turnkit.llm import pool  # noqa: PLC0415  # needs what the SDK brings

    limits = httpx2.Limits(
        max_connections=_CONNECTIONS,
        max_keepalive_connections=_CONNECTIONS,
        keepalive_expiry=_IDLE_S,
    )
    # A transport of our own would go past a proxy.
    transport = None if urllib.request.getproxies() else pool.transport(limits)
    http = openai.DefaultAsyncHttpxClient(transport=transport, limits=limits)
    client = openai.AsyncOpenAI(api_key=api_key or "none", base_url=base_url, http_client=http)
    url = httpx2.URL(f"{str(client.base_url).rstrip('/')}{_PATH}")
    headers = _headers({**client.default_headers, **client.auth_headers}, url)
    if transport is None:
        return _Line(http, partial(_send_by_client, http, url, headers), (httpx2.HTTPError,))
    return _Line(http, _past_the_client(transport, url, headers), pool.ERRORS)


def _headers(given: Mapping[str, object], url: "URL") -> dict[str, str]:
    """Return what every request has, without the SDK's own statistics, which cost on their way."""
    kept = {
        name: value
        for name, value in given.items()
        if isinstance(value, str) and not name.lower().startswith("x-stainless")
    }
    return {**kept, **_HEADERS, "Host": url.netloc.decode()}


def _timeout() -> dict[str, float | None]:
    patience_s = {"read": None, "write": None, "pool": None}  # the agent has its own
    return {**patience_s, "connect": _CONNECT_S}


async def _send_by_client(
    http: "AsyncClient", url: "URL", headers: Mapping[str, str], body: bytes
) -> _Answer:
    import httpx2  # noqa: PLC0415  # the SDK brings it

    extensions = {"timeout": _timeout()}
    request = httpx2.Request("POST", url, headers=headers, content=body, extensions=extensions)
    return await http.send(request, stream=True)


def _past_the_client(
    transport: "Transport", url: "URL", headers: Mapping[str, str]
) -> Callable[[bytes], Awaitable[_Answer]]:
    """Return what sends a body with all else prepared: no proxy, no redirect, nothing to add."""
    import httpcore2  # noqa: PLC0415  # the SDK brings it

    where = httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )
    fixed = [(name.encode(), value.encode()) for name, value in headers.items()]
    extensions = {"timeout": _timeout()}

    async def send(body: bytes) -> _Answer:
        length = (b"Content-Length", b"%d" % len(body))
        return await transport.ask(
            httpcore2.Request(
                b"POST", where, headers=[*fixed, length], content=body, extensions=extensions
            )
        )

    return send


async def _next(pieces: AsyncIterator[bytes], reader: StreamReader) -> bytes:
    """Return the next bytes, or none at the end; an answer that is complete is not waited for."""
    if not reader.finish_reason:
        return await anext(pieces, b"")
    with anyio.move_on_after(_USAGE_S):
        return await anext(pieces, b"")
    return b""


def _check_kind(answer: _Answer) -> None:
    kind = answer.headers.get("content-type", "")
    if kind.startswith(_NOT_A_STREAM):
        raise ModelError(
            f"the model's server answered with {kind.partition(';')[0]} instead of a stream; "
            "does OPENAI_BASE_URL end as it should, in /v1?",
            "nonsense",
        )


async def _read_problem(answer: _Answer) -> bytes:
    """Return what the server says of the error, as far as it is of any use."""
    said = b""
    with anyio.move_on_after(_PROBLEM_S):
        async for piece in answer.aiter_raw():
            said += piece
            if len(said) > _PROBLEM_BYTES:
                break
    try:
        return bytes(_read_error(said).error)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return said


def _failure(answer: _Answer, said: bytes) -> ModelError:
    try:
        retry_after_s = float(answer.headers.get("retry-after", ""))
    except ValueError:  # absent, or a date
        retry_after_s = None
    return failure(
        answer.status_code,
        said,
        retry_after_s=retry_after_s,
        request=answer.headers.get("x-request-id", ""),
    )
