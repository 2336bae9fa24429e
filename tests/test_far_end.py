"""The model of a loudspeaker: in order, without gaps, and silent when told."""

import numpy as np
import pytest

from turnkit.far_end import FarEnd

FRAME = b"\x00\x10" * 160  # 20 ms at 8 kHz


def test_frames_that_come_early_wait_for_those_before():
    far_end = FarEnd(8000)
    for _ in range(3):
        far_end.arrive(1, FRAME, 1.0)
    assert [sound.start for sound in far_end.sounds] == pytest.approx([1.0, 1.02, 1.04])
    assert far_end.silent_at == pytest.approx(1.06)


def test_a_frame_that_comes_late_leaves_a_gap():
    far_end = FarEnd(8000)
    far_end.arrive(1, FRAME, 1.0)
    far_end.arrive(1, FRAME, 2.0)
    assert far_end.played_s(1, 2.01) == pytest.approx(0.03)


def test_clearing_drops_what_was_not_played_to_the_sample():
    far_end = FarEnd(8000)
    for _ in range(5):
        far_end.arrive(1, FRAME, 1.0)
    far_end.clear(1.03)
    assert far_end.silent_at == pytest.approx(1.03)
    assert len(far_end.sounds[-1].pcm) == 160
    far_end.clear(0.5)
    assert far_end.sounds == []


def test_the_waveform_has_the_sound_where_it_was_heard():
    far_end = FarEnd(8000)
    far_end.arrive(1, FRAME, 0.02)
    heard = far_end.waveform(0.05)
    assert len(heard) == 400
    assert np.flatnonzero(heard).tolist() == list(range(160, 320))


def test_nothing_arrived_is_silence():
    assert FarEnd(8000).silent_at == 0.0
    assert not FarEnd(8000).waveform(0.1).any()
