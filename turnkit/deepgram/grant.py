"""Short-lived tokens in place of the key: got from `/v1/auth/grant`, kept, and got anew in time.

Deepgram looks at a credential in the handshake only, so a token has to live until a connection is
open and no longer (developers.deepgram.com/reference/auth/tokens/grant).
"""

import ssl
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import anyio
import anyio.lowlevel
import msgspec
import structlog
from anyio import to_thread

from turnkit.deepgram.places import ADVICE, is_hosted, is_passing, retry_after_s
from turnkit.dial import is_loopback, is_private
from turnkit.errors import ConfigError, TurnkitError

if TYPE_CHECKING:
    from httpx2 import Response

log = structlog.get_logger(__name__)

PATH = "/v1/auth/grant"
MAX_TTL_S = 3600
LIMIT_S = 3.0
"""How long a grant may take: as long as a handshake."""

_MARGIN_S = 5.0
"""A token this near its end is not used any more: a handshake may take three seconds."""
_MAX_BODY_BYTES = 1 << 16
_MAX_GRANTERS = 16
_SHOWN_CHARS = 200  # of a server's own words in our messages

_ADVICE = {
    400: "check deepgram_grant_s",
    401: "check DEEPGRAM_API_KEY",
    403: "a key needs the role Member or a higher one to get tokens",
    404: "no tokens are to be had there; set deepgram_grant_url, or deepgram_grant_s to 0",
}


