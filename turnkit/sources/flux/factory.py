"""From settings to a Flux client."""

from dataclasses import replace

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux.retries import RetryPolicy
from turnkit.sources.flux.source import FluxSource
from turnkit.sources.flux_query import ListenParameters


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> FluxSource:
    """Connect to the Flux server at the URL `argument`, or to one of several. Raises ConfigError.

    Args:
        argument: one URL, or more with commas between them, in the order they are to be tried.
        settings: the turn settings, the key, and how stubborn to be.
        audio: what the source will hear.
    """
    if argument is None:
        raise ConfigError("source flux needs a URL, such as flux:ws://127.0.0.1:8080/v2/listen")
    parameters = ListenParameters(
        model=settings.model,
        encoding=audio.encoding,
        sample_rate_hz=audio.sample_rate_hz,
        eager_eot_threshold=settings.eager_eot_threshold,
        eot_threshold=settings.eot_threshold,
        eot_timeout_ms=settings.eot_timeout_ms,
        keyterms=settings.keyterms,
    )
    patience = Patience(
        catch_up=settings.catch_up,
        retries=replace(RetryPolicy(), outage_s=settings.source_outage_s),
    )
    return FluxSource(argument, parameters, key=settings.deepgram_api_key, patience=patience)
