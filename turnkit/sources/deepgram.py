"""Flux as Deepgram hosts it."""

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources import flux

_HOSTS = {
    "global": "api.deepgram.com",
    "eu": "api.eu.deepgram.com",
    "au": "api.au.deepgram.com",
    "in": "api.in.deepgram.com",
}


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> flux.FluxSource:
    """Connect to Deepgram. Raises ConfigError.

    Args:
        argument: a region, or several with commas between them, in the order they are to be tried;
            the address of another server may be among them. None is the global endpoint.
        settings: with the key among them.
        audio: what the source will hear.
    """
    urls = [_url(place.strip()) for place in (argument or "global").split(",")]
    if settings.deepgram_api_key is None:
        raise ConfigError("source deepgram needs a key: set the variable DEEPGRAM_API_KEY")
    return flux.create(",".join(urls), settings, audio)


def _url(place: str) -> str:
    if place in _HOSTS:
        return f"wss://{_HOSTS[place]}{flux.PATH}"
    if "://" in place:
        return place
    raise ConfigError(f"Deepgram has no region {place!r}; choose one of {', '.join(_HOSTS)}")
