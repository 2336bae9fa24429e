"""How Aura is reached: the handshake, the key, and what can be wrong with either."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.http11 import Response

from turnkit.deepgram.credentials import Credentials
from turnkit.deepgram.grant import GrantFailed
from turnkit.deepgram.places import ADVICE, is_passing
from turnkit.dial import NOTHING, NotTrusted, Offer, Refused, Unreachable, dial, read_url
from turnkit.errors import SynthesisError
from turnkit.tts.aura_wire import PATH, SpeakParameters, parse_refusal

_SHOWN_CHARS = 200  # of a server's own words in our messages

_ADVICE = {
    **ADVICE,
    400: "check the voice's name",
    403: "check that the key's project may use this voice",
    404: f"check aura_url: nothing is served there; Aura is at {PATH}",
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

    def __init__(self, url: str, parameters: SpeakParameters, credentials: Credentials) -> None:
        """Check the URL. Raises ConfigError.

        Args:
            url: the server's; without a path, `/v1/speak` is meant.
            parameters: what to ask for in the handshake.
            credentials: shown over TLS or to this machine only, for others could read them.
        """
        self.parameters = parameters
        advice = "the voice is named on --voice, and the key is DEEPGRAM_API_KEY"
        self._url = read_url(url, "aura_url", PATH, advice=advice)
        self._credentials = credentials
        self._credentials.check(self._url)
        self._offered: Offer = NOTHING

    def at(self, sample_rate_hz: int) -> "Address":
        """Return the same address, asked for audio at this rate."""
        parameters = replace(self.parameters, sample_rate_hz=sample_rate_hz)
        return Address(self._url.geturl(), parameters, self._credentials)

    def blame(self, what: str) -> str:
        """Say what the server did: in short, and without our key, should it echo it."""
        return f"voice {self._url.netloc} {self._credentials.hide(what)[:_SHOWN_CHARS]}"

    async def dial(self, patience: Patience) -> ClientConnection:
        """Connect. Raises LineLost or LineRefused."""
        url = self._url._replace(query=urlencode(self.parameters.query())).geturl()
        try:
            self._offered = await self._credentials.offer(self._url)
            return await dial(
                url,
                self._offered,
                open_s=patience.open_s,
                close_s=patience.close_s,
                write_limit_bytes=0,  # or uvloop writes when all else is done
            )
        except GrantFailed as exc:
            kind = LineRefused if exc.final else LineLost
            raise kind(self.blame(f"cannot be asked: {exc}")) from exc
        except Refused as exc:
            raise self._refused(exc.response) from exc
        except NotTrusted as exc:
            raise LineRefused(self.blame(f"cannot be spoken to as itself: {exc}")) from exc
        except Unreachable as exc:
            raise LineLost(self.blame(f"cannot be reached: {exc}")) from exc

    def _refused(self, response: Response) -> SynthesisError:
        status = response.status_code
        said = parse_refusal(bytes(response.body)) or response.headers.get("dg-error", "no reason")
        advice = _ADVICE.get(status, "try again later" if status >= 500 else "check aura_url")
        if status in {401, 403} and self._offered.is_empty:
            advice = "the key was not sent, since others could read it on its way; use wss://"
        elif status == 401:
            advice = self._credentials.advice
        kind = LineLost if is_passing(status) else LineRefused
        return kind(self.blame(f"refused the connection with HTTP {status}: {said}; {advice}"))
