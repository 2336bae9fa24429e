"""The file of weights: what is in it is read, and what is no such file is refused."""

from struct import pack

import numpy as np
import pytest

from turnkit.audio.ggml import read_tensors

HEADER = pack("<2i", 0x67676D6C, 4) + b"test" + pack("<3i", 6, 2, 0) + pack("<3i", 512, 64, 1)
HEADER += pack("<3i", 129, 128, 3) + pack("<4i", 128, 128, 128, 1)


def tensor(name, values, kind=0):
    shape = values.shape[::-1]
    head = pack(f"<3i{len(shape)}i", len(shape), len(name), kind, *shape) + name.encode()
    return head + values.astype("<f2" if kind else "<f4").tobytes()


@pytest.fixture
def written(tmp_path):
    def write(data):
        path = tmp_path / "weights.bin"
        path.write_bytes(data)
        return path

    return write


def test_tensors_come_with_their_names_and_shapes(written):
    matrix, vector = np.arange(6).reshape(2, 3), np.array([0.5, -1.0])
    path = written(HEADER + tensor("matrix", matrix) + tensor("vector", vector, kind=1))
    read = read_tensors(path)
    assert list(read) == ["matrix", "vector"]
    assert np.array_equal(read["matrix"], matrix)
    assert np.array_equal(read["vector"], vector)
    assert {value.dtype for value in read.values()} == {np.dtype(np.float32)}


def test_a_single_number_has_no_dimension(written):
    assert read_tensors(written(HEADER + tensor("one", np.array(2.5))))["one"] == 2.5


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF....WAVE",
        HEADER[:20],
        HEADER + tensor("cut", np.zeros(8))[:-1],
        HEADER + pack("<3i", 9, 1, 0),
        HEADER + pack("<3i", 1, 1, 7) + pack("<i", 1) + b"x" + bytes(4),
        HEADER + pack("<3i", 0, 2, 0) + b"\xff\xfe" + bytes(4),
    ],
)
def test_anything_else_is_refused(written, data):
    with pytest.raises(ValueError, match=r"."):
        read_tensors(written(data))
