"""Flux as Deepgram hosts it."""

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources import flux

_HOSTS = {
    None: "api.deepgram.com",
    "eu": "api.eu.deepgram.com",
    "au": "api.au.deepgram.com",
    "in": "api.in.deepgram.com",
}


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> flux.FluxSource:
    """Connect to Deepgram: globally, or in the region `argument`. Raises ConfigError."""
    if argument not in _HOSTS:
        known = ", ".join(region for region in _HOSTS if region)
        raise ConfigError(f"Deepgram has no region {argument!r}; choose one of {known}, or none")
    if settings.deepgram_api_key is None:
        raise ConfigError("source deepgram needs a key: set the variable DEEPGRAM_API_KEY")
    return flux.create(f"wss://{_HOSTS[argument]}{flux.PATH}", settings, audio)
