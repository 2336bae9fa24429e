"""The pitch of a voice, every 10 ms: normalised cross-correlation on a band telephones carry. Pure.

A telephone takes the fundamental of most men away (300 to 3400 Hz), so what is correlated is the
band up to 2 kHz with all its harmonics: their common period is the fundamental's. The method is
that of Talkin's RAPT (1995), without its search for the best path, for which a pause is too short a
time; the octave is set right afterwards, by the median of the stretch.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples

Floats: TypeAlias = npt.NDArray[np.float32]

HOP_SAMPLES = 160  # 10 ms at 16 kHz

_DECIMATION = 4  # 16 kHz to 4 kHz: a quarter of the work, and no lag under 2.5 ms is of use
_RATE_HZ = 16000 // _DECIMATION
_HOP = HOP_SAMPLES // _DECIMATION
_WINDOW = 140  # 35 ms: two periods of a low voice
_SHORTEST, _LONGEST = 9, 62  # lags: 444 to 64 Hz
_TRANSFORM = 256  # no less than window and longest lag together

# Twice the period correlates as well as the period: of equals the shorter lag wins.
_PREFERENCE = 1 - 0.15 * np.arange(_SHORTEST, _LONGEST, dtype=np.float32) / _LONGEST
_QUIET = 1e-3  # of the loudest frame's energy: what is far below it is noise, however periodic
_TINY = np.float32(1e-12)

_taps = np.arange(31) - 15
_LOW_PASS = (np.sinc(_taps / _DECIMATION * 0.95) * np.hanning(33)[1:-1]).astype(np.float32)
_LOW_PASS /= _LOW_PASS.sum()


class Pitch(NamedTuple):
    """Frame by frame: shape (n,), one for each 10 ms."""

    semitones: Floats
    """Above 100 Hz; of no meaning where there is little voicing."""
    voicing: Floats
    """How periodic it is, 0 to 1: the correlation one period apart."""


def track(samples: Samples) -> Pitch:
    """Return the pitch of 16 kHz audio, of n whole hops."""
    frames = _framed(_decimated(samples))
    correlation = _correlation(frames)
    heights, places = _tops(correlation)
    weighed = heights * _PREFERENCE
    best = weighed.argmax(axis=1)
    rows = np.arange(len(best))
    period = best + _SHORTEST + places[rows, best]
    semitones = 12 * np.log2(_RATE_HZ / 100 / period)
    return Pitch(semitones.astype(np.float32), heights[rows, best])


def in_one_octave(semitones: Floats, voiced: npt.NDArray[np.bool_]) -> Floats:
    """Return the pitch with what is an octave off the median of its voiced frames put right."""
    if not voiced.any():
        return semitones
    away = semitones - np.median(semitones[voiced])
    return semitones - np.where(away > 8, np.float32(12), 0) + np.where(away < -8, 12, 0)


def _decimated(samples: Samples) -> Floats:
    scaled = np.pad(samples.astype(np.float32) / np.float32(32768), len(_LOW_PASS) // 2)
    windows = np.lib.stride_tricks.sliding_window_view(scaled, len(_LOW_PASS))
    return np.asarray(windows[::_DECIMATION] @ _LOW_PASS, np.float32)


def _framed(signal: Floats) -> Floats:
    """Cut into frames of window and longest lag, each around its hop and without its mean."""
    length = _WINDOW + _LONGEST
    padded = np.pad(signal, (length // 2, length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[: len(signal) : _HOP]
    return np.asarray(frames - frames.mean(axis=1, keepdims=True), np.float32)


def _correlation(frames: Floats) -> Floats:
    """Return the normalised correlation of each frame's first window with those up to 62 later."""
    spectrum = np.fft.rfft(frames, _TRANSFORM)
    window = np.fft.rfft(frames[:, :_WINDOW], _TRANSFORM)
    product = np.fft.irfft(np.conj(window) * spectrum, _TRANSFORM)[:, : _LONGEST + 1]
    energies = np.cumsum(np.pad(frames, ((0, 0), (1, 0))) ** 2, axis=1)
    moved = energies[:, _WINDOW : _WINDOW + _LONGEST + 1] - energies[:, : _LONGEST + 1]
    own = moved[:, :1]
    noise = (_QUIET * own.max()) ** 2 + _TINY
    return np.asarray(product / np.sqrt(np.maximum(own * moved, 0) + noise), np.float32)


def _tops(correlation: Floats) -> tuple[Floats, Floats]:
    """Return how high each peak is, and where from its lag: by a parabola through three lags.

    A height of 0 is no peak. Of a short period the highest lag is up to an eighth of it off the
    peak, of its double only a sixteenth: without the parabola's height, a high voice whose
    fundamental is missing is heard an octave too low.
    """
    before = correlation[:, _SHORTEST - 1 : _LONGEST - 1]
    at = correlation[:, _SHORTEST:_LONGEST]
    after = correlation[:, _SHORTEST + 1 : _LONGEST + 1]
    peak = (at > before) & (at >= after)
    bend = np.where(peak, before - 2 * at + after, np.float32(-1))
    places = np.clip(0.5 * (before - after) / bend, -0.5, 0.5)
    heights = np.where(peak, np.minimum(at - (before - after) * places / 4, 1), np.float32(0))
    return heights, np.where(peak, places, np.float32(0))
