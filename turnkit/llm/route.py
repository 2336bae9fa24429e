"""How requests get to a model's server. Decided once for each account, by this rule:

- where the environment names a proxy: through the HTTP client of the official SDK, which knows how;
- to `http://`: by `pool`, the short way;
- to `https://`: over HTTP/2 if the server agrees to that (`http2`), and by `pool` if it does not,
  which its first answer shows.

On all of them redirects are not followed, and no compression is asked for. There is one route for
all calls of a process, so that a reply does not wait for a TLS handshake.
"""

import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Protocol

import anyio.lowlevel
import httpcore2
import httpx2
import openai

from turnkit.errors import ConfigError, ModelError
from turnkit.llm import http2
from turnkit.llm.http1 import CONNECT_S, Origin
from turnkit.llm.pool import IDLE_S, MOST, Pool

_PATH = "/chat/completions"
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "text/event-stream",
    "Accept-Encoding": "identity",  # compressing a stream holds its words back
}
_PATIENCE = {"connect": CONNECT_S, "read": None, "write": None, "pool": None}  # agents have theirs
_PORTS = {"http": 80, "https": 443}

_routes: anyio.lowlevel.RunVar[dict[tuple[str | None, str | None], "Route"]]
_routes = anyio.lowlevel.RunVar(f"{__name__}.routes")


class Answer(Protocol):
    """An answer that has begun."""

    @property
    def status_code(self) -> int:
        """HTTP's."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By their names in small letters."""

    @property
    def ended(self) -> bool:
        """Whether all of it has come."""

    async def read(self) -> bytes:
        """Wait for more of the body; none is its end. Raises ModelError."""

    async def aclose(self) -> None:
        """Want no more of it: what has not come will not."""


class Route(Protocol):
    """A way to one account's server."""

    async def send(self, body: bytes) -> Answer:
        """Send a request; return the answer once it has begun. Raises ModelError."""

    async def aclose(self) -> None:
        """Close its connections."""


def route(api_key: str | None, base_url: str | None) -> Route:
    """Return this process's one route for this account. Raises ConfigError."""
    routes = _routes.get({})
    if (api_key, base_url) not in routes:
        routes[api_key, base_url] = _new_route(api_key, base_url)
        _routes.set(routes)
    return routes[api_key, base_url]


async def close() -> None:
    """Close the connections of this process. For the end of a server, and of a test."""
    for one in _routes.get({}).values():
        await one.aclose()
    _routes.set({})


def _new_route(api_key: str | None, base_url: str | None) -> Route:
    client = openai.AsyncOpenAI(api_key=api_key or "none", base_url=base_url)
    url = httpx2.URL(f"{str(client.base_url).rstrip('/')}{_PATH}")
    headers = _headers({**client.default_headers, **client.auth_headers}, url)
    if urllib.request.getproxies():
        return _ByClient(url, headers)
    if url.scheme == "https" and http2.is_possible():
        return _OverHttp2(url, headers)
    return _ByPool(url, headers)


def _headers(given: Mapping[str, object], url: httpx2.URL) -> dict[str, str]:
    """Return what every request has, without the SDK's own statistics, which cost on their way."""
    kept = {
        name: value
        for name, value in given.items()
        if isinstance(value, str) and not name.lower().startswith("x-stainless")
    }
    headers = {"Host": url.netloc.decode(), **kept, **_HEADERS}
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ConfigError(
                f"the header {name} for the model's server has characters that none may have; "
                "copy OPENAI_API_KEY and the like again"
            )
    return headers


class _ByPool:
    """HTTP/1.1, the short way."""

    def __init__(self, url: httpx2.URL, headers: Mapping[str, str]) -> None:
        tls = None
        if url.scheme == "https":
            tls = httpx2.create_ssl_context()
            tls.set_alpn_protocols(["http/1.1"])
        host = url.raw_host.decode().strip("[]")
        self._pool = Pool(Origin(host, url.port or _PORTS[url.scheme], tls))
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        line = f"POST {url.raw_path.decode()} HTTP/1.1\r\n"
        self._head = f"{line}{''.join(lines)}Content-Length: ".encode()

    async def send(self, body: bytes) -> Answer:
        return await self._pool.ask(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _OverHttp2:
    """HTTP/2; the short way once the server has shown that it has no HTTP/2."""

    def __init__(self, url: httpx2.URL, headers: Mapping[str, str]) -> None:
        self._pool = http2.Pool(
            ssl_context=httpx2.create_ssl_context(),
            max_connections=MOST,
            max_keepalive_connections=MOST,
            keepalive_expiry=IDLE_S,
            http2=True,
        )
        self._where = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._short_way = partial(_ByPool, url, headers)
        self._instead: _ByPool | None = None

    async def send(self, body: bytes) -> Answer:
        if self._instead is not None:
            return await self._instead.send(body)
        length = (b"Content-Length", b"%d" % len(body))
        request = httpcore2.Request(
            b"POST",
            self._where,
            headers=[*self._headers, length],
            content=body,
            extensions={"timeout": _PATIENCE},
        )
        try:
            answer = await self._pool.handle_async_request(request)
        except http2.ERRORS as exc:
            raise _unreachable(exc) from exc
        if answer.extensions["http_version"] != b"HTTP/2" and self._instead is None:
            self._instead = self._short_way()
        headers = httpx2.Headers(answer.headers)
        return _Streamed(answer.status, headers, answer.aiter_stream(), answer.aclose)

    async def aclose(self) -> None:
        await self._pool.aclose()
        if self._instead is not None:
            await self._instead.aclose()


class _ByClient:
    """Whatever the SDK's HTTP client can do."""

    def __init__(self, url: httpx2.URL, headers: Mapping[str, str]) -> None:
        limits = httpx2.Limits(
            max_connections=MOST, max_keepalive_connections=MOST, keepalive_expiry=IDLE_S
        )
        self._http = openai.DefaultAsyncHttpxClient(limits=limits, follow_redirects=False)
        self._url = url
        self._headers = dict(headers)

    async def send(self, body: bytes) -> Answer:
        request = httpx2.Request(
            "POST",
            self._url,
            headers=self._headers,
            content=body,
            extensions={"timeout": _PATIENCE},
        )
        try:
            answer = await self._http.send(request, stream=True)
        except httpx2.HTTPError as exc:
            raise _unreachable(exc) from exc
        return _Streamed(answer.status_code, answer.headers, answer.aiter_raw(), answer.aclose)

    async def aclose(self) -> None:
        await self._http.aclose()


class _Streamed:
    """An answer of httpx's or httpcore's."""

    def __init__(
        self,
        status_code: int,
        headers: Mapping[str, str],
        pieces: AsyncIterator[bytes],
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.ended = False
        self._pieces = pieces
        self._close = close

    async def read(self) -> bytes:
        try:
            async for piece in self._pieces:
                return piece
        except (*http2.ERRORS, httpx2.HTTPError) as exc:
            raise ModelError(f"the model's server was lost: {type(exc).__name__}") from exc
        self.ended = True
        return b""

    async def aclose(self) -> None:
        await self._close()


def _unreachable(exc: Exception) -> ModelError:
    return ModelError(f"the model's server cannot be reached: {type(exc).__name__}")
