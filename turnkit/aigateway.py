"""What AIgateway's realtime and batch endpoints have in common: address, key, refusals. Pure.

What a refusal means is whose fault it is, whether to try again, and what to do. The kinds and
statuses are those of the gateway's own list.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from turnkit.errors import ConfigError

Blame: TypeAlias = Literal["ours", "account", "service"]
"""Whose turn it is to do something: whoever wrote the settings, whoever pays, or the service."""

KEY: Final = "AIGATEWAY_API_KEY"
BASE_URL: Final = "AIGATEWAY_BASE_URL"
MAX_RETRY_AFTER_S = 3600.0
_SHOWN_CHARS = 200  # of a server's own words in our messages


@dataclass(frozen=True, slots=True)
class Advice:
    """What is known of one kind of refusal."""

    blame: Blame
    again: bool
    """Whether the same request may succeed later."""
    todo: str


_BY_STATUS = {
    400: Advice("ours", again=False, todo="check the model, the language and the audio's format"),
    401: Advice("ours", again=False, todo=f"set {KEY} to a key of the gateway (sk-aig-...)"),
    402: Advice("account", again=False, todo="the account is out of credit: top it up"),
    403: Advice("account", again=False, todo="the key may not use this model: allow it, or choose"),
    404: Advice("ours", again=False, todo="check AIGATEWAY_BASE_URL and the name of the model"),
    408: Advice("service", again=True, todo="try again"),
    409: Advice("service", again=True, todo="try again"),
    413: Advice("ours", again=False, todo="the file is too large: cut it, or compress it (mp3)"),
    415: Advice("ours", again=False, todo="convert the file, to mp3 or wav for example"),
    426: Advice("ours", again=False, todo="the address is no WebSocket's: check the URL"),
    429: Advice("account", again=True, todo="too many requests: send fewer, or raise the limit"),
}
_REFUSED = Advice("ours", again=False, todo="check the request")
_FAILED = Advice("service", again=True, todo="try again later")

_STATUS_OF_KIND = {
    "authentication_error": 401,
    "insufficient_credits": 402,
    "not_found": 404,
    "rate_limit_error": 429,
    "server_error": 500,
    "service_unavailable": 503,
}
_WHOSE = {
    "ours": "the request is at fault",
    "account": "the account is at fault",
    "service": "the service is at fault",
}


def read_key(key: SecretStr | None) -> str:
    """Return the key, "" for none. Raises ConfigError, without the key."""
    secret = key.get_secret_value().strip() if key else ""
    if not (secret.isascii() and secret.isprintable()):
        raise ConfigError(f"{KEY} contains characters that no key has; copy it again")
    return secret


def on_status(status: int) -> Advice:
    """Return what an HTTP status means."""
    return _BY_STATUS.get(status, _FAILED if status >= 500 else _REFUSED)


def on_kind(kind: str) -> Advice:
    """Return what a kind of error means that came in mid-stream; unknown ones may pass."""
    return on_status(_STATUS_OF_KIND.get(kind, 500))


def sentence(advice: Advice, wait_s: float | None = None) -> str:
    """Say it, and how long the service wants to be left alone, for the end of a message."""
    again = "trying again does not help"
    if advice.again:
        again = "trying again may help" + (f" after {wait_s:g} s" if wait_s else "")
    return f"{_WHOSE[advice.blame]}, {again}; {advice.todo}"


def quoted(text: str, secret: str) -> str:
    """Make a server's words fit to be shown: one short line, without our key."""
    shown = text.replace(secret, "[key]") if secret else text
    return " ".join(shown.split())[:_SHOWN_CHARS]


def retry_after_s(value: str | None) -> float | None:
    """Read a Retry-After in seconds; None if there is none, or a date, which needs a right clock.

    RFC 9110, section 10.2.3, allows whole seconds only; fractions are read too.
    """
    try:
        seconds = float(value or "")
    except ValueError:
        return None
    return min(seconds, MAX_RETRY_AFTER_S) if seconds >= 0 else None


def read_base_url(text: str) -> SplitResult:
    """Read the address of the gateway, with or without its `/v1`. Raises ConfigError."""
    try:
        parts = urlsplit(text.strip())
        _ = parts.port  # it is read only now, and may be no number
    except ValueError as exc:
        raise ConfigError(f"{BASE_URL} cannot be read: {exc}") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"{BASE_URL} must look like https://host/v1, not {text!r}")
    if parts.username is not None or parts.query or parts.fragment:
        raise ConfigError(f"{BASE_URL} must have no user, query or fragment; the key is {KEY}")
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith("/v1") else f"{path}/v1")