class GrantFailed(TurnkitError):
    """No token was to be had.

    `final` says that asking again cannot help; `retry_after_s` is how long the server wants to be
    left alone.
    """

    def __init__(self, message: str, *, final: bool, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.final = final
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _Granted:
    token: str
    expires_at: float


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float


class _Refusal(msgspec.Struct):
    code: str | None = None
    description: str | None = None
    err_code: str | None = None
    err_msg: str | None = None


@dataclass(slots=True)
class Granter:
    """Gets tokens with one key from one place. One request is under way at a time.

    Whoever asks meanwhile waits for its answer, be it a token or a failure.
    """

    url: str
    key: str = field(repr=False)
    ttl_s: int
    requests: int = 0
    """How often the server was asked."""
    _granted: _Granted | None = field(default=None, repr=False)
    _failed: GrantFailed | None = field(default=None, repr=False)
    _lock: anyio.Lock = field(default_factory=anyio.Lock, repr=False)

    async def token(self) -> str:
        """Return a token that lives long enough for a handshake. Raises GrantFailed.

        Cancelling leaves the request to whoever waits next.
        """
        asked = self.requests
        async with self._lock:
            if (token := self._fresh()) is not None:
                return token
            if self.requests > asked and self._failed is not None:
                raise self._failed  # the request we waited for
            self.requests, self._failed = self.requests + 1, None
            try:
                self._granted = await self._request()
            except GrantFailed as exc:
                log.warning("deepgram.grant_failed", error=str(exc), final=exc.final)
                self._failed = exc
                raise
            return self._granted.token

    def _fresh(self) -> str | None:
        if self._granted is None:
            return None
        # Of a token that lives 5 s, the last 5 s are all it has.
        margin_s = min(_MARGIN_S, self.ttl_s / 2)
        fresh = anyio.current_time() < self._granted.expires_at - margin_s
        return self._granted.token if fresh else None

    async def _request(self) -> _Granted:
        import httpx2  # noqa: PLC0415  # an extra

        began_at = anyio.current_time()
        try:
            with anyio.fail_after(LIMIT_S):
                status, body, after_s = await self._post(await to_thread.run_sync(_context))
        except (httpx2.HTTPError, OSError, TimeoutError) as exc:
            reason = str(exc) or type(exc).__name__
            final = "CERTIFICATE_VERIFY_FAILED" in reason
            raise GrantFailed(self._said(f"cannot be reached: {reason}"), final=final) from exc
        if status != 200:
            raise self._refused(status, body, after_s)
        try:
            answer = msgspec.json.decode(body, type=_Answer, strict=False)
        except (msgspec.DecodeError, UnicodeError) as exc:
            raise GrantFailed(self._said("gave an answer without a token"), final=False) from exc
        if not (answer.access_token.isascii() and answer.access_token.isprintable()):
            raise GrantFailed(self._said("gave a token that is none"), final=False)
        log.info("deepgram.granted", host=self._host, expires_in_s=answer.expires_in)
        return _Granted(answer.access_token, began_at + min(answer.expires_in, self.ttl_s))

    async def _post(self, context: ssl.SSLContext) -> tuple[int, bytes, float]:
        import httpx2  # noqa: PLC0415  # an extra

        local = is_loopback(urlsplit(self.url).hostname or "")
        async with (
            httpx2.AsyncClient(verify=context, timeout=LIMIT_S, trust_env=not local) as client,
            client.stream(
                "POST",
                self.url,
                headers={"Authorization": f"Token {self.key}"},
                json={"ttl_seconds": self.ttl_s},
            ) as response,
        ):
            return (
                response.status_code,
                await _limited(response),
                retry_after_s({"Retry-After": response.headers.get("Retry-After", "")}),
            )

    def _refused(self, status: int, body: bytes, after_s: float) -> GrantFailed:
        try:
            said = msgspec.json.decode(body, type=_Refusal)
        except (msgspec.DecodeError, UnicodeError):  # some proxy's page
            said = _Refusal()
        parts = (said.code or said.err_code, said.description or said.err_msg)
        reason = ": ".join(part for part in parts if part) or "no reason"
        reason = reason.replace(self.key, "[key]")[:_SHOWN_CHARS]
        advice = _ADVICE.get(status) or ADVICE.get(status) or "try again later"
        what = f"refused a token with HTTP {status}: {reason}; {advice}"
        return GrantFailed(self._said(what), final=not is_passing(status), retry_after_s=after_s)

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc

    def _said(self, what: str) -> str:
        return f"token server {self._host} {what}"


_granters: anyio.lowlevel.RunVar[OrderedDict[tuple[str, str, int], Granter]]
_granters = anyio.lowlevel.RunVar(f"{__name__}.granters")


def granter(url: str, key: str, ttl_s: int) -> Granter:
    """Return the one that all calls of this event loop share."""
    known = _granters.get(OrderedDict())
    _granters.set(known)
    found = known.setdefault((url, key, ttl_s), Granter(url, key, ttl_s))
    known.move_to_end((url, key, ttl_s))
    while len(known) > _MAX_GRANTERS:
        known.popitem(last=False)
    return found


def grant_url(service: SplitResult, configured: str | None) -> str:
    """Return where tokens for a service are granted. Raises ConfigError.

    Args:
        service: the address of the WebSocket they are for.
        configured: `deepgram_grant_url`; None for Deepgram's own, which is at the same host.
    """
    if configured is None:
        if not is_hosted(service) and not is_loopback(service.hostname or ""):
            raise ConfigError(
                f"deepgram_grant_s is set, but {service.netloc} is not Deepgram's and grants no "
                "tokens; set deepgram_grant_url, or deepgram_grant_s to 0"
            )
        scheme = "https" if service.scheme == "wss" else "http"
        return service._replace(scheme=scheme, path=PATH, query="", fragment="").geturl()
    url = urlsplit(configured)
    if url.scheme not in {"http", "https"} or not url.hostname or url.username is not None:
        raise ConfigError(f"deepgram_grant_url must look like https://api.deepgram.com{PATH}")
    if not is_private(url):
        raise ConfigError("deepgram_grant_url: others could read the key on its way; use https://")
    return configured


def check_installed() -> None:
    """Raise ConfigError unless tokens can be asked for."""
    try:
        import httpx2  # noqa: F401, PLC0415  # an extra
    except ImportError as exc:
        raise ConfigError(
            "deepgram_grant_s needs a package: install it with `pip install 'turnkit[deepgram]'`"
        ) from exc


async def _limited(response: "Response") -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > _MAX_BODY_BYTES:
            break
    return body[:_MAX_BODY_BYTES]


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
