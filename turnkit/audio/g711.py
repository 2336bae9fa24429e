"""G.711, the telephone's 8 bits a sample: mu-law (America, Japan) and A-law (elsewhere).

One table for each law and direction, bit-exact with the arithmetic of ITU-T G.711. Each is built
at its first use, the larger two in some 2 ms; after that 20 ms of a call costs 1.3 us.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples

Codes = npt.NDArray[np.uint8]
_Integers = npt.NDArray[np.int32]

_MULAW_BIAS = 33  # makes the segments' ends powers of two
_MULAW_ENDS = (1 << np.arange(6, 14)) - 1  # the largest biased magnitude of each segment
_ALAW_ENDS = (1 << np.arange(5, 13)) - 1


def encode_mulaw(samples: Samples) -> bytes:
    """Return one mu-law byte for each sample."""
    return _mulaw_codes()[samples.view(np.uint16)].tobytes()


def decode_mulaw(data: bytes) -> Samples:
    """Return one sample for each mu-law byte."""
    return _mulaw_samples()[np.frombuffer(data, np.uint8)]


def encode_alaw(samples: Samples) -> bytes:
    """Return one A-law byte for each sample."""
    return _alaw_codes()[samples.view(np.uint16)].tobytes()


def decode_alaw(data: bytes) -> Samples:
    """Return one sample for each A-law byte."""
    return _alaw_samples()[np.frombuffer(data, np.uint8)]


@cache
def _mulaw_codes() -> Codes:
    """Return the code of each sample, at the sample's own 16 bits."""
    linear = _every_sample() >> 2  # arithmetic: -1 stays -1, which is what makes it bit-exact
    magnitude = np.minimum(np.abs(linear) + _MULAW_BIAS, _MULAW_ENDS[-1])
    segment = np.searchsorted(_MULAW_ENDS, magnitude)
    code = segment << 4 | magnitude >> (segment + 1) & 0xF
    return np.asarray(code ^ np.where(linear < 0, 0x7F, 0xFF), np.uint8)


@cache
def _alaw_codes() -> Codes:
    """Return the code of each sample, at the sample's own 16 bits."""
    linear = _every_sample() >> 3
    magnitude = np.where(linear < 0, -linear - 1, linear)
    segment = np.searchsorted(_ALAW_ENDS, magnitude)
    code = segment << 4 | magnitude >> np.maximum(segment, 1) & 0xF
    return np.asarray(code ^ np.where(linear < 0, 0x55, 0xD5), np.uint8)


@cache
def _mulaw_samples() -> Samples:
    code = ~np.arange(256)
    bias = _MULAW_BIAS << 2
    magnitude = (((code & 0xF) << 3) + bias << ((code & 0x70) >> 4)) - bias
    return np.asarray(np.where(code & 0x80, -magnitude, magnitude), np.int16)


@cache
def _alaw_samples() -> Samples:
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 0xF) << 4) + np.where(segment == 0, 0x8, 0x108)
    magnitude = step << np.maximum(segment - 1, 0)
    return np.asarray(np.where(code & 0x80, magnitude, -magnitude), np.int16)


def _every_sample() -> _Integers:
    """Return all 65,536 samples, each at the index its bits make: 0 to 32767, -32768 to -1."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)
