"""Resampling a live stream: nothing lost, nothing added, and no seam where it was cut."""

import numpy as np
import pytest

from turnkit.audio.resample import Resampler, resample

REJECTION = 10 ** (-55 / 20)
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


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 16000), (24000, 8000)])
def test_the_length_is_exact_after_an_hour(from_hz, to_hz):
    second = np.zeros(from_hz, np.int16)
    resampler = Resampler(from_hz, to_hz)
    given = sum(len(resampler.feed(second)) for _ in range(3600)) + len(resampler.flush())
    assert given == 3600 * to_hz


@pytest.mark.parametrize(("from_hz", "to_hz"), [*RATES, (44100, 16000), (22050, 8000)])
def test_nothing_drifts(from_hz, to_hz):
    resampler, given = Resampler(from_hz, to_hz), 0
    for taken in range(1000, 200_000, 1000):
        given += len(resampler.feed(np.zeros(1000, np.int16)))
        held_s = taken / from_hz - given / to_hz
        assert 0 <= held_s <= (resampler.delay_samples + 1) / from_hz + 1 / to_hz


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_no_seam_is_heard_where_the_stream_was_cut(from_hz, to_hz):
    chance = np.random.default_rng(3)
    sound = tone(from_hz, 2, hz=300)
    cuts = np.sort(chance.integers(1, len(sound), 40))
    resampler = Resampler(from_hz, to_hz)
    heard = np.concatenate([resampler.feed(piece) for piece in np.split(sound, cuts)])
    steepest = 16000 * 2 * np.pi * 300 / to_hz
    assert np.abs(np.diff(heard[50:].astype(float))).max() <= steepest * 1.02 + 2
    assert np.array_equal(heard, resample(sound, from_hz, to_hz)[: len(heard)])


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_stays_a_tone(from_hz, to_hz):
    inner = slice(to_hz // 4, -to_hz // 4)  # away from where the tone starts and ends
    wrong = (resample(tone(from_hz), from_hz, to_hz) - tone(to_hz).astype(float))[inner]
    assert np.abs(wrong).max() <= 16000 * REJECTION


def test_what_does_not_fit_the_lower_rate_is_removed():
    assert np.abs(resample(tone(16000, hz=6000), 16000, 8000)[400:-400]).max() <= 16000 * REJECTION


def test_loud_sound_is_clipped_and_does_not_wrap():
    square = np.where(np.arange(8000) // 20 % 2, 32767, -32768).astype(np.int16)
    louder = resample(square, 8000, 16000)
    middles = louder[20:15980:40].astype(int)  # of each half period
    assert louder.max() == 32767
    assert louder.min() == -32768
    assert np.array_equal(np.sign(middles), np.sign(square[10:7990:20].astype(int)))


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 16000), (24000, 8000), (16000, 8000)])
def test_at_most_1_5_ms_are_held_back(from_hz, to_hz):
    resampler = Resampler(from_hz, to_hz)
    given = len(resampler.feed(noise(from_hz)))
    assert 1 - given / to_hz <= 0.0015
    assert resampler.delay_samples / from_hz <= 0.0015


def test_equal_rates_hold_nothing_back():
    assert Resampler(8000, 8000).delay_samples == 0


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
