"""How speech sounds as it stops: six numbers about the 1.6 s before a pause. Pure.

What is measured are relations (to the speaker's usual pitch, to the phrase's own level, to the
line's own noise), because levels and absolute pitch do not carry over from one caller to another.
Which of them tell an end from a pause for thought is not decided here: see `model.toml`.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples
from turnkit.engine.pitch import HOP_SAMPLES, Floats, in_one_octave, track

RATE_HZ = 16000
HOP_S = HOP_SAMPLES / RATE_HZ
SPAN_SAMPLES = 160 * HOP_SAMPLES
"""How much is looked at: 1.6 s."""

_SILENT_DB = -75.0  # below it lines differ in nothing that could be heard
_ABOVE_FLOOR_DB, _BELOW_PEAK_DB = 12.0, 30.0  # speech is above both
_TAIL_HOPS = 40  # a pause is noticed at most so late
_PEAK_HOPS = 100
_VOICED = 0.6  # of a correlation
_FEW = 5  # frames of voice from which no pitch is told
_LAST_VOICED = 20  # frames: the last 200 ms of voice
_STEEPEST = 60.0
_RESIDUE_DB = (-5.0, 30.0)
_LEAST_RANGE_DB = 10.0  # where nobody was silent for long, the line's noise is not known
_DEAD_HOPS = 2  # between the speech and what is left of it

_STEADY_HOPS = 47
_FAINT = 1e-9  # of the strongest band: what is 90 dB below it is not there

_WINDOW_SAMPLES, _TRANSFORM = 400, 512  # 25 ms
_BEFORE = (_WINDOW_SAMPLES - HOP_SAMPLES) // 2  # so that each window is around its hop
_AFTER = _WINDOW_SAMPLES - HOP_SAMPLES - _BEFORE
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 18, 150.0, 3700.0  # what a telephone carries


class Cues(NamedTuple):
    """What was measured; levels in dB, pitch in semitones. `model.toml` weighs them by name."""

    steadiness: float
    """By how much the spectrum's shape changes in 30 ms where it changes least, for 0.1 s of the
    last 0.5 s: little in a long "uhm" and in a vowel drawn out."""
    residue: float
    """The sound left in the pause, from the line's noise (0) to the speech's peak (1): breath."""
    peak_300ms: float
    """The highest level of the last 300 ms, against the phrase's 90th percentile."""
    pitch_end: float
    """The pitch of the last 80 ms of voice, against the speaker's usual one."""
    pitch_lowest: float
    """The lowest pitch of the last 200 ms of voice, likewise; a tenth of them may be lower."""
    pitch_slope: float
    """How steeply the pitch rises or falls over those, whichever it does, per second."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a stretch of speech stopped."""

    silence_s: float
    """How long before the end of the audio it did."""
    cues: Cues
    pitch: float
    """Its median pitch, in semitones above 100 Hz."""
    voiced_frames: int
    """How many frames that is the median of; too few, and there is none."""


class Voice:
    """One speaker's usual pitch: the mean of the medians of what was said, the latest first."""

    _KEPT = 0.97  # of the weight of what came before, a pause

    def __init__(self) -> None:
        self._weight = 0.0
        self._sum = 0.0

    def usual(self, pitch: float, voiced_frames: int) -> float:
        """Return the usual pitch as it would be with this one taken in."""
        weight = self._weight + voiced_frames
        return (self._sum + pitch * voiced_frames) / weight if weight else 0.0

    def take(self, pitch: float, voiced_frames: int) -> None:
        """Take in one stretch of speech."""
        self._weight = self._KEPT * self._weight + voiced_frames
        self._sum = self._KEPT * self._sum + pitch * voiced_frames


def levels(samples: Samples) -> Floats:
    """Return the level of each whole 10 ms, in dB of full scale."""
    hops = samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
    scaled = hops.astype(np.float32) / np.float32(32768)
    power = np.einsum("ij,ij->i", scaled, scaled) / HOP_SAMPLES
    return np.asarray(10 * np.log10(power + np.float32(1e-9)), np.float32)


def measure(samples: Samples, noise_db: float, voice: Voice) -> Ending:
    """Measure how the speech in this audio stopped.

    Args:
        samples: 16 kHz audio from before the pause up to now; `SPAN_SAMPLES` of it are enough.
        noise_db: the level of the line when nobody speaks.
        voice: whose speech it is.
    """
    samples = samples[len(samples) % HOP_SAMPLES :]
    level = levels(samples)
    peak_db = float(np.percentile(level[-_PEAK_HOPS:], 95))
    floor_db = max(noise_db, _SILENT_DB)
    above_db = min(floor_db + _ABOVE_FLOOR_DB, peak_db - _LEAST_RANGE_DB)
    speech_db = max(above_db, peak_db - _BELOW_PEAK_DB)
    end = max(_stopped(level, speech_db), min(len(level), 2 * _FEW))
    pitch = track(samples[: end * HOP_SAMPLES])
    voiced = (pitch.voicing > _VOICED) & (level[:end] > above_db)
    semitones = in_one_octave(pitch.semitones, voiced)
    voiced_frames = int(voiced.sum())
    median = float(np.median(semitones[voiced])) if voiced_frames >= _FEW else 0.0
    usual = voice.usual(median, voiced_frames)
    cues = Cues(
        steadiness=_steadiness(samples[: end * HOP_SAMPLES]),
        residue=_residue(level[end:], floor_db, peak_db),
        peak_300ms=_peak(level[:end], speech_db),
        **_of_pitch(semitones[voiced] - usual, np.flatnonzero(voiced)),
    )
    return Ending((len(level) - end) * HOP_S, cues, median, voiced_frames)


