"""A voice of arithmetic: the pitch, the loudness and the length it was asked for."""

import numpy as np
import pytest

from turnkit.audio.formants import SAMPLE_RATE_HZ, Sound, render

AH = (730.0, 1090.0, 2440.0)
EE = (270.0, 2290.0, 3010.0)


def heard(*sounds):
    return np.concatenate(list(render(sounds))).astype(float)


def spectrum(samples):
    """Loudness at each Hz."""
    return np.abs(np.fft.rfft(samples * np.hanning(len(samples)), SAMPLE_RATE_HZ))


@pytest.mark.parametrize("seconds", [0.005, 0.1, 0.123, 1.0])
def test_it_is_as_long_as_its_sounds_in_whole_steps_of_5_ms(seconds):
    assert len(heard(Sound(seconds))) == np.ceil(seconds / 0.005) * 80


def test_a_voice_is_at_its_pitch_and_as_loud_as_asked():
    samples = heard(Sound(1.0, AH, voicing=1.0, pitch_hz=200))
    peaks = spectrum(samples)
    assert np.argmax(peaks[150:250]) + 150 == 200
    assert peaks[300] < peaks[200] / 100
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(3300, rel=0.02)


def test_vowels_are_loud_where_their_formants_are():
    ah, ee = (spectrum(heard(Sound(1.0, f, voicing=1.0, pitch_hz=100))) for f in (AH, EE))
    assert ah[700] > 3 * ah[300]
    assert ee[300] > 3 * ee[700]
    assert ee[2300] > 3 * ee[1100]


@pytest.mark.parametrize(("colour", "centre"), [("breath", 1500), ("sh", 3000), ("s", 6000)])
def test_hiss_has_its_colour(colour, centre):
    loudness = spectrum(heard(Sound(1.0, hiss=0.3, colour=colour))) ** 2
    middle = np.sum(loudness * np.arange(len(loudness))) / np.sum(loudness)
    assert middle == pytest.approx(centre, rel=0.15)


def test_one_sound_glides_into_the_next_without_a_click():
    samples = heard(Sound(0.2), Sound(0.2, AH, voicing=1.0), Sound(0.2, EE, voicing=1.0))
    steady = np.abs(np.diff(samples[4800:6000])).max()
    assert np.abs(np.diff(samples)).max() < 1.5 * steady


def test_blocks_join_without_a_seam():
    samples = heard(Sound(1.0, AH, voicing=1.0, pitch_hz=123.4))
    jumps = np.abs(np.diff(samples))
    assert jumps[1599::1600].max() <= jumps.max()
    period = SAMPLE_RATE_HZ / 123.4
    later = np.interp(np.arange(8000) + 10 * period, np.arange(len(samples)), samples)
    assert np.corrcoef(samples[:8000], later)[0, 1] > 0.99


def test_the_same_sounds_are_the_same_samples():
    sounds = (Sound(0.1, AH, voicing=1.0), Sound(0.1, hiss=0.3, colour="s"))
    assert np.array_equal(heard(*sounds), heard(*sounds))


def test_silence_is_silent():
    assert not heard(Sound(0.5)).any()
