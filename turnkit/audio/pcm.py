"""From any encoding a wire carries to samples, and to linear16."""

from collections.abc import Callable
from typing import assert_never

import numpy as np

from turnkit.audio.frames import Encoding, Samples, samples_of
from turnkit.audio.g711 import decode_alaw, decode_mulaw


def decode(data: bytes, encoding: Encoding) -> Samples:
    """Return the samples, shape (n,). Raises ValueError where a sample is cut in two."""
    match encoding:
        case "linear16":
            return samples_of(data)
        case "linear32":
            return _of_floats(data)
        case "mulaw":
            return decode_mulaw(data)
        case "alaw":
            return decode_alaw(data)
        case _:
            assert_never(encoding)


def recoder(encoding: Encoding) -> Callable[[bytes], bytes] | None:
    """Return what makes linear16 of such audio; None if it is."""
    if encoding == "linear16":
        return None
    return lambda data: decode(data, encoding).tobytes()


def _of_floats(data: bytes) -> Samples:
    """Read 32-bit little-endian floats of -1 to 1; what is not a number is silence."""
    floats = np.nan_to_num(np.frombuffer(data, "<f4"), posinf=1, neginf=-1)
    return np.asarray(np.rint(np.clip(floats, -1, 1) * np.float32(32767)), "<i2")