def averaged(before: Ending, now: Ending) -> Ending:
    """Return an ending measured twice: what matters is the mean, since when it is the later."""
    means = Cues(*((one + other) / 2 for one, other in zip(before.cues, now.cues, strict=True)))
    return replace(now, cues=means)


def _stopped(level: Floats, speech_db: float) -> int:
    """Return the first hop after the speech; the whole length if it has not stopped."""
    smooth = np.convolve(np.pad(level, 1, "edge"), np.full(3, 1 / 3, np.float32), "valid")
    loud = np.flatnonzero(smooth[-_TAIL_HOPS:] >= speech_db)
    tail = min(_TAIL_HOPS, len(level))
    return len(level) - tail + (int(loud[-1]) + 1 if len(loud) else 0)


def _steadiness(speech: Samples) -> float:
    last = speech[-_STEADY_HOPS * HOP_SAMPLES - _BEFORE :].astype(np.float32) / np.float32(32768)
    padded = np.pad(last, (max(_STEADY_HOPS * HOP_SAMPLES + _BEFORE - len(last), 0), _AFTER))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_SAMPLES)[::HOP_SAMPLES]
    power = np.abs(np.fft.rfft(windows * _HANN, _TRANSFORM)) ** 2
    bands = power @ _FILTERS
    bands = 10 * np.log10(bands + _FAINT * bands.max() + 1e-12)
    shape = bands - bands.mean(axis=1, keepdims=True)
    change = np.abs(shape[3:] - shape[:-3]).mean(axis=1)
    return float(np.convolve(change, np.full(10, 0.1), "valid").min())


def _residue(left: Floats, floor_db: float, peak_db: float) -> float:
    if len(left) <= _DEAD_HOPS:
        return 0.0
    above = float(np.clip(left[_DEAD_HOPS:].mean() - floor_db, *_RESIDUE_DB))
    return above / max(peak_db - floor_db, _LEAST_RANGE_DB)


def _peak(level: Floats, speech_db: float) -> float:
    speech = level[level > speech_db]
    loud = np.percentile(speech if len(speech) else level, 90)
    return float(level[-30:].max() - loud)


def _of_pitch(semitones: Floats, hops: npt.NDArray[np.intp]) -> dict[str, float]:
    """Measure the pitch of voiced hops, given against the speaker's usual one.

    Single hops are often wrong, and those of a creaky end most: so all three are ranks, which a
    few wrong ones hardly move.
    """
    if len(semitones) < _FEW:
        return {"pitch_end": 0.0, "pitch_lowest": 0.0, "pitch_slope": 0.0}
    smooth = _medians(semitones[-_LAST_VOICED - _FEW :])
    last = smooth[-_LAST_VOICED:]
    return {
        "pitch_end": float(np.median(last[-8:])),
        "pitch_lowest": float(np.percentile(last, 10)),
        "pitch_slope": min(abs(_slope(last, hops[-_LAST_VOICED:])), _STEEPEST),
    }


def _medians(values: Floats) -> Floats:
    """Return each value's median with the two before and after it."""
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, 2, "edge"), 5)
    return np.asarray(np.median(around, axis=1), np.float32)


def _slope(values: Floats, hops: npt.NDArray[np.intp]) -> float:
    """Return the median slope between any two of them, per second (Theil 1950, Sen 1968)."""
    one, other = np.triu_indices(len(values), 1)
    return float(np.median((values[other] - values[one]) / ((hops[other] - hops[one]) * HOP_S)))


def _mel(hz: Floats | float) -> npt.NDArray[np.float64]:
    return np.asarray(2595 * np.log10(1 + np.asarray(hz) / 700), np.float64)


def _filters() -> Floats:
    """Return triangles that overlap by half and are equally wide in mel: (257, 18)."""
    mels = np.linspace(_mel(_LOWEST_HZ), _mel(_HIGHEST_HZ), _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hz = np.arange(_TRANSFORM // 2 + 1)[:, None] * RATE_HZ / _TRANSFORM
    rising = (hz - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hz) / np.diff(edges)[1:]
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), np.float32)


_FILTERS = _filters()
_HANN = np.hanning(_WINDOW_SAMPLES).astype(np.float32)
