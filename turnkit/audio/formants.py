"""A voice made of arithmetic: a buzz and some hiss, shaped by the resonances of a mouth.

The buzz is a sum of harmonics, each as loud as the resonances (the formants) let it through at that
instant; the hiss is noise of a few fixed colours. A second of speech costs 3 to 5 ms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples

SAMPLE_RATE_HZ = 16000

Colour: TypeAlias = Literal["breath", "f", "s", "sh"]
_Track: TypeAlias = npt.NDArray[np.float64]

_STEP_S = 0.005  # how often the mouth is looked at; between two looks all moves in a straight line
_STEP_SAMPLES = 80
_BLOCK_STEPS = 20
_GLIDE_S = 0.05  # a tongue takes this long to move
_ONSET_S = 0.03  # a voice, this long to start
_LOUDNESS = 3300  # root mean square at voicing 1: -20 dBFS, as telephony likes it
_HIGHEST_HZ = 5000
_FOURTH_HZ = 3500  # hardly moves, whatever is said
_BANDWIDTHS_HZ = (80.0, 100.0, 140.0, 220.0)
_COLOURS_HZ: dict[Colour, tuple[float, float]] = {  # centre, width
    "breath": (1500.0, 1500.0),
    "f": (4500.0, 4000.0),
    "s": (6000.0, 1600.0),
    "sh": (3000.0, 1100.0),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """One position of the mouth, and how long it is held."""

    seconds: float
    formants_hz: tuple[float, float, float] = (500.0, 1500.0, 2500.0)
    voicing: float = 0.0
    hiss: float = 0.0
    colour: Colour = "breath"
    pitch_hz: float = 130.0


def render(sounds: Sequence[Sound]) -> Iterator[Samples]:
    """Yield the sounds, one gliding into the next, in blocks of 100 ms. Same in, same out."""
    ends = np.cumsum([sound.seconds for sound in sounds])
    starts = ends - [sound.seconds for sound in sounds]
    steps = int(np.ceil(ends[-1] / _STEP_S))
    times = np.arange(steps + 1) * _STEP_S

    def track(values: Sequence[float], glide_s: float) -> _Track:
        """Return values at every step: each held, with a glide around each border."""
        edge = np.minimum(glide_s, ends - starts) / 2
        knots = np.column_stack([starts + edge, ends - edge]).ravel()
        return np.asarray(np.interp(times, knots, np.repeat(values, 2)))

    formants = np.stack([track([s.formants_hz[i] for s in sounds], _GLIDE_S) for i in range(3)])
    pitch = track([s.pitch_hz for s in sounds], _GLIDE_S)
    harmonics = _harmonics(pitch, formants) * track([s.voicing for s in sounds], _ONSET_S)
    hisses = {
        colour: track([s.hiss * (s.colour == colour) for s in sounds], _ONSET_S)
        for colour in {s.colour for s in sounds if s.hiss}
    }
    phase = 0.0
    for step in range(0, steps, _BLOCK_STEPS):
        part = slice(step, min(step + _BLOCK_STEPS, steps) + 1)
        turns = phase + np.cumsum(_between(pitch[None, part])[0]) / SAMPLE_RATE_HZ
        phase = turns[-1] % 1
        sound = _buzz(_between(harmonics[:, part]), turns)
        for colour, loudness in hisses.items():
            first = step * _STEP_SAMPLES
            noise = np.take(_noise(colour), np.arange(first, first + len(sound)), mode="wrap")
            sound += _between(loudness[None, part])[0] * noise
        yield np.clip(sound * _LOUDNESS, -32768, 32767).astype(np.int16)


def _buzz(harmonics: _Track, turns: _Track) -> _Track:
    """Return the sum of the harmonics of a tone that has turned so often."""
    tone = np.exp(2j * np.pi * turns)
    powers = np.zeros(len(turns), np.complex128)
    for loudness in harmonics[::-1]:  # Horner's rule: no sine but the first
        powers = (powers + loudness) * tone
    return powers.imag


def _harmonics(pitch: _Track, formants: _Track) -> _Track:
    """Return how loud each harmonic is at each step, together always equally loud."""
    count = int(_HIGHEST_HZ / pitch.min())
    numbers = np.arange(1, count + 1)[:, None]
    hz = numbers * pitch
    loudness = 1 / numbers * (hz < _HIGHEST_HZ)  # a glottis and lips: 6 dB less each octave
    for formant, bandwidth in zip((*formants, _FOURTH_HZ), _BANDWIDTHS_HZ, strict=True):
        loudness = loudness * formant**2 / np.hypot(formant**2 - hz**2, hz * bandwidth)
    total: _Track = loudness * np.sqrt(2 / np.sum(loudness**2, axis=0))
    return total


def _between(tracks: _Track) -> _Track:
    """Return the values at every sample, on straight lines between the steps."""
    way = np.arange(_STEP_SAMPLES) / _STEP_SAMPLES
    here, change = tracks[:, :-1, None], np.diff(tracks)[:, :, None]
    lines: _Track = here + change * way
    return lines.reshape(len(tracks), -1)


@cache
def _noise(colour: Colour) -> _Track:
    """Return a second of noise of this colour, at a root mean square of 1."""
    centre, width = _COLOURS_HZ[colour]
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(SAMPLE_RATE_HZ))
    hz = np.arange(len(white))
    noise = np.fft.irfft(white * np.exp(-(((hz - centre) / width) ** 2)))
    loudness: _Track = noise / np.sqrt(np.mean(noise**2))
    return loudness
