"""What is played: the clip, in quiet of its own, at ten places against the frames."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.turns.audio import at_level, material, quiet, room_level, surrounded
from turnkit.audio.files import write_stereo_wav

RATE_HZ = 16000


def tone(seconds, amplitude=8000):
    return (amplitude * np.sin(np.arange(round(seconds * RATE_HZ)) / 5)).astype(np.int16)


def test_the_room_is_as_loud_as_the_quietest_moments():
    loud = tone(1.0)
    room = np.concatenate([loud, quiet(RATE_HZ, 12.0), loud])
    assert room_level(room) == pytest.approx(12, abs=1)


def test_a_word_without_a_pause_is_no_room():
    assert room_level(tone(0.5)) == 30
    assert room_level(np.zeros(100, np.int16)) == 0


def test_quiet_goes_before_and_after_and_the_clip_stays_as_it_is():
    clip = np.concatenate([tone(0.5), quiet(RATE_HZ, 9.0)])
    played = surrounded(clip, 0.5, 2.0)
    assert len(played) == len(clip) + 2.5 * RATE_HZ
    np.testing.assert_array_equal(played[RATE_HZ // 2 : RATE_HZ // 2 + len(clip)], clip)
    assert 5 < np.sqrt((played[: RATE_HZ // 2].astype(float) ** 2).mean()) < 13
    np.testing.assert_array_equal(played, surrounded(clip, 0.5, 2.0))


def test_digital_silence_stays_digital():
    assert not surrounded(np.zeros(RATE_HZ, np.int16), 0.5, 0.5).any()


def test_each_shift_is_eight_milliseconds_and_turns_get_time_to_end(tmp_path, recording, turn):
    file = tmp_path / "a.wav"
    write_stereo_wav(file, tone(1.0), tone(1.0), RATE_HZ)
    spoken = replace(recording(turn(0.1, 0.9)), file=file)
    noise = replace(recording(speech=()), file=file)
    first, second = material(spoken, 0), material(spoken, 1)
    assert second.lead_s - first.lead_s == pytest.approx(0.008)
    assert len(second.samples) - len(first.samples) == 128
    assert len(first.samples) > len(material(noise).samples) + 5 * RATE_HZ


def test_six_decibels_are_twice_and_what_is_too_loud_is_clipped():
    assert at_level(np.array([1000], np.int16), 6.0206).tolist() == [2000]
    assert at_level(np.array([-30000], np.int16), 20).tolist() == [-32767]
