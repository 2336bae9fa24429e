"""Kaldi's models, streaming: `--set recognizer=vosk:/path/to/vosk-model-small-en-us-0.15`.

`pip install vosk`. Vosk cannot be biased while it runs, so keyterms have no effect.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Words
from turnkit.recognizers.folders import model_folder
from turnkit.sources.flux_wire import Word

_NEEDS = ("am/final.mdl|final.mdl", "conf/mfcc.conf|mfcc.conf")
_UNKNOWN = "[unk]"


def create(argument: str | None, settings: Settings) -> "VoskModel":  # noqa: ARG001
    """Return it. Raises ConfigError."""
    return VoskModel(model_folder("vosk", argument, _NEEDS, package="vosk"))


@dataclass(frozen=True, slots=True)
class VoskModel:
    """One of the models at alphacephei.com/vosk/models."""

    folder: Path
    trusted: bool = True
    apart: bool = True

    def load(self) -> OpenRecognizer:
        """Load it; all streams share it."""
        import vosk  # noqa: PLC0415  # the user's

        vosk.SetLogLevel(-1)
        model = vosk.Model(str(self.folder))
        return lambda _: Vosk(lambda: vosk.KaldiRecognizer(model, RATE_HZ))


class _Heard(msgspec.Struct):
    word: str
    start: float
    end: float
    conf: float = 1.0


class _Result(msgspec.Struct):
    """What Vosk says: a finished utterance, or one that goes on."""

    result: list[_Heard] = []
    partial_result: list[_Heard] = []
    partial: str = ""
    text: str = ""


_decode = msgspec.json.Decoder(_Result).decode


class Vosk:
    """One stream; each stretch gets a recognizer of Vosk's, whose clock begins with it."""

    trusted = True

    def __init__(self, begin: Any) -> None:
        self._begin = begin
        self._kaldi: Any = None
        self._ended: Words = ()
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch."""
        if self._kaldi is None:
            self._kaldi = self._begin()
            self._kaldi.SetWords(True)  # noqa: FBT003  # Vosk's own
            self._kaldi.SetPartialWords(True)  # noqa: FBT003
        if self._kaldi.AcceptWaveform(samples.tobytes()):  # it heard an end of its own
            self._ended += _words(_decode(self._kaldi.Result()).result)
            self.words = self._ended
        else:
            self.words = self._ended + _words(_decode(self._kaldi.PartialResult()).partial_result)

    def finish(self) -> Words:
        """End the stretch and return what it says."""
        words = self._ended
        if self._kaldi is not None:
            words += _words(_decode(self._kaldi.FinalResult()).result)
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        self._kaldi = None
        self._ended = self.words = ()

    def bias(self, keyterms: Keyterms) -> None:
        """Do nothing: Vosk's vocabulary is that of its model."""

    def close(self) -> None:
        """Give its memory back."""
        self.drop()


def _words(heard: list[_Heard]) -> Words:
    return tuple(Word(h.word, h.conf, h.start, h.end) for h in heard if h.word != _UNKNOWN)
