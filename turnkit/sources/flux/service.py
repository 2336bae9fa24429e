"""What stands at the end of a route, and how it is asked: the seam between Deepgram and Cloudflare.

The conversation is the same with all of them; the handshake is not.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias
from urllib.parse import SplitResult, urlencode

from turnkit.audio.frames import Encoding
from turnkit.deepgram.credentials import Credentials
from turnkit.deepgram.places import ADVICE, is_hosted
from turnkit.dial import Offer
from turnkit.sources.flux_query import ListenParameters

PATH: Final = "/v2/listen"

Recode: TypeAlias = Callable[[bytes], bytes]


class Service(Protocol):
    """One kind of server. It may learn, from a refusal, to ask otherwise."""

    @property
    def forces(self) -> bool:
        """Whether it is known beforehand to understand ForceEndTurn."""

    @property
    def greets(self) -> bool:
        """Whether it is certain to say Connected."""

    def check(self, url: SplitResult, parameters: ListenParameters) -> None:
        """Raise ConfigError for what it would refuse at this address."""

    def address(self, url: SplitResult, parameters: ListenParameters) -> str:
        """Return the whole URL to connect to."""

    async def offer(self, url: SplitResult) -> Offer:
        """Return what to show in order to be let in. Raises GrantFailed."""

    def recode(self, encoding: Encoding) -> Recode | None:
        """Return what to do to audio it would not take; None if it takes it."""

    def relents(self, status: int) -> bool:
        """Whether, refused with this status, it has another way to ask, which is next."""

    def advise(self, status: int, offered: Offer) -> str:
        """Say what to do about a refusal."""

    def hide(self, text: str) -> str:
        """Return what a server says without the secrets it was shown."""


class Flux:
    """A server of `/v2/listen`: Deepgram's own, one in your rooms, or `turnkit listen`."""

    greets = True

    def __init__(self, url: SplitResult, credentials: Credentials) -> None:
        self.forces = is_hosted(url)
        self._credentials = credentials

    def check(self, url: SplitResult, _parameters: ListenParameters) -> None:
        """Raise ConfigError where tokens are to be used and none can be got."""
        self._credentials.check(url)

    def address(self, url: SplitResult, parameters: ListenParameters) -> str:
        """Return the whole URL to connect to."""
        return url._replace(query=urlencode(parameters.query())).geturl()

    async def offer(self, url: SplitResult) -> Offer:
        """Return the key or a token, as a header or a subprotocol."""
        return await self._credentials.offer(url)

    def recode(self, _encoding: Encoding) -> None:
        """Return None: Flux takes what turnkit has."""
        return

    def relents(self, _status: int) -> bool:
        """Return False: there is one way to ask Flux."""
        return False

    def advise(self, status: int, offered: Offer) -> str:
        """Say what to do about a refusal."""
        kept_back = not self._credentials.is_empty and offered.is_empty
        match status:
            case 400:
                return "check the turn settings"
            case 401 | 403 if kept_back:
                return "the key was not sent, since others could read it on its way; use wss://"
            case 401:
                return self._credentials.advice
            case 403 if self._credentials.is_empty:
                return self._credentials.advice
            case 403:
                return "check that the key's project may use this model, and that the model exists"
            case 404 if self.forces:  # Deepgram's own
                return f"check the URL: nothing is served there, Flux is at {PATH}"
            case 404:
                return (
                    f"check the URL: nothing is served there, Flux is at {PATH}; a self-hosted "
                    "API serves it if api.toml has listen_v2 = true in [features]"
                )
            case 429 if not self.forces:
                return "all of its streams are taken; raise concurrency_limit, or try again later"
            case _:
                return advice_in_general(status)

    def hide(self, text: str) -> str:
        """Return the text without key and tokens."""
        return self._credentials.hide(text)


def advice_in_general(status: int) -> str:
    """Say what to do about a refusal that means the same everywhere."""
    return ADVICE.get(status) or ("try again later" if status >= 500 else "check the URL")
