"""How Aura is reached: the handshake, the key, and what can be wrong with either."""

import ipaddress
import logging
import ssl
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.http11 import Response

from turnkit.errors import ConfigError, SynthesisError
from turnkit.tts.aura_wire import PATH, SpeakParameters, check_url, parse_refusal, speak_url

_SHOWN_CHARS = 200  # of a server's own words in our messages

_ADVICE = {
    400: "check the voice's name",
    401: "check DEEPGRAM_API_KEY",
    402: "the account is out of credit",
    403: "check that the key's project may use this voice",
    404: f"check aura_url: nothing is served there; Aura is at {PATH}",
    429: "too many connections at once; try again later",
}


class LineLost(SynthesisError):
    """The connection failed: another may do better."""


class LineRefused(SynthesisError):
    """The server said no: asking again with the same request cannot help."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds."""

    open_s: float = 2.0
    first_audio_s: float = 2.0
    stall_s: float = 2.0
    """Between two pieces of audio, not counting the time nobody asked for more."""
    cleared_s: float = 1.0
    """For `Cleared`; a round trip is some 100 ms."""
    close_s: float = 0.5
    ping_s: float = 10.0
    """Between pings on a line that is free, and for their answers. While it speaks, the answer
    would stand in line behind audio that is not wanted yet."""
    tend_s: float = 5.0
    """Between looks at whether lines have to be opened or closed."""
    rotate_s: float = 3000.0
    """After this a line is replaced; Aura itself closes it after 3600 s."""
    spare_s: float = 60.0
    """How long a line that is one too many may be free."""
    retry_s: float = 10.0
    """After a line could not be opened, unless one is needed at once."""


class Address:
    """Where Aura is, and what is asked of it."""

    def __init__(self, url: str, parameters: SpeakParameters, key: SecretStr) -> None:
        """Check the URL and the key. Raises ConfigError.

        Args:
            url: the server's; without a path, `/v1/speak` is meant.
            parameters: what to ask for in the handshake.
            key: sent only over TLS or to this machine, for others could read it on its way.
        """
        self.parameters = parameters
        self._url = urlsplit(check_url(url))
        self._key = key.get_secret_value().strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError("DEEPGRAM_API_KEY contains characters that no key has; copy it again")
        self._local = _is_loopback(self._url.hostname or "")
        readable = self._url.scheme == "ws" and not self._local  # by others, on its way
        self._authorization: dict[str, str] = {}
        if self._key and not readable:
            self._authorization = {"Authorization": f"Token {self._key}"}

    def at(self, sample_rate_hz: int) -> "Address":
        """Return the same address, asked for audio at this rate."""
        parameters = replace(self.parameters, sample_rate_hz=sample_rate_hz)
        return Address(self._url.geturl(), parameters, SecretStr(self._key))

    def blame(self, what: str) -> str:
        """Say what the server did: in short, and without our key, should it echo it."""
        shown = what.replace(self._key, "[key]") if self._key else what
        return f"voice {self._url.netloc} {shown[:_SHOWN_CHARS]}"

    async def dial(self, patience: Patience) -> ClientConnection:
        """Connect. Raises LineLost or LineRefused."""
        quiet = logging.getLogger(f"{__name__}.websocket")
        quiet.setLevel(logging.INFO)  # at debug level it would log the key and what is said
        try:
            return await connect(
                speak_url(self._url.geturl(), self.parameters),
                additional_headers=self._authorization,
                proxy=None if self._local else True,
                compression=None,  # of audio it saves little, and it costs 40 KB a connection
                open_timeout=patience.open_s,
                ping_interval=None,  # see Patience.ping_s
                close_timeout=patience.close_s,
                logger=quiet,
            )
        except InvalidStatus as exc:
            raise self._refused(exc.response) from exc
        except ssl.SSLCertVerificationError as exc:
            raise LineRefused(self.blame(f"is not who it should be: {exc}")) from exc
        except (OSError, WebSocketException) as exc:
            raise LineLost(self.blame(f"cannot be reached: {exc}")) from exc

    def _refused(self, response: Response) -> SynthesisError:
        status = response.status_code
        said = parse_refusal(bytes(response.body)) or response.headers.get("dg-error", "no reason")
        advice = _ADVICE.get(status, "try again later" if status >= 500 else "check aura_url")
        if status in {401, 403} and not self._authorization:
            advice = "the key was not sent, since others could read it on its way; use wss://"
        kind = LineLost if status in {408, 429} or status >= 500 else LineRefused
        return kind(self.blame(f"refused the connection with HTTP {status}: {said}; {advice}"))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False
