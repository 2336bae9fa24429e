"""What is played to an endpoint: a recording with quiet before and after it. Pure.

Digital silence would tell an endpoint where the clip ends, so the quiet is noise as loud as the
clip's own quietest moments, and the same every time.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.turns.manifest import RATE_HZ, Recording
from turnkit.audio.frames import Samples

TAIL_S = 6.5
"""After labelled turns: longer than Flux's default timeout of 5 s, and the patience after it."""
SHORT_TAIL_S = 1.0
"""After all else: long enough for what has begun."""

_LEAD_S = 0.48
_SHIFT_S = 0.008
MAX_SHIFTS = 10
"""Shifts of 8 ms: ten of them place a clip in every way against frames of 80 ms."""

_FRAME_SAMPLES = RATE_HZ // 50
_QUIETEST_PERCENT = 10
_LOUDEST_RMS = 30.0  # -61 dBFS: louder is no room's noise but a word with no pause around it
_INT16 = 32767


@dataclass(frozen=True, slots=True)
class Material:
    """A recording as it is played."""

    samples: Samples
    lead_s: float
    """How much comes before the recording itself."""


def material(recording: Recording, shift: int = 0) -> Material:
    """Read a recording and put quiet around it. Raises ConfigError.

    Args:
        recording: what to play.
        shift: 0 to 9; each places it another 8 ms later against frames and windows.
    """
    samples = recording.read()
    lead_s = _LEAD_S + shift * _SHIFT_S
    tail_s = TAIL_S if recording.turns else SHORT_TAIL_S
    return Material(surrounded(samples, lead_s, tail_s), lead_s)


def surrounded(samples: Samples, lead_s: float, tail_s: float) -> Samples:
    """Return the samples with quiet before and after them."""
    level = room_level(samples)
    lead, tail = (quiet(round(s * RATE_HZ), level) for s in (lead_s, tail_s))
    return np.concatenate([lead, samples, tail])


def room_level(samples: Samples) -> float:
    """Return the level (RMS) of the quietest tenth of the frames, at most -61 dBFS."""
    whole = len(samples) - len(samples) % _FRAME_SAMPLES
    frames = samples[:whole].reshape(-1, _FRAME_SAMPLES).astype(np.float64)
    if not len(frames):
        return 0.0
    rms = np.sqrt((frames**2).mean(axis=1))
    return min(float(np.percentile(rms, _QUIETEST_PERCENT)), _LOUDEST_RMS)


def quiet(count: int, level: float) -> Samples:
    """Return so many samples of white noise at that level (RMS)."""
    noise = np.random.default_rng(count).normal(0.0, level, count) if level else np.zeros(count)
    return np.clip(np.rint(noise), -_INT16, _INT16).astype(np.int16)


def at_level(samples: Samples, decibels: float) -> Samples:
    """Return the samples so much louder; what does not fit is clipped."""
    scaled = samples.astype(np.float64) * 10 ** (decibels / 20)
    return np.clip(np.rint(scaled), -_INT16, _INT16).astype(np.int16)
