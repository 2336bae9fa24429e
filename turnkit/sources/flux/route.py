"""A way to a Flux server: its address, what is sent with it, and what it means when it says no."""

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlencode, urlsplit

from pydantic import SecretStr
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from turnkit.errors import ConfigError, SourceError, SourceLost, SourceRefused
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import UNPARSABLE, FluxError, parse_refusal

PATH = "/v2/listen"

OURS = "x-turnkit"
"""The header of an accepted handshake by which `turnkit listen` can be told from other servers."""

_SHOWN_CHARS = 200  # of a server's own words in our messages
_HOSTED = ".deepgram.com"
_MAX_RETRY_AFTER_S = 3600.0

_REFUSALS = frozenset(
    {"INVALID_PARAMETER", "INVALID_AUTH", "INSUFFICIENT_PERMISSIONS", "ASR_PAYMENT_REQUIRED"}
)
"""Error codes that the same request would meet again. Any other may be the server's bad day."""

_ADVICE = {
    400: "check the turn settings",
    401: "check DEEPGRAM_API_KEY",
    402: "the account is out of credit",
    403: "check that the key's project may use this model, and that the model exists",
    404: f"check the URL: nothing is served there; Flux is at {PATH}",
    429: "too many connections at once; try again later",
}


class Lost(SourceLost):
    """A connection was lost or not to be had, and another may be.

    `retry_after_s` is how long the server wants to be left alone; `unparsable` says that it did not
    understand what we sent.
    """

    def __init__(
        self, message: str, *, retry_after_s: float = 0.0, unparsable: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.unparsable = unparsable


@dataclass(slots=True)
class Route:
    """One server. What is learnt of it stays when the connection is lost."""

    url: SplitResult
    key: str = field(default="", repr=False)
    forces: bool = False
    """Whether it is known to understand ForceEndTurn; elsewhere the message is fatal."""
    may_force: bool = True
    """Whether it has not shown the contrary."""

    @property
    def host(self) -> str:
        """Whom we speak to, for messages."""
        return self.url.netloc

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(self.url.hostname or "")

    @property
    def authorization(self) -> dict[str, str]:
        """The key as a header, if nobody else can read it on its way."""
        readable = self.url.scheme == "ws" and not self.is_local
        return {"Authorization": f"Token {self.key}"} if self.key and not readable else {}

    def address(self, parameters: ListenParameters) -> str:
        """Return the whole URL to connect to."""
        return self.url._replace(query=urlencode(parameters.query())).geturl()

    # What is learnt of it.

    def welcomed(self, headers: Headers) -> None:
        """Take note of the response to an accepted handshake."""
        if (self.url.hostname or "").endswith(_HOSTED) or OURS in headers:
            self.forces = self.may_force

    def said_trigger(self) -> None:
        """Take note that it says what ended a turn, which came with ForceEndTurn."""
        self.forces = self.may_force

    def cannot_force(self) -> None:
        """Take note that ForceEndTurn did it no good."""
        self.forces = self.may_force = False

    # What went wrong, as an error that says what to do.

    def lost(self, what: str, *, retry_after_s: float = 0.0) -> Lost:
        """Say that it is not there, or no more."""
        return Lost(self._said(self.quote(what)), retry_after_s=retry_after_s)

    def refused(self, response: Response) -> SourceError:
        """Say that it refused the handshake."""
        status = response.status_code
        said = parse_refusal(bytes(response.body)) or response.headers.get("dg-error", "no reason")
        advice = _ADVICE.get(status, "try again later" if status >= 500 else "check the URL")
        if status in {401, 403} and self.key and not self.authorization:
            advice = "the key was not sent, since others could read it on its way; use wss://"
        elif status in {401, 403} and not self.key:
            advice = "set DEEPGRAM_API_KEY"
        what = f"refused the connection with HTTP {status}: {self.quote(said)}; {advice}"
        if status in {408, 429} or status >= 500:
            return Lost(self._said(what), retry_after_s=_retry_after_s(response.headers))
        return SourceRefused(self._said(what))

    def failed(self, message: FluxError) -> SourceError:
        """Say that it gave up in the middle."""
        said = self._said(f"gave up: {self.quote(f'{message.code}: {message.description}')}")
        if message.code in _REFUSALS:
            return SourceRefused(said)
        return Lost(said, unparsable=message.code == UNPARSABLE)

    def closed(self, exc: ConnectionClosed, parameters: ListenParameters) -> SourceError:
        """Say that it closed the connection, or that the connection broke."""
        if close_code(exc) != 1008:
            return self.lost(f"closed the connection: {exc}")
        audio = f"{parameters.encoding} at {parameters.sample_rate_hz} Hz"
        said = self.quote(str(exc))
        return SourceRefused(self._said(f"could not read the audio, announced as {audio}: {said}"))

    def quote(self, text: str) -> str:
        """Make a server's words fit to be shown: short, and without our key, should it echo it."""
        shown = text.replace(self.key, "[key]") if self.key else text
        return shown[:_SHOWN_CHARS]

    def _said(self, what: str) -> str:
        return f"turn source {self.host} {what}"


def routes_of(urls: str, key: SecretStr | None) -> list[Route]:
    """Read addresses with commas between them. Raises ConfigError."""
    secret = key.get_secret_value().strip() if key else ""
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigError("DEEPGRAM_API_KEY contains characters that no key has; copy it again")
    return [Route(_listen_url(url.strip()), secret) for url in urls.split(",")]


def close_code(exc: ConnectionClosed) -> int:
    """Return the code the server closed with; 1006 if the connection broke."""
    return exc.rcvd.code if exc.rcvd else 1006


def _listen_url(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port  # it is read only now, and may be no number
    except ValueError as exc:
        raise ConfigError(f"the turn source's URL cannot be read: {exc}") from None
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError("the turn source's URL must look like wss://host/v2/listen")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(
            "the turn source's URL must have no user, query or fragment: "
            "turn parameters are settings, and the key is DEEPGRAM_API_KEY"
        )
    return parts._replace(path=parts.path.rstrip("/") or PATH)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def _retry_after_s(headers: Headers) -> float:
    """Read how long to wait; 0 if it does not say, or names a date, which needs a right clock."""
    value = headers.get("Retry-After", "")
    return min(float(value), _MAX_RETRY_AFTER_S) if value.isdecimal() else 0.0
