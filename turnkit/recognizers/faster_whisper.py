"""OpenAI's Whisper on CTranslate2: `--set recognizer=faster-whisper:/path/to/model`.

`pip install faster-whisper`. It knows whole utterances only, so partial words come by hearing again
(`turnkit.recognizers.rerun`), and want a machine with cores to spare. Keyterms are its hotwords.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.config import Settings
from turnkit.recognizers.base import Keyterms, OpenRecognizer, Words
from turnkit.recognizers.folders import model_folder
from turnkit.recognizers.rerun import Rerun
from turnkit.sources.flux_wire import Word

_NEEDS = ("model.bin", "config.json", "tokenizer.json")


def create(argument: str | None, settings: Settings) -> "WhisperModel":
    """Return it. Raises ConfigError."""
    folder = model_folder("faster-whisper", argument, _NEEDS, package="faster_whisper")
    hints = settings.language_hints
    return WhisperModel(folder, hints[0].partition("-")[0] if hints else "en")


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A model in CTranslate2's format, and the language that is spoken."""

    folder: Path
    language: str = "en"
    trusted: bool = True
    apart: bool = True

    def load(self) -> OpenRecognizer:
        """Load it; all streams share it."""
        import faster_whisper  # noqa: PLC0415  # the user's

        model = faster_whisper.WhisperModel(str(self.folder), local_files_only=True)

        def transcribe(samples: Samples, keyterms: Keyterms) -> Words:
            segments, _ = model.transcribe(
                samples.astype(np.float32) / 32768,
                language=self.language,
                beam_size=1,
                temperature=0.0,  # its retries at others would take seconds
                condition_on_previous_text=False,
                word_timestamps=True,
                hotwords=", ".join(keyterms) or None,
            )
            return tuple(
                Word(word.word.strip(), word.probability, word.start, word.end)
                for segment in segments
                for word in segment.words or ()
                if word.word.strip()
            )

        return lambda keyterms: Rerun(transcribe, keyterms)
