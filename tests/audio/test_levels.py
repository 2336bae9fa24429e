"""How loud it is, and what becomes of an offset and of a faint voice."""

import numpy as np
import pytest

from turnkit.audio.levels import Evener, Meter, OffsetRemover

RATE_HZ = 16000
FRAME = 1280


def tone(dbfs, seconds=1.0, hz=400):
    """A sine of this RMS level."""
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.rint(32768 * 2**0.5 * 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * at)).astype("i2")


def rms_dbfs(samples):
    return 20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768)


def passed(filter_, samples, size=FRAME):
    pieces = [filter_.feed(samples[at : at + size]) for at in range(0, len(samples), size)]
    return np.concatenate(pieces)


def test_a_full_sine_has_minus_three_dbfs():
    meter = Meter()
    meter.hear(tone(-3.01))
    assert meter.rms_dbfs == pytest.approx(-3.01, abs=0.01)
    assert meter.peak_dbfs == pytest.approx(0, abs=0.01)


def test_nothing_and_silence_have_no_level():
    meter = Meter()
    meter.hear(np.empty(0, np.int16))
    assert (meter.peak_dbfs, meter.rms_dbfs) == (-np.inf, -np.inf)
    meter.hear(np.zeros(100, np.int16))
    assert (meter.samples, meter.rms_dbfs) == (100, -np.inf)


def test_samples_at_the_end_of_the_range_are_counted_as_clipped():
    meter = Meter()
    for piece in ([32767, 100, -32768], [-32767, 32766, 0], [5]):
        meter.hear(np.array(piece, np.int16))
    assert (meter.clipped, meter.samples) == (3, 7)


@pytest.mark.parametrize("size", [160, 1280, 3333])
def test_an_offset_goes_and_the_sound_stays(size):
    sound = tone(-30, 3.0)
    heard = passed(OffsetRemover(RATE_HZ), sound + np.int16(4000), size)
    assert np.abs(heard[RATE_HZ:] - sound[RATE_HZ:]).max() <= 40
    assert abs(heard.mean()) < 5


def test_an_offset_that_changes_is_followed_without_a_click():
    flat = np.repeat([0, 2000], 2 * RATE_HZ).astype(np.int16)
    heard = passed(OffsetRemover(RATE_HZ), flat)
    assert np.abs(heard[-RATE_HZ // 2 :]).max() < 100
    steps = np.abs(np.diff(np.delete(heard, 2 * RATE_HZ - 1)))  # all but the one that was there
    assert np.sort(steps)[-2] <= 2


def test_without_an_offset_the_very_same_samples_come_back():
    sound = tone(-20, 0.08)
    remover = OffsetRemover(RATE_HZ)
    assert all(remover.feed(sound) is sound for _ in range(5))
    assert len(remover.feed(sound[:0])) == 0


def test_a_faint_voice_is_brought_up_slowly():
    evener = Evener(RATE_HZ)
    heard = passed(evener, np.concatenate([tone(-50, 0.08), tone(-75, 15.0), tone(-50, 1.0)]))
    assert rms_dbfs(heard[:1280]) == pytest.approx(-38, abs=0.5)
    assert rms_dbfs(heard[-1280:]) > -34


def test_an_ordinary_voice_stays_as_it_is():
    sound = tone(-20, 1.0)
    assert np.array_equal(passed(Evener(RATE_HZ), sound), sound)


def test_noise_between_words_is_not_brought_to_the_level_of_speech():
    heard = passed(Evener(RATE_HZ), tone(-60, 60.0))
    assert rms_dbfs(heard[-RATE_HZ:]) <= -51


@pytest.mark.parametrize("dbfs", [-60, -45, -30, -12])
def test_it_never_clips(dbfs):
    bursts = np.concatenate([tone(-70, 5.0), tone(dbfs, 0.5), tone(-4, 0.5), tone(dbfs, 0.5)])
    heard = passed(Evener(RATE_HZ), bursts)
    assert np.abs(heard.astype(int)).max() < 32767
    assert (np.abs(heard.astype(int)) >= np.abs(bursts.astype(int))).all()


def test_silence_stays_silent_and_raises_nothing():
    evener = Evener(RATE_HZ)
    before = evener.gain_db
    silence = np.zeros(FRAME, np.int16)
    assert all(evener.feed(silence) is silence for _ in range(1000))
    assert evener.gain_db == before


def test_the_rumble_of_a_quiet_room_is_no_offset():
    remover = OffsetRemover(16000)
    rumble = np.rint(5 * np.sin(2 * np.pi * 0.7 * np.arange(48000) / 16000)).astype(np.int16)
    for start in range(0, len(rumble), 1280):
        frame = rumble[start : start + 1280]
        assert remover.feed(frame) is frame
