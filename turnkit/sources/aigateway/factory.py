"""From settings to a client of AIgateway."""

from dataclasses import replace

import structlog

from turnkit.aigateway import KEY
from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.route import realtime_url, routes_of
from turnkit.sources.aigateway.source import AIgatewaySource
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.retries import RetryPolicy

log = structlog.get_logger(__name__)

_FLUX_ONLY = (
    *("keyterms", "language_hints", "profanity_filter", "numerals", "redact"),
    *("mip_opt_out", "tags"),
)


def create(argument: str | None, settings: Settings, audio: AudioFormat) -> AIgatewaySource:
    """Connect to AIgateway. Raises ConfigError.

    Args:
        argument: the URL of a realtime endpoint, or several with commas between them, in the order
            they are to be tried. None is the one beside `aigateway_base_url`.
        settings: the key, the model, and when turns end.
        audio: what the source will hear; it is sent as linear16.
    """
    if settings.aigateway_api_key is None and argument is None:
        raise ConfigError(f"source aigateway needs a key: set the variable {KEY}")
    if ignored := [name for name in _FLUX_ONLY if getattr(settings, name, None)]:
        log.warning("aigateway.ignored", settings=ignored, why="the route has no such parameters")
    parameters = ListenParameters(
        model="flux-general-en",  # of our ears, which have no language
        encoding=audio.encoding,
        sample_rate_hz=audio.sample_rate_hz,
        eager_eot_threshold=settings.eager_eot_threshold,
        eot_threshold=settings.eot_threshold,
        eot_timeout_ms=settings.eot_timeout_ms,
    )
    routes = routes_of(
        argument or realtime_url(settings.aigateway_base_url),
        settings.aigateway_model,
        settings.aigateway_api_key,
        finalizes=settings.aigateway_finalize,
    )
    patience = Patience(
        catch_up=settings.catch_up,
        retries=replace(RetryPolicy(), outage_s=settings.source_outage_s),
    )
    join = Join(start=settings.aigateway_start, wait_s=settings.aigateway_wait_s)
    return AIgatewaySource(routes, parameters, join, patience=patience)
