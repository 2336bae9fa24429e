"""Partial words from models that know whole utterances only: heard again as they grow.

A stretch is transcribed again whenever it has grown by a quarter, and by 0.48 s at least, so that
all its partial words together cost about five times its final ones. When they come depends on the
audio alone.
"""

from collections.abc import Callable
from typing import TypeAlias

import msgspec
import numpy as np

from turnkit.audio.frames import Samples
from turnkit.recognizers.base import RATE_HZ, Keyterms, Words
from turnkit.sources.flux_wire import Word

Transcribe: TypeAlias = Callable[[Samples, Keyterms], Words]

_STEP_SAMPLES = round(0.48 * RATE_HZ)
_GROWTH = 4
_LIMIT_SAMPLES = 28 * RATE_HZ
"""Whisper hears 30 s at once. What is longer is cut here, and its words so far stay."""


class Rerun:
    """One stream of a model that transcribes."""

    trusted = True

    def __init__(self, transcribe: Transcribe, keyterms: Keyterms) -> None:
        self._transcribe = transcribe
        self._keyterms = keyterms
        self._pieces: list[Samples] = []
        self._samples = self._transcribed = 0
        self._begin_s = 0.0
        self._kept: Words = ()
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch."""
        self._pieces.append(samples)
        self._samples += len(samples)
        if self._samples - self._transcribed >= max(_STEP_SAMPLES, self._samples // _GROWTH):
            self._look()
        if self._samples >= _LIMIT_SAMPLES:
            self._cut()

    def finish(self) -> Words:
        """End the stretch and return what it says."""
        self._look()
        words = self.words
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        self._pieces = []
        self._samples = self._transcribed = 0
        self._begin_s = 0.0
        self._kept = self.words = ()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words from now on."""
        self._keyterms = keyterms

    def close(self) -> None:
        """Give its memory back."""
        self.drop()

    def _look(self) -> None:
        if self._samples == self._transcribed:
            return
        self._transcribed = self._samples
        self._pieces = [np.concatenate(self._pieces)]
        heard = self._transcribe(self._pieces[0], self._keyterms)
        self.words = self._kept + tuple(_later(word, self._begin_s) for word in heard)

    def _cut(self) -> None:
        self._look()
        self._kept = self.words
        self._begin_s += self._samples / RATE_HZ
        self._pieces = []
        self._samples = self._transcribed = 0


def _later(word: Word, seconds: float) -> Word:
    assert word.start is not None
    assert word.end is not None
    return msgspec.structs.replace(word, start=word.start + seconds, end=word.end + seconds)
