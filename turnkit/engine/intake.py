"""Bytes of any encoding, rate and length in; frames of 16 kHz samples out."""

from typing import assert_never

import numpy as np

from turnkit.audio.framer import Framer
from turnkit.audio.frames import AudioFormat, Samples, samples_of
from turnkit.audio.g711 import decode_alaw, decode_mulaw
from turnkit.audio.resample import Resampler

RATE_HZ = 16000


class Intake:
    """Cuts one stream of audio into frames.

    A frame is so much *received* audio: the resampler may give a few samples less for the first
    one, and more or less by one for the others.
    """

    def __init__(self, audio: AudioFormat, frame_s: float) -> None:
        self._audio = audio
        self._framer = Framer(audio.bytes_in(frame_s))
        self._resampler = Resampler(audio.sample_rate_hz, RATE_HZ)

    def feed(self, data: bytes) -> list[Samples]:
        """Take in the next bytes; return the frames they complete."""
        return [self._resampler.feed(self._decode(frame)) for frame in self._framer.feed(data)]

    def _decode(self, frame: bytes) -> Samples:
        match self._audio.encoding:
            case "linear16":
                return samples_of(frame)
            case "linear32":
                return _of_floats(frame)
            case "mulaw":
                return decode_mulaw(frame)
            case "alaw":
                return decode_alaw(frame)
            case _:
                assert_never(self._audio.encoding)


def _of_floats(frame: bytes) -> Samples:
    """Read 32-bit little-endian floats of -1 to 1; what is not a number is silence."""
    floats = np.nan_to_num(np.frombuffer(frame, "<f4"), posinf=1, neginf=-1)
    return np.asarray(np.rint(np.clip(floats, -1, 1) * np.float32(32767)), np.int16)
