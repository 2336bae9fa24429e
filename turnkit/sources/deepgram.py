"""Flux as Deepgram hosts it: `deepgram`, or `deepgram:eu`, or several places with commas."""

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.sources import flux


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> flux.FluxSource:
    """Connect to Deepgram. Raises ConfigError.

    Args:
        argument: a region, or several with commas between them, in the order they are to be tried;
            any other route to Flux may be among them. None is the global endpoint.
        settings: with the key among them.
        audio: what the source will hear.
    """
    return flux.create(f"deepgram:{argument or ''}", settings, audio)
