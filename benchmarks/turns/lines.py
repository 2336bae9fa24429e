"""The same call over another line: telephone, fainter, louder, from a noisy room. Pure.

Labels stay true, since nothing here moves in time.
What an endpoint makes of such a copy tells how much of its skill is about the line.
"""

from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final, TypeAlias
from zlib import crc32

import numpy as np

from benchmarks.turns.audio import at_level
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.runs import Floats
from turnkit.audio.frames import Samples
from turnkit.audio.g711 import decode_mulaw, encode_mulaw
from turnkit.audio.resample import Resampler

Line: TypeAlias = Callable[[Samples], Samples]

AS_RECORDED: Final = "as recorded"
TELEPHONE_HZ: Final = 8000
GAIN_DB: Final = 12.0
ROOM_SNR_DB: Final = (25.0, 15.0)

_FRAME_SAMPLES = RATE_HZ // 50
_SMALLEST, _LARGEST = -32768, 32767
_SILENT = 25.0  # squared: -76 dBFS is no room
_SPOKEN_PERCENT = 80  # of the frames: in a call of two, one's own speech is louder than that


def lines(rooms: Sequence[Samples]) -> Mapping[str, Line]:
    """Return every line by its name.

    Args:
        rooms: the noises of rooms; each recording is put into one of them.
    """
    noisy = {
        f"room noise {snr_db:.0f} dB below": _in_room(rooms, snr_db)
        for snr_db in (ROOM_SNR_DB if rooms else ())
    }
    return {
        AS_RECORDED: lambda samples: samples,
        "telephone, 8 kHz mu-law": telephone,
        f"{GAIN_DB:.0f} dB fainter": lambda samples: at_level(samples, -GAIN_DB),
        f"{GAIN_DB:.0f} dB louder": lambda samples: at_level(samples, GAIN_DB),
        **noisy,
    }


def telephone(samples: Samples) -> Samples:
    """Return 16 kHz samples as they come out of a telephone: 8 kHz, in mu-law."""
    down, up = Resampler(RATE_HZ, TELEPHONE_HZ), Resampler(TELEPHONE_HZ, RATE_HZ)
    narrow = np.concatenate([down.feed(samples), down.flush()])
    carried = decode_mulaw(encode_mulaw(narrow))
    return np.concatenate([up.feed(carried), up.flush()])[: len(samples)]


def in_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return the samples with noise under them, so many dB below their speech."""
    under = np.resize(noise, len(samples)).astype(np.float64)
    level = _rms(under)
    if not level:
        return samples
    gain = _speech_level(samples) / level * 10 ** (-snr_db / 20)
    mixed = samples.astype(np.float64) + gain * under
    return np.clip(np.rint(mixed), _SMALLEST, _LARGEST).astype(np.int16)


def steadiest(noises: Sequence[Samples], count: int) -> list[Samples]:
    """Return the noises whose level changes least: rain and engines rather than barks."""
    return sorted(noises, key=_unrest_db)[:count]


def _unrest_db(noise: Samples) -> float:
    power = _powers(noise)
    quiet = np.percentile(power, 10)
    return float(10 * np.log10(power.mean() / quiet)) if quiet > _SILENT else inf


def _in_room(rooms: Sequence[Samples], snr_db: float) -> Line:
    def line(samples: Samples) -> Samples:
        # The same room every time, and two channels of a call in rooms of their own.
        return in_noise(samples, rooms[crc32(samples.tobytes()) % len(rooms)], snr_db)

    return line


def _speech_level(samples: Samples) -> float:
    """Return the level (RMS) of the frames in which somebody speaks, roughly."""
    power = _powers(samples)
    return float(np.sqrt(power[power >= np.percentile(power, _SPOKEN_PERCENT)].mean()))


def _powers(samples: Samples) -> Floats:
    whole = samples[: len(samples) // _FRAME_SAMPLES * _FRAME_SAMPLES].astype(np.float64)
    return np.asarray((whole.reshape(-1, _FRAME_SAMPLES) ** 2).mean(axis=1), np.float64)


def _rms(signal: Floats) -> float:
    return float(np.sqrt((signal**2).mean())) if len(signal) else 0.0
