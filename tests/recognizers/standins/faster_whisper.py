"""The face of faster-whisper 1.2.1; hears a word for each 0.5 s of what it is given."""

from dataclasses import dataclass
from pathlib import Path

ASKED = []


@dataclass
class Word:
    start: float
    end: float
    word: str
    probability: float


@dataclass
class Segment:
    words: list[Word] | None


class WhisperModel:
    def __init__(self, model_size_or_path, device="auto", *, local_files_only=False):
        assert local_files_only
        assert Path(model_size_or_path).is_dir()

    def transcribe(
        self,
        audio,
        language=None,
        *,
        beam_size=5,
        temperature=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
        condition_on_previous_text=True,
        word_timestamps=False,
        hotwords=None,
    ):
        assert audio.dtype == "float32"
        assert abs(audio).max() <= 1
        ASKED.append({"language": language, "hotwords": hotwords, "seconds": len(audio) / 16000})
        words = [Word(n / 2, (n + 1) / 2, f" w{n}", 0.9) for n in range(len(audio) // 8000)]
        return iter([Segment(words if word_timestamps else None), Segment(None)]), object()
