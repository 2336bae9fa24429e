"""Flux as Cloudflare hosts it: `cloudflare:wss://HOST/v2/listen`, a Worker or Cloudflare's own."""

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.sources import flux


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> flux.FluxSource:
    """Connect to Flux at Cloudflare. Raises ConfigError.

    Args:
        argument: the address; after a comma another route to Flux, of whatever kind, and so on.
        settings: with the Worker's secret or Cloudflare's token among them.
        audio: what the source will hear.
    """
    return flux.create(f"cloudflare:{argument or ''}", settings, audio)
