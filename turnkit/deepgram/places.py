"""Where Deepgram is, and what its answers to a handshake advise. No I/O.

The same keys and the same paths hold in every region
(developers.deepgram.com/reference/regional-endpoints).
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult

from turnkit.errors import ConfigError

HOSTS: Final = {
    "global": "api.deepgram.com",
    "eu": "api.eu.deepgram.com",
    "au": "api.au.deepgram.com",
    "in": "api.in.deepgram.com",
}
"""Each region's host."""

ADVICE: Final = {
    402: "the account is out of credit",
    429: "too many connections at once; try again later",
}
"""What the answer to a handshake means, whichever service was asked."""

_DOMAIN = ".deepgram.com"
_MAX_RETRY_AFTER_S = 3600.0


def host_of(region: str) -> str:
    """Return the host of a region; an empty name is the global one. Raises ConfigError."""
    host = HOSTS.get(region or "global")
    if host is None:
        raise ConfigError(f"Deepgram has no region {region!r}; choose one of {', '.join(HOSTS)}")
    return host


def is_hosted(url: SplitResult) -> bool:
    """Whether Deepgram itself is at this address, dedicated hosts included."""
    return (url.hostname or "").endswith(_DOMAIN)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Read how long to wait; 0 if it does not say, or names a date, which needs a right clock."""
    value = headers.get("Retry-After", "")
    return min(float(value), _MAX_RETRY_AFTER_S) if value.isdecimal() else 0.0


def is_passing(status: int) -> bool:
    """Whether the same request may be answered otherwise later."""
    return status in {408, 429} or status >= 500
