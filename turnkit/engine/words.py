"""The names of `turnkit.recognizers` that the engine's tests and benchmarks use most."""

from turnkit.recognizers.auto import best_installed, pocketsphinx_installed
from turnkit.recognizers.base import RATE_HZ, Recognizer, Words
from turnkit.recognizers.none import SpeechMark
from turnkit.recognizers.pocketsphinx import Pocketsphinx

__all__ = [
    "RATE_HZ",
    "Pocketsphinx",
    "Recognizer",
    "SpeechMark",
    "Words",
    "open_recognizer",
    "pocketsphinx_installed",
]


def open_recognizer() -> Recognizer:
    """Return a recognizer for one stream, in this process: the better one that is installed."""
    return best_installed().load()(())
