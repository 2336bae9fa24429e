"""From settings to a Flux client."""

from dataclasses import replace

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.flux.places import read_places
from turnkit.sources.flux.source import FluxSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.retries import RetryPolicy


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> FluxSource:
    """Connect to Flux at the place `argument`, or at one of several. Raises ConfigError.

    Args:
        argument: a URL, or whatever else `places` reads; more than one with commas between them, in
            the order they are to be tried.
        settings: the turn settings, keys and secrets, and how stubborn to be.
        audio: what the source will hear.
    """
    if argument is None:
        raise ConfigError("source flux needs a URL, such as flux:ws://127.0.0.1:8080/v2/listen")
    patience = Patience(
        catch_up=settings.catch_up,
        retries=replace(RetryPolicy(), outage_s=settings.source_outage_s),
    )
    parameters = parameters_of(settings, audio)
    return FluxSource(read_places(argument, settings), parameters, patience=patience)


def parameters_of(settings: Settings, audio: AudioFormat) -> ListenParameters:
    """Return what the settings ask of Flux. Raises ParameterRefused, which is a ConfigError."""
    return ListenParameters(
        model=settings.model,
        encoding=audio.encoding,
        sample_rate_hz=audio.sample_rate_hz,
        eager_eot_threshold=settings.eager_eot_threshold,
        eot_threshold=settings.eot_threshold,
        eot_timeout_ms=settings.eot_timeout_ms,
        keyterms=settings.keyterms,
        language_hints=settings.language_hints,
        profanity_filter=settings.profanity_filter,
        numerals=settings.numerals,
        redact=settings.redact,
        mip_opt_out=settings.mip_opt_out,
        tags=settings.tags,
    )
