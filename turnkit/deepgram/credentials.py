"""How one is let in at Deepgram: with the key, a token somebody else got, or one got with the key.

What is shown stays secret: it goes over TLS or to this machine only, and `hide` takes it out of
whatever a server says.
"""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import SplitResult

from pydantic import SecretStr

from turnkit.config import Settings
from turnkit.deepgram.grant import check_installed, grant_url, granter
from turnkit.dial import NOTHING, Offer, is_private
from turnkit.errors import ConfigError

Form: TypeAlias = Literal["header", "subprotocol"]
"""Where the credential is shown: a browser, and some proxies, can do the second only."""

_KEY = "DEEPGRAM_API_KEY"
_TOKEN = "DEEPGRAM_ACCESS_TOKEN"


@dataclass(slots=True)
class Credentials:
    """One user's. They are shared by nothing but what connects for this user."""

    key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """A short-lived one that somebody else got; it goes before the key."""
    form: Form = "header"
    grant_s: int = 0
    """How long tokens got with the key are to live; 0 if the key itself is to be shown."""
    grant_url: str | None = None
    _granted: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for name, secret in ((_KEY, self.key), (_TOKEN, self.token)):
            if not (secret.isascii() and secret.isprintable()):
                raise ConfigError(f"{name} contains characters that no key has; copy it again")
        if self.grant_s and not self.key:
            raise ConfigError(f"deepgram_grant_s needs a key to get tokens with: set {_KEY}")
        if self.grant_s:
            check_installed()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.key and not self.token

    @property
    def advice(self) -> str:
        """What to look at when they are not accepted."""
        if self.is_empty:
            return f"set {_KEY}"
        if self.grant_s:
            return f"check that the key in {_KEY} may be used here"
        return f"check {_TOKEN}, which may have expired" if self.token else f"check {_KEY}"

    def check(self, url: SplitResult) -> None:
        """Raise ConfigError if this address needs a token and none could be got for it."""
        if self.grant_s and is_private(url):
            grant_url(url, self.grant_url)

    async def offer(self, url: SplitResult) -> Offer:
        """Return what to show at this address: nothing, where others could read it on its way.

        Raises GrantFailed.
        """
        if self.is_empty or not is_private(url):
            return NOTHING
        if self.grant_s:
            where = grant_url(url, self.grant_url)
            self._granted = await granter(where, self.key, self.grant_s).token()
        scheme, secret = ("Token", self.key)
        if token := self._granted or self.token:
            scheme, secret = "Bearer", token
        if self.form == "subprotocol":
            return Offer(subprotocols=(scheme.lower(), secret))
        return Offer({"Authorization": f"{scheme} {secret}"})

    def hide(self, text: str) -> str:
        """Return what a server says without what it was shown, should it echo it."""
        for secret, name in ((self.key, "key"), (self.token, "token"), (self._granted, "token")):
            text = text.replace(secret, f"[{name}]") if secret else text
        return text


def of_key(key: SecretStr | None) -> Credentials:
    """Return those that are a key, or none. Raises ConfigError."""
    return Credentials(key=_plain(key))


def of_settings(settings: Settings) -> Credentials:
    """Return those the settings name. Raises ConfigError."""
    return Credentials(
        key=_plain(settings.deepgram_api_key),
        token=_plain(settings.deepgram_access_token),
        form=settings.deepgram_auth,
        grant_s=settings.deepgram_grant_s,
        grant_url=settings.deepgram_grant_url,
    )


def needed(settings: Settings, by: str) -> Credentials:
    """Return those the settings name. Raises ConfigError if they name none.

    Args:
        settings: all of them.
        by: who needs them, for the message: "source deepgram".
    """
    credentials = of_settings(settings)
    if credentials.is_empty:
        raise ConfigError(f"{by} needs a key: set the variable {_KEY}")
    return credentials


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value().strip() if secret else ""
