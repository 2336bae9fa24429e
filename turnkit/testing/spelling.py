"""Speech for machines: audio that spells its words, and a recognizer that reads them.

Whoever hears such audio from any point on hears exactly the words in it, so what was said in a call
can be compared with what was understood, whatever happened to the call in between. Each word takes
0.24 s, as in `turnkit.testing.ears`; each letter in it is 20 ms of one value, for itself and its
place, with one sign and the other in turn, or it would be taken for a constant offset and removed.
It is 16 kHz linear16, and does not survive another encoding or rate.
"""

from dataclasses import dataclass

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.sources.flux_wire import Word
from turnkit.testing.ears import RATE_HZ, WORD_S

_LETTERS = 12
_LETTER_SAMPLES = round(WORD_S * RATE_HZ) // _LETTERS
_PLACE = 256  # values of samples are place * 256 + letter, with places from 1


def spell(text: str) -> bytes:
    """Return audio that says this text, of words of at most twelve letters."""
    return b"".join(_spelled(word) for word in text.split())


def _spelled(word: str) -> bytes:
    letters = word.encode("latin-1").ljust(_LETTERS, b"\0")
    assert len(letters) == _LETTERS, f"{word!r} has more than {_LETTERS} letters"
    values = [_PLACE * place + letter for place, letter in enumerate(letters, start=1)]
    signs = np.tile(np.array([1, -1], np.int16), _LETTER_SAMPLES // 2 * _LETTERS)
    return (np.repeat(np.array(values, np.int16), _LETTER_SAMPLES) * signs).tobytes()


class Reader:
    """A recognizer that makes out what `spell` says, each word when its last letter begins."""

    trusted = True

    def __init__(self) -> None:
        self.words: tuple[Word, ...] = ()
        self._samples = 0
        self._letters: list[str] = []
        self._place = 0
        self._began = 0

    def feed(self, samples: Samples) -> None:
        """Read on."""
        values = np.abs(samples)
        changes = np.flatnonzero(np.diff(values)) + 1
        for start in [0, *changes.tolist()][: len(samples)]:
            self._read(int(values[start]), self._samples + start)
        self._samples += len(samples)

    def finish(self) -> tuple[Word, ...]:
        """End the stretch and return its words."""
        words = self.words
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        self.words = ()
        self._samples = self._place = 0
        self._letters = []

    def bias(self, keyterms: tuple[str, ...]) -> None:
        """Expect what it expects anyway."""

    def close(self) -> None:
        """Do nothing."""

    def _read(self, value: int, at: int) -> None:
        place, letter = divmod(value, _PLACE)
        if place == self._place:
            return  # the same letter, from the piece before
        if place <= 1 or place < self._place:
            self._letters, self._began = [], at
        self._place = place
        if place:
            self._letters.append(chr(letter))
        if place == _LETTERS:
            self._finish_word(at)

    def _finish_word(self, at: int) -> None:
        word = "".join(self._letters).rstrip("\0")
        end = at + _LETTER_SAMPLES
        self.words += (Word(word, 0.9, self._began / RATE_HZ, end / RATE_HZ),)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of a caller in a test: its words, and the silence after them."""

    text: str
    pause_s: float = 1.5


def say(*turns: Said | str, lead_s: float = 0.4) -> bytes:
    """Return a caller's side of a call: turns, each with silence after it."""
    audio = bytes(round(lead_s * RATE_HZ) * 2)
    for turn in turns:
        said = Said(turn) if isinstance(turn, str) else turn
        audio += spell(said.text) + bytes(round(said.pause_s * RATE_HZ) * 2)
    return audio
