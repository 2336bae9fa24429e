"""CMU's recognizer with its own US English model: `--set recognizer=pocketsphinx`, extra `local`.

Lower case, no punctuation, many mistakes: of the words of commands and read sentences 39 % are
wrong (127 words), of casual speech 70 %. With a grammar (`--set
grammar=FILE.gram`) it hears nothing but what the grammar allows, and that it hears well.
"""

import importlib.util
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Words
from turnkit.recognizers.sphinx_decoders import Decoder, Decoders
from turnkit.sources.flux_wire import Word

# Without a second pass pocketsphinx knows no probability of a word. It gets about 35 % of the words
# of read sentences wrong, so each is worth as much as the average one.
_WORD_CONFIDENCE = 0.65
_FRAME_S = 0.01  # pocketsphinx counts time in these

# It keeps the interpreter's lock while it works. Between slices of 10 ms we let it go: without a
# process of its own an event loop is then held up by 5 ms (p99), and not by 18 ms.
_SLICE_SAMPLES = 160

# The mean of the cepstra of the development pack's voices. With pocketsphinx's own 53 % of the 127
# words of its commands and read sentences are wrong, with this one 44 %, and 39 % if the first
# 0.6 s of a stream, most of them from before the speech was noticed, improve on it.
_AVERAGE_CEPSTRA = "44.6,4.1,-5.5,4.1,-3.1,-1.3,-1.6,-3.8,0.1,-1.5,-0.3,0.6,-1.0"
_INTRODUCTION_SAMPLES = round(0.6 * RATE_HZ)

_WAITING_SAMPLES = 2 * RATE_HZ
"""How much of a stretch is kept while no decoder is free; the rest of that stretch is not heard."""


def create(argument: str | None, settings: Settings) -> "SphinxModel":
    """Return it. Raises ConfigError where it is not installed or the grammar is no file."""
    if argument is not None:
        raise ConfigError(
            f"recognizer pocketsphinx takes no argument, not {argument!r}; it brings its model"
        )
    if importlib.util.find_spec("pocketsphinx") is None:
        raise ConfigError(
            "recognizer pocketsphinx is not installed; install it with "
            "`pip install 'turnkit[local]'`"
        )
    grammar = settings.grammar
    if grammar is not None and not grammar.is_file():
        raise ConfigError(f"grammar {grammar} is no file; name one in JSGF, such as digits.gram")
    return SphinxModel(
        grammar and grammar.absolute(), settings.recognizer_decoders, settings.keyterms
    )


@dataclass(frozen=True, slots=True)
class SphinxModel:
    """The model that comes with the package, and how many decoders there may be of it."""

    grammar: Path | None = None
    decoders: int = 1
    keyterms: Keyterms = ()
    """What most streams will expect, so that it can be got ready for."""
    trusted: bool = False
    apart: bool = True

    def load(self) -> OpenRecognizer:
        """Return what opens recognizers that share the decoders."""
        decoders = Decoders(self.decoders, self.grammar, self.keyterms)
        return lambda keyterms: Pocketsphinx(decoders, keyterms)


class Pocketsphinx:
    """Hears one stream, with a decoder that it borrows while somebody speaks.

    What a decoder learns of a voice, the mean of its cepstra, stays with the stream, so that it
    makes no difference which decoder hears it, or whom that heard before. The first 0.6 s of a
    stream are heard twice for it: first for that mean alone.
    """

    trusted = False

    def __init__(self, decoders: Decoders | None = None, keyterms: Keyterms = ()) -> None:
        self._decoders = decoders or Decoders(1)
        self._keyterms = keyterms
        self._decoder: Decoder | None = None
        self._cepstra = _AVERAGE_CEPSTRA
        self._introduced = False
        self._waiting: list[Samples] = []
        self._text = ""
        self._decoders.join(self, keyterms)
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch; while all decoders are taken, 2 s of it wait."""
        if self._decoder is not None:
            self._hear(self._decoder, samples)
            return
        waiting = sum(len(piece) for piece in self._waiting)
        self._waiting.append(samples[: _WAITING_SAMPLES - waiting])
        if self._introduced or waiting + len(samples) >= _INTRODUCTION_SAMPLES:
            self._begin()

    def finish(self) -> Words:
        """End the stretch and return what it says: nothing if no decoder was free in all of it."""
        if self._decoder is None and any(len(piece) for piece in self._waiting):
            self._begin()
        if self._decoder is not None:
            self._decoder.sphinx.end_utt()
            self._look(self._decoder)
        words = self.words
        self._forget()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        if self._decoder is not None:
            self._decoder.sphinx.end_utt()
        self._forget()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words from the next stretch on; opening a decoder for them takes 0.6 s."""
        self._keyterms = keyterms
        self._decoders.join(self, keyterms)

    def close(self) -> None:
        """Give the decoder back."""
        self.drop()
        self._decoders.leave(self)

    def _begin(self) -> None:
        """Borrow a decoder, if one is free, and let it hear what waited."""
        self._decoder = decoder = self._decoders.take(self._keyterms)
        if decoder is None:
            return
        waiting, self._waiting = np.concatenate(self._waiting), []
        decoder.sphinx.set_cmn(self._cepstra)
        decoder.sphinx.start_utt()
        if not self._introduced:
            self._introduced = True
            decoder.sphinx.process_raw(waiting.tobytes(), True, False)  # noqa: FBT003  # no search
            decoder.sphinx.end_utt()
            decoder.sphinx.get_cmn(True)  # noqa: FBT003  # now it holds the mean of this voice
            decoder.sphinx.start_utt()
        self._hear(decoder, waiting)

    def _hear(self, decoder: Decoder, samples: Samples) -> None:
        process = decoder.sphinx.process_raw
        for start in range(0, len(samples), _SLICE_SAMPLES):
            process(samples[start : start + _SLICE_SAMPLES].tobytes(), False, False)  # noqa: FBT003
            time.sleep(0)
        self._look(decoder)

    def _look(self, decoder: Decoder) -> None:
        hypothesis = decoder.sphinx.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        if text != self._text:
            self._text = text
            self.words = tuple(
                word for segment in decoder.sphinx.seg() for word in _words(segment, decoder)
            )

    def _forget(self) -> None:
        if self._decoder is not None:
            self._cepstra = self._decoder.sphinx.get_cmn(True)  # noqa: FBT003  # with this stretch
            self._decoders.give(self._decoder)
        self._decoder = None
        self._waiting = []
        self._text = ""
        self.words = ()


class _Segment(Protocol):
    word: str
    start_frame: int
    end_frame: int


def _words(segment: _Segment, decoder: Decoder) -> list[Word]:
    """Return what a segment says: no word if it is a noise, and more than one if it is a phrase."""
    if segment.word[0] in "<[(":  # <s>, </s>, <sil>, [NOISE], [SPEECH], (NULL)
        return []
    name = segment.word.partition("(")[0]  # for(2) is another way to say "for"
    said = decoder.phrases.get(name, name).split()
    start_s = segment.start_frame * _FRAME_S
    step_s = ((segment.end_frame + 1) * _FRAME_S - start_s) / len(said)
    return [
        Word(
            word,
            confidence=_WORD_CONFIDENCE,
            start=start_s + n * step_s,
            end=start_s + (n + 1) * step_s,
        )
        for n, word in enumerate(said)
    ]
