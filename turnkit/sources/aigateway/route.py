"""A way to the gateway: its address, what is sent with it, and what it means when it says no."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlencode

from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from turnkit.aigateway import (
    KEY,
    Advice,
    on_kind,
    on_status,
    quoted,
    read_base_url,
    read_key,
    retry_after_s,
    sentence,
)
from turnkit.dial import Offer, is_private, read_url
from turnkit.errors import SourceRefused
from turnkit.sources.aigateway.results_wire import Failed, parse_refusal
from turnkit.sources.link.reconnecting import ConnectionLost

PATH: Final = "/v1/realtime"

Recode: TypeAlias = Callable[[bytes], bytes]


class GatewayLost(ConnectionLost):
    """A connection was lost or not to be had, and another may be.

    `advice` says whose fault it is and what to do, where the gateway said why.
    """

    def __init__(
        self, message: str, *, advice: Advice | None = None, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.advice = advice


class GatewayRefused(SourceRefused):
    """The gateway said no, and would again. `advice` says whose fault it is and what to do."""

    def __init__(self, message: str, advice: Advice) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(slots=True)
class Route:
    """One address of the gateway. What is learnt of it stays when the connection is lost."""

    url: SplitResult
    model: str
    key: str = field(default="", repr=False)
    finalizes: bool = False
    """Whether it is to be asked for words at once when somebody pauses (`Finalize`)."""

    @property
    def host(self) -> str:
        """Whom we speak to, for messages."""
        return self.url.netloc

    @property
    def offer(self) -> Offer:
        """The key, if nobody else can read it on its way."""
        shown = self.key and is_private(self.url)
        return Offer({"Authorization": f"Bearer {self.key}"} if shown else {})

    def address(self, sample_rate_hz: int) -> str:
        """Return the whole URL to connect to."""
        query = {
            "model": self.model,
            "encoding": "linear16",  # the only one the gateway documents
            "sample_rate": sample_rate_hz,
            "interim_results": "true",
        }
        return self.url._replace(query=urlencode(query, safe="/")).geturl()

    def cannot_finalize(self) -> None:
        """Take note that Finalize did it no good."""
        self.finalizes = False

    # What went wrong, as an error that says what to do.

    def lost(self, what: str) -> GatewayLost:
        """Say that it is not there, or no more."""
        return GatewayLost(self._said(quoted(what, self.key)))

    def refused(self, response: Response) -> GatewayLost | GatewayRefused:
        """Say that it refused the handshake."""
        status = response.status_code
        advice = on_status(status)
        if status in {401, 403} and not self.key:
            advice = Advice("ours", again=False, todo=f"set {KEY}")
        elif status in {401, 403} and self.offer.is_empty:
            todo = "the key was not sent, since others could read it on its way; use wss://"
            advice = Advice("ours", again=False, todo=todo)
        kind, description = parse_refusal(bytes(response.body or b""))
        said = quoted(": ".join(part for part in (kind, description) if part), self.key)
        what = f"refused the connection with HTTP {status} ({said or 'no reason given'})"
        return self._error(what, advice, retry_after_s(response.headers.get("Retry-After")))

    def failed(self, message: Failed) -> GatewayLost | GatewayRefused:
        """Say that it gave up in the middle."""
        said = quoted(f"{message.kind}: {message.description}", self.key)
        return self._error(f"gave up ({said})", on_kind(message.kind), None)

    def closed(self, exc: ConnectionClosed) -> GatewayLost | GatewayRefused:
        """Say that it closed the connection, or that the connection broke."""
        if exc.rcvd is not None and exc.rcvd.code == 1008:  # RFC 6455: a policy was violated
            advice = Advice("ours", again=False, todo="check the model, and that it takes audio")
            return self._error(f"closed the connection: {quoted(str(exc), self.key)}", advice, None)
        return self.lost(f"closed the connection: {exc}")

    def not_trusted(self, why: str) -> SourceRefused:
        """Say that it cannot be spoken to as itself."""
        return SourceRefused(self._said(f"cannot be spoken to as itself: {quoted(why, self.key)}"))

    def _error(
        self, what: str, advice: Advice, wait_s: float | None
    ) -> GatewayLost | GatewayRefused:
        message = self._said(f"{what}: {sentence(advice, wait_s)}")
        if advice.again:
            return GatewayLost(message, advice=advice, retry_after_s=wait_s or 0.0)
        return GatewayRefused(message, advice)

    def _said(self, what: str) -> str:
        return f"turn source {self.host} {what}"


def routes_of(urls: str, model: str, key: SecretStr | None, *, finalizes: bool) -> list[Route]:
    """Read addresses with commas between them. Raises ConfigError."""
    secret = read_key(key)
    return [Route(_read(url.strip()), model, secret, finalizes) for url in urls.split(",")]


def realtime_url(base_url: str) -> str:
    """Return the realtime address beside an HTTP one. Raises ConfigError."""
    parts = read_base_url(base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return parts._replace(scheme=scheme, path=f"{parts.path}/realtime").geturl()


def _read(url: str) -> SplitResult:
    advice = f"the model is a setting (aigateway_model), and the key is {KEY}"
    return read_url(url, "AIgateway's URL", PATH, advice=advice)
