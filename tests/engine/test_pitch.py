"""The pitch of a voice, also where the telephone took its fundamental away."""

import numpy as np
import pytest

from turnkit.engine.pitch import in_one_octave, track

RATE_HZ = 16000


def voice(hz, seconds=0.5, *, lowest=0.0, highest=3400.0, amplitude=3000.0):
    """Harmonics of a fundamental within a band, as int16."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    numbers = [n for n in range(1, 60) if lowest <= n * hz <= highest]
    sound = sum(np.sin(2 * np.pi * n * hz * at + n) / n for n in numbers)
    return (amplitude * sound / np.abs(sound).max()).astype(np.int16)


def hz_of(pitch):
    return 100 * 2 ** (float(np.median(pitch.semitones)) / 12)


@pytest.mark.parametrize(
    ("hz", "lowest"),
    [
        *((hz, 0) for hz in (75, 98, 130, 187, 260, 390)),
        *((hz, 300) for hz in (75, 98, 130, 187, 210, 225, 260)),
    ],
)
def test_the_fundamental_is_found_even_where_it_is_missing(hz, lowest):
    pitch = track(voice(hz, lowest=lowest))
    assert hz_of(pitch) == pytest.approx(hz, rel=0.01)
    assert np.median(pitch.voicing) > 0.8


def test_a_quiet_voice_is_as_voiced_as_a_loud_one():
    loud, quiet = track(voice(130)), track(voice(130, amplitude=60))
    assert np.median(quiet.voicing) == pytest.approx(np.median(loud.voicing), abs=0.05)


def test_noise_and_silence_have_no_voice():
    noise = np.random.default_rng(7).normal(0, 1000, RATE_HZ).astype(np.int16)
    assert np.median(track(noise).voicing) < 0.5
    assert not track(np.zeros(RATE_HZ, np.int16)).voicing.any()


def test_what_is_far_below_the_loudest_is_no_voice_however_periodic():
    hum = voice(130, amplitude=8)
    pitch = track(np.concatenate([voice(130), hum]))
    assert np.median(pitch.voicing[60:]) < 0.3


def test_there_is_a_frame_for_each_10_ms():
    assert len(track(voice(130, 0.73)).semitones) == 73


def test_an_octave_too_high_or_low_is_put_right():
    heard = np.array([0.0, 0.5, 12.2, 0.1, -11.8, 0.2], np.float32)
    voiced = np.ones(6, bool)
    assert in_one_octave(heard, voiced) == pytest.approx([0.0, 0.5, 0.2, 0.1, 0.2, 0.2], abs=1e-5)
    assert in_one_octave(heard, ~voiced) is heard
