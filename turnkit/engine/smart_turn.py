"""A second opinion on a pause: smart-turn v3, a small network that hears the turn's last 8 s.

The model is not part of turnkit. `smart_turn` names the onnx file of pipecat-ai/smart-turn
(BSD-2-Clause), or says `auto`: then it is used where the package `pipecat-ai`, which carries it, is
installed beside us. It needs onnxruntime (extra `smart-turn`) and takes 60 ms of one core, once a
pause; so it runs where the engine does, in a worker thread.

What it hears is Whisper's log-mel spectrogram (Radford et al. 2022, and the reference
implementation's `log_mel_spectrogram`), of audio scaled to mean 0 and variance 1.
"""

import importlib.util
from collections.abc import Callable
from functools import cache
from math import log
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples
from turnkit.errors import ConfigError

Floats: TypeAlias = npt.NDArray[np.float32]

RATE_HZ = 16000
HEARD_S = 8
HEARD_SAMPLES = HEARD_S * RATE_HZ
AUTO = "auto"

_WINDOW, _HOP, _BANDS = 400, 160, 80
_FRAMES = HEARD_SAMPLES // _HOP
_RANGE = 8.0  # decades: what is quieter is cut off
_SURE = 1e-4  # no probability is taken to be nearer to 0 or 1
_PACKAGE_FILES = "audio/turn/smart_turn/data/smart-turn-v3*.onnx"


class Opinion(Protocol):
    """Says of the audio up to a pause how likely it is that the turn is over."""

    def log_odds(self, turn: Samples) -> float:
        """Return the logarithm of the odds, given the turn so far at `RATE_HZ`."""


def find_smart_turn(setting: str | None) -> Path | None:
    """Return the onnx file that a setting names, without loading it; None if none is wanted.

    Args:
        setting: the file; `auto` for the one of an installed pipecat-ai, if there is one and
            onnxruntime as well; None for none.

    Raises:
        ConfigError: the file is not there, or onnxruntime is not.
    """
    if setting is None:
        return None
    runtime = importlib.util.find_spec("onnxruntime") is not None
    if setting == AUTO:
        return _in_package() if runtime else None
    if not runtime:
        raise ConfigError("smart_turn needs onnxruntime: pip install 'turnkit[smart-turn]'")
    path = Path(setting)
    if not path.is_file():
        raise ConfigError(f"smart_turn: {setting!r} is no file; name the onnx file, or say auto")
    return path


@cache
def load_smart_turn(path: Path) -> "SmartTurn":
    """Return the network in this file, loaded once for all streams. Raises ConfigError."""
    return SmartTurn(path)


def log_mel(samples: Samples) -> Floats:
    """Return the spectrogram of the last `HEARD_SAMPLES`, silence before them: shape (80, 800)."""
    heard = samples[-HEARD_SAMPLES:].astype(np.float32) / np.float32(32768)
    heard = np.pad(heard, (HEARD_SAMPLES - len(heard), 0))
    scaled = (heard - heard.mean()) / np.sqrt(heard.var() + np.float32(1e-7))
    padded = np.pad(scaled, _WINDOW // 2, "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP][:_FRAMES]
    spectrum = np.fft.rfft(windows * _window(), axis=1)
    power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
    decades = np.log10(np.maximum(_filters() @ power.T, np.float32(1e-10)))
    return np.asarray((np.maximum(decades, decades.max() - _RANGE) + 4) / 4, np.float32)


class SmartTurn:
    """The network as a file. Safe for several threads at once."""

    def __init__(self, path: Path) -> None:
        """Load it, which takes 60 ms and 28 MB. Raises ConfigError."""
        import onnxruntime  # noqa: PLC0415  # extra `smart-turn`

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # calls share the machine
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # noqa: BLE001  # onnxruntime has a class for each cause
            raise ConfigError(f"smart_turn: {path} cannot be loaded: {exc}") from None
        shapes = [given.shape[1:] for given in session.get_inputs()]
        if shapes != [[_BANDS, _FRAMES]]:
            raise ConfigError(
                f"smart_turn: {path} takes input of shape {shapes}, not [[{_BANDS}, {_FRAMES}]]; "
                "is it smart-turn v3?"
            )
        self._name: str = session.get_inputs()[0].name
        self._run: Callable[..., Any] = session.run

    def log_odds(self, turn: Samples) -> float:
        """Return the network's logit."""
        (answer, *_) = self._run(None, {self._name: log_mel(turn)[None]})
        over = min(max(float(answer.ravel()[0]), _SURE), 1 - _SURE)
        return log(over / (1 - over))


def _in_package() -> Path | None:
    """Return the newest model file of an installed pipecat-ai, without importing it."""
    spec = importlib.util.find_spec("pipecat")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if files := sorted(Path(folder).glob(_PACKAGE_FILES)):
            return files[-1]
    return None


@cache
def _window() -> Floats:
    return np.asarray(np.hanning(_WINDOW + 1)[:-1], np.float32)


@cache
def _filters() -> Floats:
    """Return Slaney's filters, linear up to 1 kHz and each of area 1, as librosa makes them."""
    hz = np.linspace(0, RATE_HZ / 2, _WINDOW // 2 + 1)
    edges = _slaney_hz(np.linspace(0, _slaney(RATE_HZ / 2), _BANDS + 2))
    rising = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    areas = (edges[2:] - edges[:-2])[:, None] / 2
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) / areas, np.float32)


_KNEE_HZ, _KNEE = 1000.0, 15.0
_STEP = log(6.4) / 27


def _slaney(hz: float) -> float:
    return hz * 3 / 200 if hz < _KNEE_HZ else _KNEE + log(hz / _KNEE_HZ) / _STEP


def _slaney_hz(mels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    above = _KNEE_HZ * np.exp(_STEP * (np.maximum(mels, _KNEE) - _KNEE))
    return np.asarray(np.where(mels < _KNEE, mels * 200 / 3, above), np.float64)
