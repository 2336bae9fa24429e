"""Ears whose every word is known: for testing the engine, and what runs on it, without speech.

Audio made to measure goes in: a tone stands for speech, and each 0.24 s of it for a word.
"""

from collections.abc import Iterable

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.sources.flux_wire import ServerMessage, TurnInfo, Word

RATE_HZ = 16000
WORD_S = 0.24

_LOUD = 1000


def speech(seconds: float) -> bytes:
    """Return what the ears here take for speech, as 16 kHz linear16: a tone of 1 kHz."""
    high = np.arange(round(seconds * RATE_HZ)) // 8 % 2
    return np.where(high, _LOUD, -_LOUD).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    """Return silence, as 16 kHz linear16."""
    return bytes(round(seconds * RATE_HZ) * 2)


class LoudnessVad:
    """Takes for speech what is not digital silence."""

    def speech_probability(self, window: Samples) -> float:
        """Return 1 or 0."""
        return float(window.any())


class CountingRecognizer:
    """Makes out one word of its vocabulary for each 0.24 s of speech, or the nearest at the end.

    With an empty vocabulary it hears speech and no words.
    """

    trusted = True

    def __init__(self, vocabulary: str = "one two three four five six seven eight nine") -> None:
        self._vocabulary = vocabulary.split()
        self._loud_samples = 0

    @property
    def words(self) -> tuple[Word, ...]:
        """The words that are certainly complete."""
        return self._first(int(self._spoken))

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch."""
        self._loud_samples += int(np.count_nonzero(samples))

    def finish(self) -> tuple[Word, ...]:
        """End the stretch and return its words."""
        words = self._first(round(self._spoken))
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        self._loud_samples = 0

    def bias(self, keyterms: tuple[str, ...]) -> None:
        """Expect what it expects anyway."""

    def close(self) -> None:
        """Do nothing."""

    @property
    def _spoken(self) -> float:
        return self._loud_samples / RATE_HZ / WORD_S

    def _first(self, count: int) -> tuple[Word, ...]:
        return tuple(
            Word(word, 0.9, n * WORD_S, (n + 1) * WORD_S)
            for n, word in enumerate(self._vocabulary[:count])
        )


def told(
    messages: Iterable[ServerMessage], *, updates: bool = False
) -> list[tuple[str, float, str]]:
    """Put turn events in short: which, at what second of the audio, with what words."""
    return [
        (message.event, message.audio_window_end, message.transcript)
        for message in messages
        if isinstance(message, TurnInfo) and (updates or message.event != "Update")
    ]
