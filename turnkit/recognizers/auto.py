"""The best recognizer that needs no model from elsewhere: pocketsphinx, or else no words."""

import importlib.util

import structlog

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers import pocketsphinx
from turnkit.recognizers.base import SpeechModel
from turnkit.recognizers.none import NoWords

log = structlog.get_logger(__name__)


def create(argument: str | None, settings: Settings) -> SpeechModel:
    """Return what is installed. Raises ConfigError."""
    if argument is not None:
        raise ConfigError(f"recognizer auto takes no argument, not {argument!r}")
    return best_installed(settings)


def best_installed(settings: Settings | None = None) -> SpeechModel:
    """Return pocketsphinx if it is installed, or else no words, with a warning."""
    if pocketsphinx_installed():
        return pocketsphinx.create(None, settings) if settings else pocketsphinx.SphinxModel()
    log.warning("engine.words_missing", effect="turns say [speech]", install="turnkit[local]")
    return NoWords()


def pocketsphinx_installed() -> bool:
    """Tell whether real words can be had without a model from elsewhere."""
    return importlib.util.find_spec("pocketsphinx") is not None
