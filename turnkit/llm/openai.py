"""Any OpenAI-compatible endpoint, through the official SDK.

`llm=openai` or `llm=openai:MODEL`, such as `openai:gpt-4o-mini` or `openai:llama3.1:8b`; an extra.
OPENAI_API_KEY is the key, OPENAI_BASE_URL a server other than OpenAI's, OPENAI_MODEL the default
model.

The SDK sends the requests and knows the errors; their bodies and the answers go past it as bytes,
because its own way costs 24 ms of one core for turn 100, and 60 us for each token instead of 3 (see
`openai_wire`). There is one pool of connections for all calls of a process, so that a reply does
not wait for a TLS handshake. A cancelled answer closes its stream at once: over HTTP/2 the stream
is reset and the connection stays, over HTTP/1.1 the connection goes.
"""

import urllib.request
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import msgspec
import structlog

from turnkit.config import Settings
from turnkit.errors import ConfigError, ModelError
from turnkit.llm.base import Delta, Item, Model, ToolSpec
from turnkit.llm.openai_wire import RequestWriter, StreamReader, failure

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from openai import APIStatusError, AsyncOpenAI, AsyncStream

log = structlog.get_logger(__name__)

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
_NOT_A_STREAM = ("text/html", "application/json")

_clients: anyio.lowlevel.RunVar[dict[tuple[str | None, str | None], "AsyncOpenAI"]]
_clients = anyio.lowlevel.RunVar(f"{__name__}.clients")


def create(argument: str | None, settings: Settings) -> Model:
    """Return the model named `argument`, or the settings' own. Raises ConfigError."""
    try:
        import openai  # noqa: F401, PLC0415  # an extra, and a third of a second to import

        from turnkit.llm import http2  # noqa: F401, PLC0415  # so that no reply waits for it
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


async def close() -> None:
    """Close the connections of this process. For the end of a server, and of a test."""
    for client in _clients.get({}).values():
        await client.close()
    _clients.set({})


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
        import httpx2  # noqa: PLC0415  # the SDK brings it

        reader = StreamReader()
        try:
            async with await self._ask(messages, tools) as stream:
                _check_kind(stream)
                async with aclosing(stream.response.aiter_bytes()) as pieces:
                    while not reader.done and (piece := await _next(pieces, reader)):
                        for delta in reader.feed(piece):
                            yield delta
                    with anyio.move_on_after(_TAIL_S):
                        async for _ in pieces:
                            pass
        except httpx2.HTTPError as exc:
            raise ModelError(f"the model's server was lost: {type(exc).__name__}") from exc
        for delta in reader.finish():
            yield delta

    async def _ask(
        self, messages: Sequence[Item], tools: Sequence[ToolSpec]
    ) -> "AsyncStream[object]":
        """Send the request; return the answer once it has begun."""
        import openai  # noqa: PLC0415  # an extra

        body = self._writer.write(messages, tools, with_usage=self._with_usage)
        try:
            return await _client(*self._account).post(
                _PATH,
                content=body,
                cast_to=object,
                stream=True,
                stream_cls=openai.AsyncStream[object],
                options={"headers": _HEADERS},
            )
        except openai.APIStatusError as exc:
            if self._with_usage and exc.status_code in {400, 422} and "stream_options" in str(exc):
                self._with_usage = False  # an older server, which knows no such field
                return await self._ask(messages, tools)
            log.debug("model.refused", pii_answer=str(exc))
            raise _failure(exc) from None  # its text may quote the conversation
        except openai.APIConnectionError as exc:
            cause = type(exc.__cause__ or exc).__name__
            raise ModelError(f"the model's server cannot be reached: {cause}") from exc


def _client(api_key: str | None, base_url: str | None) -> "AsyncOpenAI":
    """Return the one client of this process for this account."""
    import openai  # noqa: PLC0415  # an extra

    clients = _clients.get({})
    if (api_key, base_url) not in clients:
        clients[api_key, base_url] = openai.AsyncOpenAI(
            api_key=api_key or "none",
            base_url=base_url,
            max_retries=0,  # a retry inside the SDK would be silence nobody accounts for
            timeout=openai.Timeout(None, connect=_CONNECT_S),  # the agent has its own patience
            http_client=_http_client(),
        )
        _clients.set(clients)
    return clients[api_key, base_url]


def _http_client() -> "AsyncClient":
    import httpx2  # noqa: PLC0415  # the SDK brings it
    import openai  # noqa: PLC0415  # an extra

    limits = httpx2.Limits(
        max_connections=_CONNECTIONS,
        max_keepalive_connections=_CONNECTIONS,
        keepalive_expiry=_IDLE_S,
    )
    transport = None
    if not urllib.request.getproxies():  # a transport of our own would go past the proxy
        from turnkit.llm import http2  # noqa: PLC0415  # needs what the SDK brings

        transport = http2.transport(limits)
    return openai.DefaultAsyncHttpxClient(transport=transport, limits=limits)


async def _next(pieces: AsyncIterator[bytes], reader: StreamReader) -> bytes:
    """Return the next bytes, or none at the end; an answer that is complete is not waited for."""
    with anyio.move_on_after(_USAGE_S if reader.finish_reason else None):
        return await anext(pieces, b"")
    return b""


def _check_kind(stream: "AsyncStream[object]") -> None:
    kind = stream.response.headers.get("content-type", "")
    if kind.startswith(_NOT_A_STREAM):
        raise ModelError(
            f"the model's server answered with {kind.partition(';')[0]} instead of a stream; "
            "does OPENAI_BASE_URL end as it should, in /v1?",
            "nonsense",
        )


def _failure(exc: "APIStatusError") -> ModelError:
    try:
        retry_after_s = float(exc.response.headers.get("retry-after", ""))
    except ValueError:  # absent, or a date
        retry_after_s = None
    return failure(
        exc.status_code,
        msgspec.json.encode(exc.body),
        retry_after_s=retry_after_s,
        request=exc.request_id or "",
    )
