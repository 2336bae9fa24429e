"""The face of moonshine-voice 0.1.5; hears a word for each 0.5 s, the fourth on a new line."""

from dataclasses import dataclass
from enum import IntEnum

TOLD = []


class ModelArch(IntEnum):
    TINY = 0
    BASE = 1
    TINY_STREAMING = 2


def string_to_model_arch(model_arch_string):
    return ModelArch[model_arch_string.upper().replace("-", "_")]


@dataclass
class WordTiming:
    word: str
    start: float
    end: float
    confidence: float


@dataclass
class TranscriptLine:
    text: str
    start_time: float
    duration: float
    words: list[WordTiming] | None = None


@dataclass
class Transcript:
    lines: list[TranscriptLine]


class Transcriber:
    def __init__(self, model_path, model_arch=ModelArch.BASE, update_interval=0.5, options=None):
        self.arch = model_arch

    def set_keyterms(self, keyterms):
        assert self.arch == ModelArch.TINY_STREAMING
        TOLD.append(list(keyterms))

    def create_stream(self, update_interval=None, flags=0, transcribe_flags=0):
        return Stream(self, update_interval)

    def close(self):
        pass


class Stream:
    def __init__(self, transcriber, update_interval):
        assert update_interval == float("inf")
        self._samples = 0

    def start(self):
        pass

    def add_audio(self, audio_data, sample_rate=16000):
        assert isinstance(audio_data, list)
        self._samples += len(audio_data)

    def update_transcription(self, flags=0):
        count = self._samples // 8000
        first = " ".join(f"w{n}" for n in range(min(count, 3)))
        lines = [TranscriptLine(first, 0.0, 0.5 * min(count, 3))] if count else []
        if count > 3:
            lines.append(TranscriptLine("w3", 1.5, 0.5, [WordTiming(" w3", 1.5, 2.0, 0.7)]))
        return Transcript(lines)

    def stop(self):
        return self.update_transcription() if self._samples < 80000 else None

    def close(self):
        pass
