"""The face of sherpa-onnx 2.0.1; hears a piece of a word for each 0.16 s, in steps of 0.32 s."""

from dataclasses import dataclass, field
from pathlib import Path

MADE = []
STEP = 5120
PIECES = (" GO", " FOR", "WARD", " TEN")


@dataclass
class OnlineRecognizerResult:
    tokens: list[str]
    timestamps: list[float]


@dataclass
class OnlineStream:
    hotwords: str | None
    samples: int = 0
    decoded: int = 0
    ended: bool = False

    def accept_waveform(self, sample_rate, waveform):
        assert sample_rate == 16000
        assert not self.ended
        assert waveform.dtype == "float32"
        self.samples += len(waveform)

    def input_finished(self):
        self.ended = True


@dataclass
class OnlineRecognizer:
    made: dict = field(default_factory=dict)

    @classmethod
    def from_transducer(cls, tokens, encoder, decoder, joiner, num_threads=2, **more):
        files = (tokens, encoder, decoder, joiner)
        assert all(Path(file).is_file() for file in files)
        return cls._of("transducer", Path(encoder).name, more)

    @classmethod
    def from_zipformer2_ctc(cls, tokens, model, num_threads=2):
        assert Path(tokens).is_file()
        return cls._of("ctc", Path(model).name, {})

    @classmethod
    def _of(cls, kind, name, more):
        MADE.append((kind, name, more.get("decoding_method"), []))
        return cls()

    def create_stream(self, hotwords=None):
        MADE[-1][-1].append(hotwords)
        return OnlineStream(hotwords)

    def is_ready(self, s):
        return s.samples - s.decoded >= (1 if s.ended else STEP)

    def decode_stream(self, s):
        s.decoded = min(s.decoded + STEP, s.samples)

    def get_result_all(self, s):
        count = min(s.decoded // 2560, len(PIECES))
        return OnlineRecognizerResult(list(PIECES[:count]), [n * 0.16 for n in range(count)])
