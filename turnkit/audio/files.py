"""Recordings: from a file into samples, and two sides of a call into a stereo WAV.

WAV needs nothing but the standard library. FLAC, Ogg, MP3, and WAV other than plain PCM, are read
with soundfile, which brings libsndfile and so is the extra `files`.
"""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples
from turnkit.audio.resample import resample
from turnkit.errors import ConfigError

_Channels = npt.NDArray[np.int16]  # shape (samples, channels)
_FULL_SCALE = 32768
_EXPECTED = "expected a WAV, FLAC, Ogg or MP3 file"
_RATES_HZ = range(1000, 768_001)  # of speech somebody may have recorded; files say anything


def read_audio(path: str | Path, sample_rate_hz: int, *, channel: int = 0) -> Samples:
    """Return one channel of a recording at the rate asked for.

    Raises:
        ConfigError: it is missing, unreadable, empty, of an unknown kind, or lacks that channel.
    """
    path = Path(path)
    try:
        channels, file_hz = _read(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror or exc}; {_EXPECTED}") from exc
    count, width = channels.shape
    if not count:
        raise ConfigError(f"{path} holds no audio; {_EXPECTED}")
    if file_hz not in _RATES_HZ:
        raise ConfigError(f"{path} says that it has {file_hz} samples a second; {_EXPECTED}")
    if not 0 <= channel < width:
        raise ConfigError(f"{path} has no channel {channel}; choose one from 0 to {width - 1}")
    return resample(channels[:, channel], file_hz, sample_rate_hz)


def write_stereo_wav(path: str | Path, left: Samples, right: Samples, sample_rate_hz: int) -> None:
    """Write both sides of a conversation, the shorter filled up with silence. Raises OSError."""
    both = np.zeros((max(len(left), len(right)), 2), "<i2")
    both[: len(left), 0] = left
    both[: len(right), 1] = right
    with Path(path).open("wb") as file, wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(sample_rate_hz)
        writer.writeframes(both.tobytes())


def _read(path: Path) -> tuple[_Channels, int]:
    """Return all channels and the file's own rate."""
    try:
        with wave.open(str(path), "rb") as reader:
            width, channels = reader.getsampwidth(), reader.getnchannels()
            data = reader.readframes(reader.getnframes())
            whole = len(data) - len(data) % (width * channels)  # a recording cut short
            return _from_pcm(data[:whole], width).reshape(-1, channels), reader.getframerate()
    except (wave.Error, EOFError):  # not a WAV, or one of floats or G.711
        return _read_with_soundfile(path)


def _from_pcm(data: bytes, width: int) -> Samples:
    """Return the upper 16 bits of each sample. WAV is unsigned at 8 bits, signed above."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8
    octets = np.frombuffer(data, np.uint8).reshape(-1, width)
    return octets[:, -2:].copy().view("<i2").reshape(-1)


def _read_with_soundfile(path: Path) -> tuple[_Channels, int]:
    try:
        import soundfile  # noqa: PLC0415  # an extra
    except (ImportError, OSError) as exc:  # OSError where libsndfile itself is missing
        raise ConfigError(
            f"{path} is no plain PCM WAV file; `pip install 'turnkit[files]'` for "
            "other WAV, FLAC, Ogg and MP3 files"
        ) from exc
    try:
        scaled, file_hz = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.error_string}; {_EXPECTED}") from exc
    samples = np.clip(np.rint(scaled * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return samples.astype(np.int16), int(file_hz)
