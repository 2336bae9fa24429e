"""Next-generation Kaldi's models, streaming: `--set recognizer=sherpa-onnx:/path/to/model`.

`pip install sherpa-onnx`. A streaming transducer (encoder, decoder, joiner) or a streaming
zipformer2 with CTC. Keyterms work with a transducer that brings its `bpe.vocab`.
"""

from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.recognizers.base import RATE_HZ, Keyterms, OpenRecognizer, Words
from turnkit.recognizers.folders import best_file, model_folder
from turnkit.sources.flux_wire import Word

_NEEDS = ("tokens.txt", "encoder*.onnx|*ctc*.onnx|model*.onnx")
_WORD_BEGINS = (" ", "▁")  # sherpa-onnx writes SentencePiece's sign as a space
_CONFIDENCE = 0.9  # streaming models here are wrong in about one word of ten
_LONGEST_S = 0.5  # its times are those of beginnings; no word but a name lasts longer
_TAIL = np.zeros(round(0.3 * RATE_HZ), np.float32)  # what the encoder looks ahead


def create(argument: str | None, settings: Settings) -> "SherpaModel":  # noqa: ARG001
    """Return it. Raises ConfigError."""
    return SherpaModel(model_folder("sherpa-onnx", argument, _NEEDS, package="sherpa_onnx"))


@dataclass(frozen=True, slots=True)
class SherpaModel:
    """One of the online models at k2-fsa.github.io/sherpa/onnx/pretrained_models."""

    folder: Path
    trusted: bool = True
    apart: bool = True

    def load(self) -> OpenRecognizer:
        """Load it; all streams share it."""
        vocabulary = self.folder / "bpe.vocab"
        transducer = best_file(self.folder, "encoder*.onnx") is not None
        online = self._transducer(vocabulary) if transducer else self._ctc()
        biased = transducer and vocabulary.is_file()
        upper = _is_upper(self.folder / "tokens.txt")
        return lambda keyterms: Sherpa(online, keyterms, biased=biased, upper=upper)

    def _transducer(self, vocabulary: Path) -> Any:
        from sherpa_onnx import OnlineRecognizer  # noqa: PLC0415  # the user's

        biased = (
            {
                "decoding_method": "modified_beam_search",
                "modeling_unit": "bpe",
                "bpe_vocab": str(vocabulary),
            }
            if vocabulary.is_file()
            else {}
        )
        return OnlineRecognizer.from_transducer(
            tokens=str(self.folder / "tokens.txt"),
            encoder=str(best_file(self.folder, "encoder*.onnx")),
            decoder=str(best_file(self.folder, "decoder*.onnx")),
            joiner=str(best_file(self.folder, "joiner*.onnx")),
            num_threads=1,
            **biased,
        )

    def _ctc(self) -> Any:
        from sherpa_onnx import OnlineRecognizer  # noqa: PLC0415  # the user's

        model = best_file(self.folder, "*ctc*.onnx") or best_file(self.folder, "model*.onnx")
        return OnlineRecognizer.from_zipformer2_ctc(
            tokens=str(self.folder / "tokens.txt"), model=str(model), num_threads=1
        )


class Sherpa:
    """One stream; each stretch is a stream of sherpa-onnx's."""

    trusted = True

    def __init__(self, online: Any, keyterms: Keyterms, *, biased: bool, upper: bool) -> None:
        self._online = online
        self._upper = upper
        self._biased = biased
        self._keyterms = keyterms
        self._stream: Any = None
        self.words: Words = ()

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch."""
        if self._stream is None:
            self._stream = self._begun()
        self._hear(samples.astype(np.float32) / 32768)

    def finish(self) -> Words:
        """End the stretch and return what it says."""
        if self._stream is not None:
            self._stream.accept_waveform(RATE_HZ, _TAIL)
            self._stream.input_finished()
            self._look()
        words = self.words
        self.drop()
        return words

    def drop(self) -> None:
        """End the stretch, whatever it says."""
        self._stream = None
        self.words = ()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words from the next stretch on, if the model can."""
        self._keyterms = keyterms

    def close(self) -> None:
        """Give its memory back."""
        self.drop()

    def _begun(self) -> Any:
        terms = [term.replace("/", " ") for term in self._keyterms if self._biased]
        if not terms:
            return self._online.create_stream()
        hotwords = "/".join(terms)  # its own separator
        return self._online.create_stream(hotwords.upper() if self._upper else hotwords)

    def _hear(self, wave: Any) -> None:
        self._stream.accept_waveform(RATE_HZ, wave)
        self._look()

    def _look(self) -> None:
        while self._online.is_ready(self._stream):
            self._online.decode_stream(self._stream)
        result = self._online.get_result_all(self._stream)
        self.words = _words(result.tokens, result.timestamps, lower=self._upper)


def _words(tokens: list[str], times: list[float], *, lower: bool) -> Words:
    """Put the pieces of words together; each begins with its first piece."""
    spelled: list[tuple[str, float, float]] = []
    for token, time_s in zip(tokens, times, strict=False):
        text = token.lstrip("".join(_WORD_BEGINS))
        if spelled and not token.startswith(_WORD_BEGINS):
            before, start_s, _ = spelled[-1]
            spelled[-1] = before + text, start_s, time_s
        else:
            spelled.append((text, time_s, time_s))
    nexts = [start_s for _, start_s, _ in spelled[1:]]
    return tuple(
        Word(text.lower() if lower else text, _CONFIDENCE, start_s, min(next_s, end_s + _LONGEST_S))
        for (text, start_s, end_s), next_s in zip(spelled, [*nexts, inf], strict=False)
        if text
    )


def _is_upper(tokens: Path) -> bool:
    """Tell whether the model writes in capitals alone, which nobody wants to read."""
    letters = [line.split(" ")[0] for line in tokens.read_text("utf-8").splitlines()]
    words = "".join(letter for letter in letters if not letter.startswith("<"))
    return words.isupper()
