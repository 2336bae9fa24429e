"""Speech-like sound that differs with its seed: syllables of chance, with pauses in between."""

import numpy as np

from turnkit.audio.formants import SAMPLE_RATE_HZ, Sound, render
from turnkit.audio.frames import Samples


def babble(seed: int, seconds: float) -> Samples:
    """Return so much of one voice, at 16 kHz."""
    chance = np.random.default_rng(seed)
    sounds, length_s = [Sound(chance.uniform(0.01, 0.4))], 0.0
    tempo, register_hz = chance.uniform(0.7, 1.6), chance.uniform(90, 200)
    while length_s < seconds:
        vowel = (chance.uniform(300, 800), chance.uniform(900, 2200), chance.uniform(2300, 2900))
        loudness, pitch = chance.uniform(0.2, 1.0), register_hz * chance.uniform(0.8, 1.3)
        syllable = [
            Sound(
                tempo * chance.uniform(0.03, 0.08), vowel, hiss=chance.uniform(0, 0.4), colour="s"
            ),
            Sound(tempo * chance.uniform(0.06, 0.25), vowel, voicing=loudness, pitch_hz=pitch),
            Sound(tempo * chance.choice([0.01, 0.03, 0.2], p=[0.6, 0.25, 0.15])),
        ]
        sounds += syllable
        length_s += sum(sound.seconds for sound in syllable)
    return np.concatenate(list(render(sounds)))[: round(seconds * SAMPLE_RATE_HZ)]


def echo(sound: Samples, delay_s: float, decibels: float) -> Samples:
    """Return what comes back of a sound: later, fainter, smeared, and over a line's noise."""
    chance = np.random.default_rng(1)
    smear = np.concatenate([[1.0], chance.normal(size=400) * 0.1 * np.exp(-np.arange(400) / 150)])
    late = np.concatenate([np.zeros(round(delay_s * SAMPLE_RATE_HZ)), sound.astype(float)])
    smeared = np.convolve(late, smear / np.sqrt(smear @ smear))[: len(sound)]
    noise = chance.normal(size=len(sound)) * 8
    return np.rint(smeared * 10 ** (decibels / 20) + noise).astype(np.int16)
