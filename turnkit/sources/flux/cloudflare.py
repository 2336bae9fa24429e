"""Flux at Cloudflare, `@cf/deepgram/flux`: by a Worker of one's own, or at Cloudflare's addresses.

Cloudflare hosts the English model only, takes linear16 only, and publishes nothing about
Connected, Configure, ForceEndTurn or the close (developers.cloudflare.com/workers-ai/models/flux/).
What is not known is not relied on: each of them may be missing.
"""

from enum import Enum
from typing import Final
from urllib.parse import SplitResult, urlencode

import structlog
from pydantic import SecretStr

from turnkit.audio.frames import Encoding
from turnkit.audio.pcm import recoder
from turnkit.config import Settings
from turnkit.deepgram import credentials as deepgram
from turnkit.deepgram.credentials import Credentials
from turnkit.dial import NOTHING, Offer, is_loopback, is_private
from turnkit.errors import ConfigError
from turnkit.sources.flux.service import PATH, Recode, advice_in_general
from turnkit.sources.flux_query import EOT_THRESHOLD, EOT_TIMEOUT_MS, ListenParameters

log = structlog.get_logger(__name__)

MODEL: Final = "@cf/deepgram/flux"
ENGLISH: Final = "flux-general-en"
MAX_EOT_THRESHOLD: Final = 0.9

_HOSTS = ".cloudflare.com"
_SECRET = "TURNKIT_CLOUDFLARE_WORKER_SECRET"
_TOKEN = "CLOUDFLARE_API_TOKEN"


class Form(Enum):
    """The ways to Flux at Cloudflare. All but the first are told by the end of their path."""

    WORKER = ""
    """A Worker such as that of deploy/cloudflare."""
    GATEWAY = "/workers-ai"
    """AI Gateway in front of Workers AI: /v1/ACCOUNT/GATEWAY/workers-ai."""
    DIRECT = f"/ai/run/{MODEL}"
    """Workers AI: /client/v4/accounts/ACCOUNT/ai/run/@cf/deepgram/flux."""
    NATIVE = f"/deepgram{PATH}"
    """AI Gateway in front of Deepgram: /v1/ACCOUNT/GATEWAY/deepgram/v2/listen."""


def form_of(url: SplitResult) -> Form:
    """Tell what is at this address."""
    path = url.path.rstrip("/")
    forms = (Form.GATEWAY, Form.DIRECT, Form.NATIVE)
    return next((form for form in forms if path.endswith(form.value)), Form.WORKER)


class Cloudflare:
    """Workers AI's Flux. For AI Gateway in front of Deepgram there is `Native`."""

    forces = False
    greets = False

    def __init__(
        self, form: Form, *, worker_secret: SecretStr | None, api_token: SecretStr | None
    ) -> None:
        """Check the secret. Raises ConfigError.

        Args:
            form: what is at the address.
            worker_secret: shown to a Worker.
            api_token: shown to Cloudflare itself, and to nobody else.
        """
        self._form = form
        self._variable = _SECRET if form is Form.WORKER else _TOKEN
        self._secret = _checked(worker_secret if form is Form.WORKER else api_token, self._variable)
        self._reduced = False  # whether only what is required is asked for
        self._bare = False  # whether the token goes without the word Bearer

    def check(self, _url: SplitResult, parameters: ListenParameters) -> None:
        """Raise ConfigError for what Cloudflare's Flux has not."""
        if parameters.model != ENGLISH:
            raise ConfigError(
                f"model {parameters.model} is not at Cloudflare, which hosts English only; "
                f"set model to {ENGLISH}, or use source deepgram"
            )
        for name in ("profanity_filter", "numerals", "redact"):
            if getattr(parameters, name):
                raise ConfigError(
                    f"{name} is not known to Cloudflare's Flux; unset it, or use source deepgram"
                )
        if parameters.eot_threshold > MAX_EOT_THRESHOLD:
            raise ConfigError(
                f"eot_threshold {parameters.eot_threshold} is out of range at Cloudflare; "
                f"send 0.5 to {MAX_EOT_THRESHOLD}"
            )

    def address(self, url: SplitResult, parameters: ListenParameters) -> str:
        """Return the whole URL to connect to. Flux's defaults are left out.

        Passing thresholds has been seen to cost the WebSocket, so none is passed without need.
        """
        query = [("model", MODEL)] if self._form is Form.GATEWAY else []
        query += [("encoding", "linear16"), ("sample_rate", str(parameters.sample_rate_hz))]
        return url._replace(query=urlencode(query + self._options(parameters))).geturl()

    def _options(self, parameters: ListenParameters) -> list[tuple[str, str]]:
        if self._reduced:
            return []
        given = {
            "eager_eot_threshold": (parameters.eager_eot_threshold, None),
            "eot_threshold": (parameters.eot_threshold, EOT_THRESHOLD),
            "eot_timeout_ms": (parameters.eot_timeout_ms, EOT_TIMEOUT_MS),
        }
        return [
            *((name, str(value)) for name, (value, usual) in given.items() if value != usual),
            *(("keyterm", keyterm) for keyterm in parameters.keyterms),
            *([("mip_opt_out", "true")] if parameters.mip_opt_out else []),
            *(("tag", tag) for tag in parameters.tags),
        ]

    async def offer(self, url: SplitResult) -> Offer:
        """Return the secret, if this is a place it may be shown."""
        if not self._secret or not self._may_see(url):
            return NOTHING
        if self._form is Form.GATEWAY:
            value = self._secret if self._bare else f"Bearer {self._secret}"
            return Offer({"cf-aig-authorization": value})
        return Offer({"Authorization": f"Bearer {self._secret}"})

    def _may_see(self, url: SplitResult) -> bool:
        return is_private(url) and (self._form is Form.WORKER or _is_cloudflares(url))

    def recode(self, encoding: Encoding) -> Recode | None:
        """Return how to make linear16 of it."""
        return recoder(encoding)

    def relents(self, status: int) -> bool:
        """Ask with less, or show the token in its other form, each once."""
        if status == 400 and not self._reduced:
            self._reduced = True
            log.warning("flux.reduced", advice="Cloudflare refused the turn settings: its own hold")
            return True
        if status in {401, 403} and self._form is Form.GATEWAY and self._secret and not self._bare:
            self._bare = True  # the vendor's own samples differ
            return True
        return False

    def advise(self, status: int, offered: Offer) -> str:
        """Say what to do about a refusal."""
        match status:
            case 400:
                return "check the turn settings"
            case 401 | 403 if not self._secret:
                return f"set {self._variable}"
            case 401 | 403 if offered.is_empty:
                return (
                    f"{self._variable} was not sent: it goes to {_HOSTS[1:]} only, and over wss://"
                )
            case 401 | 403:
                return f"check {self._variable}"
            case 404:
                return "check the URL: nothing is served there"
            case _:
                return advice_in_general(status)

    def hide(self, text: str) -> str:
        """Return the text without the secret."""
        return text.replace(self._secret, "[token]") if self._secret else text


