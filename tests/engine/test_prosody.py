"""What is measured of how speech stopped."""

import numpy as np
import pytest

from turnkit.engine.prosody import SPAN_SAMPLES, Cues, Ending, Voice, averaged, levels, measure

RATE_HZ = 16000
NOISE_DB = -80.0


def tone(from_hz, to_hz, seconds, amplitude=4000.0):
    """A voice of ten harmonics whose pitch glides."""
    hz = np.geomspace(from_hz, to_hz, round(seconds * RATE_HZ))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    sound = sum(np.sin(n * phase + n) / n for n in range(1, 11))
    return amplitude * sound / 2


def silence(seconds, amplitude=0.0):
    noise = np.random.default_rng(3).normal(0, 1, round(seconds * RATE_HZ))
    return amplitude * noise


def ending(*parts, voice=None, noise_db=NOISE_DB):
    heard = np.concatenate([np.zeros(SPAN_SAMPLES), *parts])[-SPAN_SAMPLES:]
    return measure(heard.astype(np.int16), noise_db, voice or Voice())


def test_levels_are_in_decibels_of_full_scale():
    square = np.full(320, 16384, np.int16)
    assert levels(square) == pytest.approx([-6.02, -6.02], abs=0.01)
    assert len(levels(square[:200])) == 1


@pytest.mark.parametrize("silence_s", [0.05, 0.15, 0.3])
def test_the_pause_is_as_old_as_the_silence(silence_s):
    found = ending(tone(120, 120, 1.0), silence(silence_s))
    assert found.silence_s == pytest.approx(silence_s, abs=0.021)


def test_a_fall_in_pitch_is_seen_against_what_is_usual():
    usual = Voice()
    usual.take(pitch=3.16, voiced_frames=500)  # 120 Hz
    found = ending(tone(120, 120, 0.8), tone(120, 90, 0.2), silence(0.15), voice=usual)
    assert found.cues.pitch_lowest < -3
    assert found.cues.pitch_lowest <= found.cues.pitch_end < -1
    assert found.cues.pitch_slope > 10
    flat = ending(tone(120, 120, 1.0), silence(0.15), voice=usual)
    assert flat.cues.pitch_end == pytest.approx(0, abs=0.3)
    assert flat.cues.pitch_slope < 3


@pytest.mark.parametrize("wrong_hz", [60, 240])
def test_a_few_wrong_pitches_change_little(wrong_hz):
    usual = Voice()
    usual.take(pitch=3.16, voiced_frames=500)
    parts = [tone(120, 120, 0.9), tone(wrong_hz, wrong_hz, 0.02), tone(120, 120, 0.08)]
    found = ending(*parts, silence(0.15), voice=usual).cues
    assert found.pitch_end == pytest.approx(0, abs=1)
    assert found.pitch_lowest > -1.5
    assert found.pitch_slope < 5


def test_a_voice_that_fades_ends_below_its_phrase():
    phrase, faded = tone(120, 120, 1.0), tone(120, 120, 0.35, amplitude=600)
    found = ending(phrase, faded, silence(0.1))
    held = ending(phrase, tone(120, 120, 0.35), silence(0.1))
    assert found.cues.peak_300ms < held.cues.peak_300ms - 10


def test_a_vowel_drawn_out_is_steadier_than_syllables():
    drawn = ending(tone(120, 120, 1.2), silence(0.15))
    spoken = ending(*[tone(100 + 40 * (n % 2), 150, 0.07) for n in range(16)], silence(0.15))
    assert drawn.cues.steadiness < spoken.cues.steadiness


def test_breath_is_what_is_left_in_the_pause():
    quiet = ending(tone(120, 120, 1.0), silence(0.2))
    breathing = ending(tone(120, 120, 1.0), silence(0.2, amplitude=30))
    assert quiet.cues.residue <= 0
    assert breathing.cues.residue > 0.1


@pytest.mark.parametrize("gain", [0.25, 2.0])
def test_how_loud_the_line_is_changes_nothing(gain):
    parts = [tone(120, 120, 0.8), tone(120, 100, 0.2, amplitude=2000), silence(0.2, amplitude=3)]
    noise_db = float(levels(np.round(parts[-1]).astype(np.int16)).mean())
    reference = ending(*parts, noise_db=noise_db)
    scaled = ending(*[gain * p for p in parts], noise_db=noise_db + 20 * np.log10(gain))
    assert tuple(scaled.cues) == pytest.approx(tuple(reference.cues), rel=0.1, abs=0.15)


def test_silence_alone_and_noise_alone_are_measured_too():
    for amplitude in (0.0, 500.0):
        assert np.isfinite(ending(silence(2.0, amplitude)).cues).all()


def test_a_voice_is_known_by_what_it_said_last():
    voice = Voice()
    assert voice.usual(5.0, 10) == 5.0
    assert voice.usual(0.0, 0) == 0.0
    for _ in range(100):
        voice.take(2.0, 50)
    assert voice.usual(4.0, 50) == pytest.approx(2.06, abs=0.02)


def test_of_two_measurements_the_mean_counts_and_the_later_instant():
    first = Ending(0.1, Cues(1.0, 0.0, -4.0, 2.0, -2.0, 10.0), pitch=3.0, voiced_frames=50)
    second = Ending(0.18, Cues(3.0, 0.2, -2.0, 2.0, -4.0, 30.0), pitch=3.5, voiced_frames=60)
    assert averaged(first, second) == Ending(
        0.18, Cues(2.0, 0.1, -3.0, 2.0, -3.0, 20.0), pitch=3.5, voiced_frames=60
    )
