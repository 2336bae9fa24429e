"""Resampling a live stream: nothing lost, nothing added, and no seam where it was cut."""

import numpy as np
import pytest

from turnkit.audio.resample import Resampler, resample

RATES = [(8000, 16000), (16000, 8000), (24000, 16000), (22050, 16000), (44100, 8000), (8000, 48000)]


def noise(count):
    return np.random.default_rng(0).integers(-9000, 9000, count, dtype=np.int16)


def tone(rate_hz, seconds=1.0, hz=1000):
    return np.rint(16000 * np.sin(2 * np.pi * hz * np.arange(rate_hz * seconds) / rate_hz)).astype(
        np.int16
    )


def in_pieces(samples, size, from_hz, to_hz):
    resampler = Resampler(from_hz, to_hz)
    pieces = [resampler.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate([*pieces, resampler.flush()])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("size", [1, 7, 160, 441])
def test_how_the_stream_is_cut_changes_nothing(from_hz, to_hz, size):
    samples = noise(3001)
    whole = resample(samples, from_hz, to_hz)
    assert np.array_equal(in_pieces(samples, size, from_hz, to_hz), whole)


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
@pytest.mark.parametrize("count", [0, 1, 2, 19, 20, 21, 1000, 44101])
def test_the_length_is_exact(from_hz, to_hz, count):
    expected = (2 * count * to_hz + from_hz) // (2 * from_hz)
    assert len(resample(noise(count), from_hz, to_hz)) == expected


def test_the_length_is_exact_after_ten_minutes():
    second = np.zeros(44100, np.int16)
    resampler = Resampler(44100, 16000)
    given = sum(len(resampler.feed(second)) for _ in range(600)) + len(resampler.flush())
    assert given == 600 * 16000


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_stays_a_tone(from_hz, to_hz):
    inner = slice(to_hz // 4, -to_hz // 4)  # away from where the tone starts and ends
    wrong = (resample(tone(from_hz), from_hz, to_hz) - tone(to_hz).astype(float))[inner]
    assert np.abs(wrong).max() <= 1.5  # of 16,000: the rounding of both


def test_what_does_not_fit_the_lower_rate_is_removed():
    assert np.abs(resample(tone(16000, hz=6000), 16000, 8000)[400:-400]).max() <= 1


def test_loud_sound_is_clipped_and_does_not_wrap():
    square = np.where(np.arange(8000) // 20 % 2, 32767, -32768).astype(np.int16)
    louder = resample(square, 8000, 16000)
    middles = louder[20:15980:40].astype(int)  # of each half period
    assert louder.max() == 32767
    assert louder.min() == -32768
    assert np.array_equal(np.sign(middles), np.sign(square[10:7990:20].astype(int)))


def test_at_most_2_5_ms_are_held_back():
    resampler = Resampler(8000, 16000)
    given = len(resampler.feed(noise(8000)))
    assert (16000 - given) / 16000 <= 0.0025


def test_after_a_flush_another_stream_may_come():
    resampler = Resampler(24000, 16000)
    streams = [(resampler.feed(noise(999)), resampler.flush()) for _ in range(2)]
    first, second = (np.concatenate(stream) for stream in streams)
    assert np.array_equal(first, second)


def test_equal_rates_pass_the_samples_through():
    samples = noise(100)
    resampler = Resampler(16000, 16000)
    assert resampler.feed(samples) is samples
    assert len(resampler.flush()) == 0
