"""The same call over another line: what changes, and that nothing moves in time."""

import numpy as np
import pytest

from benchmarks.turns.lines import AS_RECORDED, in_noise, lines, steadiest, telephone

RATE_HZ = 16000


def tone(hz, seconds, amplitude=5000.0):
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def noise(amplitude, seconds=1.0, seed=1):
    drawn = np.random.default_rng(seed).normal(0, amplitude, round(seconds * RATE_HZ))
    return np.clip(drawn, -32768, 32767).astype(np.int16)


def rms(samples):
    return float(np.sqrt((samples.astype(float) ** 2).mean()))


@pytest.fixture
def call():
    """A second of speech in four of silence."""
    return np.concatenate(
        [np.zeros(2 * RATE_HZ, np.int16), tone(300, 1.0), np.zeros(32000, np.int16)]
    )


def test_every_line_keeps_length_and_place(call):
    for name, line in lines([noise(50)]).items():
        carried = line(call)
        assert (len(carried), carried.dtype) == (len(call), np.int16), name
        middle = np.average(np.arange(len(call)), weights=np.abs(carried.astype(float)) ** 4)
        assert middle == pytest.approx(2.5 * RATE_HZ, abs=10), name


def test_as_recorded_is_as_recorded(call):
    assert (lines([])[AS_RECORDED](call) == call).all()


def test_a_telephone_carries_low_tones_and_no_high_ones():
    assert rms(telephone(tone(1000, 1.0))) == pytest.approx(rms(tone(1000, 1.0)), rel=0.03)
    assert rms(telephone(tone(6000, 1.0))) < 0.01 * rms(tone(6000, 1.0))


def test_gains_are_those_they_say(call):
    by_name = lines([])
    assert rms(by_name["12 dB fainter"](call)) == pytest.approx(rms(call) / 3.981, rel=0.01)
    assert np.abs(by_name["12 dB louder"](call)).max() >= 5000 * 3.9


@pytest.mark.parametrize("snr_db", [25.0, 15.0])
def test_noise_is_so_far_below_the_speech_and_not_below_its_mean_with_silence(call, snr_db):
    mixed = in_noise(call, noise(900, seconds=0.5), snr_db)
    speech, silence = rms(call[32000:48000]), rms(mixed[:32000])
    assert 20 * np.log10(speech / silence) == pytest.approx(snr_db, abs=0.5)


def test_without_noises_there_are_no_rooms_and_silence_is_none(call):
    assert len(lines([])) == len(lines([noise(50)])) - 2
    assert (in_noise(call, np.zeros(100, np.int16), 15.0) == call).all()


def test_each_channel_has_a_room_of_its_own_and_always_the_same(call):
    loud = [noise(1000, seed=seed) for seed in range(5)]
    line = lines(loud)["room noise 15 dB below"]
    assert (line(call) == line(call.copy())).all()
    others = [np.roll(call, shift) for shift in range(1, 9)]
    heard = {line(other)[:1000].tobytes() for other in others}
    assert len(heard) > 1


def test_steady_noises_come_before_barks_and_near_silence():
    rain = noise(300)
    barks = np.concatenate([noise(9000, 0.3), noise(20, 0.7)])
    nothing = np.ones(RATE_HZ, np.int16)
    found = steadiest([barks, nothing, rain], 2)
    assert found[0] is rain
    assert found[1] is barks