class Native:
    """AI Gateway in front of Deepgram: Deepgram's Flux, and a second lock before it."""

    forces = False  # it should, but nobody has written that it does
    greets = True

    def __init__(self, credentials: Credentials, api_token: SecretStr | None) -> None:
        self._credentials = credentials
        self._token = _checked(api_token, _TOKEN)

    def check(self, url: SplitResult, _parameters: ListenParameters) -> None:
        """Raise ConfigError where there is nothing to show Deepgram."""
        if self._credentials.is_empty:
            raise ConfigError("AI Gateway in front of Deepgram needs DEEPGRAM_API_KEY")
        self._credentials.check(url)

    def address(self, url: SplitResult, parameters: ListenParameters) -> str:
        """Return the whole URL to connect to."""
        return url._replace(query=urlencode(parameters.query())).geturl()

    async def offer(self, url: SplitResult) -> Offer:
        """Return Deepgram's key or token, and the gateway's token if there is one."""
        shown = await self._credentials.offer(url)
        if not self._token or not is_private(url) or not _is_cloudflares(url):
            return shown
        return Offer(
            {**shown.headers, "cf-aig-authorization": f"Bearer {self._token}"}, shown.subprotocols
        )

    def recode(self, _encoding: Encoding) -> None:
        """Return None: Deepgram takes what turnkit has."""
        return

    def relents(self, _status: int) -> bool:
        """Return False: there is one way to ask."""
        return False

    def advise(self, status: int, _offered: Offer) -> str:
        """Say what to do about a refusal."""
        if status in {401, 403}:
            gateway = f"check {_TOKEN}" if self._token else f"set {_TOKEN} for a locked gateway"
            return f"{self._credentials.advice}, and {gateway}"
        return "check the turn settings" if status == 400 else advice_in_general(status)

    def hide(self, text: str) -> str:
        """Return the text without the secrets."""
        text = self._credentials.hide(text)
        return text.replace(self._token, "[token]") if self._token else text


def service_at(url: SplitResult, settings: Settings) -> Cloudflare | Native:
    """Return what is at an address of Cloudflare's. Raises ConfigError."""
    form = form_of(url)
    if form is Form.NATIVE:
        return Native(deepgram.of_settings(settings), settings.cloudflare_api_token)
    return Cloudflare(
        form,
        worker_secret=settings.cloudflare_worker_secret,
        api_token=settings.cloudflare_api_token,
    )


def _checked(secret: SecretStr | None, variable: str) -> str:
    plain = secret.get_secret_value().strip() if secret else ""
    if not (plain.isascii() and plain.isprintable()):
        raise ConfigError(f"{variable} contains characters that no token has; copy it again")
    return plain


def _is_cloudflares(url: SplitResult) -> bool:
    host = url.hostname or ""
    return host.endswith(_HOSTS) or is_loopback(host)
