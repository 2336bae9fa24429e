"""A way to a Flux server: its address, what has been learnt of it, and what it means by a no."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult

import structlog
from pydantic import SecretStr
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from turnkit.deepgram.credentials import Credentials, of_key
from turnkit.deepgram.grant import GrantFailed
from turnkit.deepgram.places import is_passing, retry_after_s
from turnkit.dial import NOTHING, Offer, read_url
from turnkit.errors import SourceError, SourceRefused
from turnkit.sources.flux.look import look
from turnkit.sources.flux.service import PATH, Flux, Service
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import UNPARSABLE, FluxError, parse_refusal
from turnkit.sources.link.reconnecting import ConnectionLost

log = structlog.get_logger(__name__)

OURS = "x-turnkit"
"""The header of an accepted handshake by which `turnkit listen` can be told from other servers."""

REDUCED = "x-turnkit-reduced"
"""The header by which the Worker of deploy/cloudflare says what it could not pass on."""

_SHOWN_CHARS = 200  # of a server's own words in our messages

_REFUSALS = frozenset(
    {"INVALID_PARAMETER", "INVALID_AUTH", "INSUFFICIENT_PERMISSIONS", "ASR_PAYMENT_REQUIRED"}
)
"""Error codes that the same request would meet again. Any other may be the server's bad day."""


_WITHOUT_REASON = frozenset({1000, 1002, 1003, 1005, 1007})
"""Closes of a server that is well (RFC 6455, 7.4.1), or has no word for what it did not like."""


class Lost(ConnectionLost):
    """A connection was lost or not to be had, and another may be.

    `unparsable` says that the server did not understand what we sent, and `hung_up` that it may not
    have, since it closed without a reason.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float = 0.0,
        unparsable: bool = False,
        hung_up: bool = False,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.unparsable = unparsable
        self.hung_up = hung_up


@dataclass(slots=True)
class Route:
    """One server. What is learnt of it stays when the connection is lost."""

    url: SplitResult
    service: Service
    forces: bool = False
    """Whether it is known to understand ForceEndTurn; elsewhere the message is fatal."""
    may_force: bool = True
    """Whether it has not shown the contrary."""
    configures: bool = True
    """Whether it has not shown that it does not understand Configure."""
    greets: bool = True
    """Whether it has not shown that it does not say Connected."""
    unsupported: set[str] = field(default_factory=set)
    """What it was found not to understand, by name."""
    _offered: Offer = field(default=NOTHING, repr=False)

    @property
    def host(self) -> str:
        """Whom we speak to, for messages."""
        return self.url.netloc

    async def offer(self) -> Offer:
        """Return what to show in the handshake. Raises Lost or SourceRefused."""
        try:
            self._offered = await self.service.offer(self.url)
        except GrantFailed as exc:
            if exc.final:
                raise SourceRefused(str(exc)) from exc
            raise Lost(str(exc), retry_after_s=exc.retry_after_s) from exc
        return self._offered

    # What is learnt of it.

    def welcomed(self, headers: Headers) -> None:
        """Take note of the response to an accepted handshake."""
        if self.service.forces or OURS in headers:
            self.forces = self.may_force
        if reduced := headers.get(REDUCED):
            self._learn(f"parameters {self.quote(reduced)}")

    def said_trigger(self) -> None:
        """Take note that it says what ended a turn, which came with ForceEndTurn."""
        self.forces = self.may_force

    def cannot_force(self) -> None:
        """Take note that ForceEndTurn did it no good."""
        self.forces = self.may_force = False
        self._learn("ForceEndTurn")

    def cannot_configure(self) -> None:
        """Take note that Configure did it no good."""
        self.configures = False
        self._learn("Configure")

    def does_not_greet(self) -> None:
        """Take note that it says nothing before it has heard something."""
        self.greets = False

    def _learn(self, name: str) -> None:
        if name not in self.unsupported:
            self.unsupported.add(name)
            log.warning("flux.unsupported", host=self.host, what=name)

    # What went wrong, as an error that says what to do.

    def lost(self, what: str, *, retry_after_s: float = 0.0) -> Lost:
        """Say that it is not there, or no more."""
        return Lost(self._said(self.quote(what)), retry_after_s=retry_after_s)

    def not_trusted(self, why: str) -> SourceRefused:
        """Say that it cannot be spoken to as itself."""
        return SourceRefused(self._said(f"cannot be spoken to as itself: {self.quote(why)}"))

    def refused(self, response: Response) -> SourceError:
        """Say that it refused the handshake."""
        status = response.status_code
        said = parse_refusal(bytes(response.body)) or response.headers.get("dg-error", "no reason")
        advice = self.service.advise(status, self._offered)
        what = f"refused the connection with HTTP {status}: {self.quote(said)}; {advice}"
        if is_passing(status) or self.service.relents(status):
            return Lost(self._said(what), retry_after_s=retry_after_s(response.headers))
        return SourceRefused(self._said(what))

    def failed(self, message: FluxError) -> SourceError:
        """Say that it gave up in the middle."""
        said = self._said(f"gave up: {self.quote(f'{message.code}: {message.description}')}")
        if message.code in _REFUSALS:
            return SourceRefused(said)
        return Lost(said, unparsable=message.code == UNPARSABLE)

    def closed(
        self, exc: ConnectionClosed, parameters: ListenParameters, audio: bytes
    ) -> SourceError:
        """Say that it closed the connection, or that the connection broke.

        Args:
            exc: what websockets says.
            parameters: what was announced.
            audio: the beginning of what was sent.
        """
        if close_code(exc) != 1008:
            said = self._said(self.quote(f"closed the connection: {exc}"))
            return Lost(said, hung_up=close_code(exc) in _WITHOUT_REASON)
        announced = f"{parameters.encoding} at {parameters.sample_rate_hz} Hz"
        said = f"could not read the audio, announced as {announced}: {self.quote(str(exc))}"
        return SourceRefused(self._said(f"{said}; {look(audio)}"))

    def quote(self, text: str) -> str:
        """Make a server's words fit to be shown: short, and without our key, should it echo it."""
        return self.service.hide(text)[:_SHOWN_CHARS]

    def _said(self, what: str) -> str:
        return f"turn source {self.host} {what}"


def flux_route(text: str, credentials: Credentials) -> Route:
    """Read the address of a server of `/v2/listen`. Raises ConfigError."""
    url = read_url(
        text,
        "the turn source's URL",
        PATH,
        advice="turn parameters are settings, and the key is DEEPGRAM_API_KEY",
    )
    return Route(url, Flux(url, credentials))


def routes_of(urls: str, key: SecretStr | None) -> list[Route]:
    """Read addresses with commas between them. Raises ConfigError."""
    credentials = of_key(key)
    return [flux_route(url.strip(), credentials) for url in urls.split(",")]


def close_code(exc: ConnectionClosed) -> int:
    """Return the code the server closed with; 1006 if the connection broke."""
    return exc.rcvd.code if exc.rcvd else 1006
