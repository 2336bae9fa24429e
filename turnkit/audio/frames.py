"""What a stretch of audio is: its encoding, its rate, and its length in bytes and seconds.

Audio travels between modules as `bytes`; inside turnkit they are linear16, that is signed 16-bit
little-endian mono, unless an `AudioFormat` beside them says otherwise.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Encoding: TypeAlias = Literal["linear16", "linear32", "mulaw", "alaw"]
Samples: TypeAlias = npt.NDArray[np.int16]

FRAME_S = 0.02
"""The data plane's unit: 20 ms, which telephony sends and Flux's 80 ms is four of."""

_BYTES_PER_SAMPLE: dict[Encoding, int] = {"linear16": 2, "linear32": 4, "mulaw": 1, "alaw": 1}
_SILENCE: dict[Encoding, bytes] = {
    "linear16": b"\x00\x00",
    "linear32": b"\x00\x00\x00\x00",
    "mulaw": b"\xff",
    "alaw": b"\xd5",
}


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """An encoding of mono audio at a sample rate."""

    sample_rate_hz: int
    encoding: Encoding = "linear16"

    @property
    def sample_bytes(self) -> int:
        """How many bytes one sample takes."""
        return _BYTES_PER_SAMPLE[self.encoding]

    def bytes_in(self, seconds: float) -> int:
        """Return how many bytes so many seconds take, as a whole number of samples."""
        return round(seconds * self.sample_rate_hz) * self.sample_bytes

    def seconds_in(self, size_bytes: int) -> float:
        """Return how many seconds so many bytes last."""
        return size_bytes / self.sample_bytes / self.sample_rate_hz

    def silence(self, seconds: float) -> bytes:
        """Return digital silence of that length."""
        return _SILENCE[self.encoding] * round(seconds * self.sample_rate_hz)


def samples_of(pcm: bytes) -> Samples:
    """View linear16 bytes as int16 samples, shape (n,). Raises ValueError on an odd length."""
    return np.frombuffer(pcm, dtype="<i2")
