"""No words: `--set recognizer=none`. Turns are taken all the same, and say `[speech]`."""

from dataclasses import dataclass

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Words
from turnkit.sources.flux_wire import Word


def create(argument: str | None, settings: Settings) -> "NoWords":  # noqa: ARG001
    """Return it. Raises ConfigError."""
    if argument is not None:
        raise ConfigError(f"recognizer none takes no argument, not {argument!r}")
    return NoWords()


@dataclass(frozen=True, slots=True)
class NoWords:
    """Nothing to load."""

    trusted: bool = False
    apart: bool = False

    def load(self) -> OpenRecognizer:
        """Return what opens the stand-in."""
        return lambda _: SpeechMark()


class SpeechMark:
    """Says `[speech]` for each stretch of speech, once it is over: a stand-in for words."""

    trusted = False
    words: Words = ()

    def __init__(self) -> None:
        self._samples = 0

    def feed(self, samples: Samples) -> None:
        """Count the time."""
        self._samples += len(samples)

    def finish(self) -> Words:
        """Return the one mark there is."""
        mark = speech_mark(self._samples)
        self.drop()
        return mark

    def drop(self) -> None:
        """Begin to count anew."""
        self._samples = 0

    def bias(self, keyterms: Keyterms) -> None:
        """Do nothing: there are no words to expect."""

    def close(self) -> None:
        """Do nothing."""


def speech_mark(samples: int) -> Words:
    """Return what stands for the words of a stretch of this length that has none."""
    return (Word("[speech]", confidence=0.0, start=0.0, end=samples / RATE_HZ),)
