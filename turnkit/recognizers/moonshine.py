"""Moonshine's models: `--set recognizer=moonshine:/path/to/small-streaming-en`.

`pip install moonshine-voice`. Streaming models are the ones to take. The name of the folder, or of
one it is in, says which kind it is: tiny, base, tiny-streaming, base-streaming, small-streaming or
medium-streaming. Keyterms work with streaming models.
"""

import re
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Words
from turnkit.recognizers.folders import model_folder
from turnkit.sources.flux_wire import Word

_NEEDS = ("tokenizer.bin", "*.ort")
_KINDS = re.compile(r"(tiny|base|small|medium)(-streaming)?(?![a-z])")
_STEP_SAMPLES = round(0.32 * RATE_HZ)
_CONFIDENCE = 0.9


def create(argument: str | None, settings: Settings) -> "MoonshineModel":  # noqa: ARG001
    """Return it. Raises ConfigError."""
    folder = model_folder("moonshine", argument, _NEEDS, package="moonshine_voice")
    kinds = [found[0] for part in reversed(folder.parts) if (found := _KINDS.search(part))]
    if not kinds or kinds[0] in ("small", "medium"):
        raise ConfigError(
            f"recognizer moonshine: the name of {folder} does not say which kind of model it is; "
            "call it for example small-streaming-en"
        )
    return MoonshineModel(folder, kinds[0])


@dataclass(frozen=True, slots=True)
class MoonshineModel:
    """A folder of Moonshine's, and the kind of model in it."""

    folder: Path
    kind: str
    trusted: bool = True
    apart: bool = True

    def load(self) -> OpenRecognizer:
        """Load it; all streams share it."""
        from moonshine_voice import Transcriber, string_to_model_arch  # noqa: PLC0415  # the user's

        kind = string_to_model_arch(self.kind)
        shared = _Shared(Transcriber(str(self.folder), kind), biased="streaming" in self.kind)
        return lambda keyterms: Moonshine(shared, keyterms)


class _Shared:
    """The model, and which keyterms it was told last: they are its own, not a stream's."""

    def __init__(self, transcriber: Any, *, biased: bool) -> None:
        self.transcriber = transcriber
        self._biased = biased
        self._told: Keyterms = ()

    def expect(self, keyterms: Keyterms) -> None:
        """Tell it what to expect from now on, if it can."""
        if self._biased and keyterms != self._told:
            self._told = keyterms
            self.transcriber.set_keyterms([term.replace(",", " ") for term in keyterms])


class Moonshine:
    """One stream; each stretch is a stream of Moonshine's."""

    trusted = True

    def __init__(self, shared: _Shared, keyterms: Keyterms) -> None:
        self._shared = shared
        self._keyterms = keyterms
        self._stream: Any = None
        self._samples = 0
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch; its words are looked at every 0.32 s."""
        if self._stream is None:
            self._stream = self._shared.transcriber.create_stream(update_interval=inf)
            self._stream.start()
        self._stream.add_audio((samples.astype(np.float32) / 32768).tolist(), RATE_HZ)
        before, self._samples = self._samples, self._samples + len(samples)
        if before // _STEP_SAMPLES != self._samples // _STEP_SAMPLES:
            self._shared.expect(self._keyterms)
            self._look(self._stream.update_transcription())

    def finish(self) -> Words:
        """End the stretch and return what it says."""
        if self._stream is not None:
            self._shared.expect(self._keyterms)
            self._look(self._stream.stop())
        words = self.words
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None
        self._samples = 0
        self.words = ()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words from now on, if the model can."""
        self._keyterms = keyterms

    def close(self) -> None:
        """Give its memory back."""
        self.drop()

    def _look(self, transcript: Any) -> None:
        if transcript is not None:  # it could not be worked out, and what was stands
            self.words = tuple(word for line in transcript.lines for word in _words(line))


def _words(line: Any) -> list[Word]:
    """Return a line's words, with its own times or else such as share the line evenly."""
    if line.words:
        return [Word(w.word.strip(), w.confidence, w.start, w.end) for w in line.words]
    said = line.text.split()
    step_s = line.duration / max(1, len(said))
    return [
        Word(
            word,
            _CONFIDENCE,
            line.start_time + n * step_s,
            line.start_time + (n + 1) * step_s,
        )
        for n, word in enumerate(said)
    ]
