"""How turnkit opens a WebSocket to a far service, and the ways in which that fails, by name.

What was offered to be let in (keys, tokens) is in no message here and in no log.
"""

import ipaddress
import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from turnkit.errors import ConfigError

_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})
"""OpenSSL's reasons, in its several versions, for an answer that is not TLS at all."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a client shows in a handshake to be let in."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    subprotocols: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is shown."""
        return not self.headers and not self.subprotocols


NOTHING = Offer()


class Refused(Exception):
    """The server answered the handshake, and the answer was no."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status_code}")
        self.response = response


class NotTrusted(Exception):
    """The server cannot be spoken to over TLS as itself: trying again cannot help."""


class Unreachable(Exception):
    """The server is not there, or does not answer in time: trying again may help."""


class _Connect(connect):
    """websockets' own, which would carry what is offered to wherever a server redirects it."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def dial(
    url: str, offer: Offer, *, open_s: float, close_s: float, write_limit_bytes: int = 1 << 15
) -> ClientConnection:
    """Open a WebSocket. Raises Refused, NotTrusted or Unreachable.

    Args:
        url: with its query.
        offer: what to show. Whether others could read it on its way, the caller has to ask
            `is_private` before.
        open_s: how long all of it may take.
        close_s: how long the far side may take to answer a close.
        write_limit_bytes: how much may wait to be sent before `send` waits.
    """
    quiet = logging.getLogger(f"{__name__}.websocket")
    quiet.setLevel(logging.INFO)  # at debug level it would log the key and what people say
    subprotocols = [Subprotocol(name) for name in offer.subprotocols]
    try:
        return await _Connect(
            url,
            additional_headers=dict(offer.headers),
            subprotocols=subprotocols or None,
            proxy=None if is_loopback(urlsplit(url).hostname or "") else True,
            compression=None,  # of audio it saves little, and it costs 40 KB a connection
            open_timeout=open_s,
            ping_interval=None,  # whoever dials knows how to tell that a line is dead
            close_timeout=close_s,
            write_limit=write_limit_bytes,
            logger=quiet,
        )
    except InvalidStatus as exc:
        raise Refused(exc.response) from exc
    except ssl.SSLEOFError as exc:
        raise Unreachable(_described(exc)) from exc
    except ssl.SSLError as exc:
        raise NotTrusted(distrust(exc)) from exc
    except (OSError, WebSocketException) as exc:
        raise Unreachable(_described(exc)) from exc


def is_loopback(host: str) -> bool:
    """Whether this is a name or an address of this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


def is_private(url: SplitResult) -> bool:
    """Whether nobody on the way can read what is sent there."""
    return url.scheme in {"wss", "https"} or is_loopback(url.hostname or "")


def read_url(text: str, name: str, path: str, *, advice: str) -> SplitResult:
    """Read a WebSocket's address. Raises ConfigError, without what stood before an @ or after a ?.

    Args:
        text: what the user wrote.
        name: whose address it is, for messages: "the turn source's URL".
        path: what is meant where it has none.
        advice: where a user, a query or a fragment belong instead.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port  # it is read only now, and may be no number
    except ValueError as exc:
        raise ConfigError(f"{name} cannot be read: {exc}") from None
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ConfigError(f"{name} must look like wss://host{path}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"{name} must have no user, query or fragment: {advice}")
    return parts._replace(path=parts.path.rstrip("/") or path)


def distrust(exc: ssl.SSLError) -> str:
    """Say what is wrong in words that tell whose fault it is."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return (
            f"its certificate is refused: {exc.verify_message.rstrip('.')}; mend the certificate, "
            "or name the authority that issued it in the variable SSL_CERT_FILE"
        )
    if exc.reason in _NOT_TLS:
        return "what answers there is not TLS; for a server without it write ws:// or http://"
    return f"TLS failed: {exc.reason or exc}"


def _described(exc: Exception) -> str:
    return str(exc) or type(exc).__name__
