"""Words from speech, while it is being spoken.

A recognizer is fed stretches of speech, each with a little silence around it, and is asked after
each frame what it makes of it so far. Two are here: pocketsphinx, which brings its English model
with it (extra `local`), and a stand-in that only says that there was speech.
"""

import importlib.util
import time
from typing import Protocol, TypeAlias

from turnkit.audio.frames import Samples
from turnkit.sources.flux_wire import Word

RATE_HZ = 16000

Words: TypeAlias = tuple[Word, ...]

# Without a second pass pocketsphinx knows no probability of a word. It gets about 35 % of the words
# of read sentences wrong, so each is worth as much as the average one.
_WORD_CONFIDENCE = 0.65
_FRAME_S = 0.01  # pocketsphinx counts time in these

# How many states of its models it keeps in play. Its own 30000 make 79.5 % of 448 words wrong, in
# 0.21 s for a second of speech and at worst 202 ms for 80 ms; these 78.8 %, 0.12 s and 61 ms.
_STATES = 5000

# It keeps the interpreter's lock while it works. Between slices of 10 ms we let it go, so that an
# event loop is held up by 5 ms (99th percentile; at worst 20 ms), and not by 18 ms (33 ms).
_SLICE_SAMPLES = 160


class Recognizer(Protocol):
    """Hears one stretch of speech after another; times of words count from a stretch's start."""

    @property
    def words(self) -> Words:
        """What the stretch so far seems to say; any of it may still change."""

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch, at `RATE_HZ`."""

    def finish(self) -> Words:
        """End the stretch and return what it says; the next `feed` begins another."""

    def drop(self) -> None:
        """End the stretch, whatever it says."""


def pocketsphinx_installed() -> bool:
    """Tell whether real words can be had."""
    return importlib.util.find_spec("pocketsphinx") is not None


def open_recognizer() -> Recognizer:
    """Return a recognizer for one stream: the better one that is installed."""
    return Pocketsphinx() if pocketsphinx_installed() else SpeechMark()


class SpeechMark:
    """Says `[speech]` for each stretch of speech, once it is over: a stand-in for words."""

    words: Words = ()

    def __init__(self) -> None:
        self._samples = 0

    def feed(self, samples: Samples) -> None:
        """Count the time."""
        self._samples += len(samples)

    def finish(self) -> Words:
        """Return the one mark there is."""
        mark = Word("[speech]", confidence=0.0, start=0.0, end=self._samples / RATE_HZ)
        self.drop()
        return (mark,)

    def drop(self) -> None:
        """Begin to count anew."""
        self._samples = 0


class Pocketsphinx:
    """CMU's recognizer with its own US English model: lower case, no punctuation, many mistakes.

    Of the words of commands and read sentences 38 % are wrong (127 words), of mumbled and disfluent
    speech nearly all. Opening one takes 0.25 to 0.4 s, during which no other thread of the process
    runs, and 93 MB, none of it shared: a decoder holds the state of its speaker and must not be
    used by two streams.
    """

    def __init__(self) -> None:
        import pocketsphinx  # noqa: PLC0415  # extra `local`

        # The two further passes over a finished stretch would make its words 2 to 5 points better,
        # and its end 0.2 s (at worst 1.7 s) later: without them it takes 4 ms.
        self._decoder = pocketsphinx.Decoder(
            samprate=RATE_HZ, bestpath=False, fwdflat=False, maxhmmpf=_STATES, loglevel="FATAL"
        )
        self._listening = False
        self._text = ""
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch."""
        if not self._listening:
            self._decoder.start_utt()
            self._listening = True
        for start in range(0, len(samples), _SLICE_SAMPLES):
            piece = samples[start : start + _SLICE_SAMPLES]
            self._decoder.process_raw(piece.tobytes(), False, False)  # noqa: FBT003  # C's own order
            time.sleep(0)
        self._look()

    def finish(self) -> Words:
        """End the stretch and return what it says."""
        if self._listening:
            self._decoder.end_utt()
            self._look()
        words = self.words
        self._forget()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        if self._listening:
            self._decoder.end_utt()
        self._forget()

    def _look(self) -> None:
        hypothesis = self._decoder.hyp()
        text = hypothesis.hypstr if hypothesis else ""
        if text != self._text:
            self._text = text
            self.words = tuple(_word(s) for s in self._decoder.seg() if _is_word(s.word))

    def _forget(self) -> None:
        self._listening = False
        self._text = ""
        self.words = ()


class _Segment(Protocol):
    word: str
    start_frame: int
    end_frame: int


def _is_word(name: str) -> bool:
    return name[0] not in "<["  # <s>, </s>, <sil>, [NOISE], [SPEECH]


def _word(segment: _Segment) -> Word:
    return Word(
        segment.word.partition("(")[0],  # for(2) is another way to say "for"
        confidence=_WORD_CONFIDENCE,
        start=segment.start_frame * _FRAME_S,
        end=(segment.end_frame + 1) * _FRAME_S,
    )
