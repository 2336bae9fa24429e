"""Who sends as they record never notices; who floods is held up, then sent away."""

import pytest

from turnkit.errors import WireError
from turnkit.transports.intake import Intake


def test_live_audio_never_waits():
    intake = Intake()
    assert not any(intake.admit(0.02, frame * 0.02) for frame in range(10_000))


def test_a_stalled_network_may_deliver_two_seconds_at_once():
    intake = Intake()
    assert not any(intake.admit(0.02, 5.0) for _ in range(99))
    assert intake.admit(0.04, 5.0) == pytest.approx(0.01)


def test_a_flood_of_tiny_messages_is_held_to_500_a_second():
    intake, now, admitted = Intake(), 0.0, 0
    while now < 8.0:
        now += intake.admit(0.0001, now)
        admitted += 1
    assert admitted == pytest.approx(500 * 8 + 500, rel=0.01)


def test_more_than_twice_real_time_for_ten_seconds_is_refused():
    intake, now = Intake(), 0.0
    with pytest.raises(WireError, match="send audio as it is recorded") as caught:  # noqa: PT012
        while now < 20.0:
            now += intake.admit(0.02, now)
    assert caught.value.close_code == 1008
    assert now == pytest.approx(10.0, abs=0.02)


def test_a_peer_that_slows_down_is_forgiven():
    intake = Intake()
    for _ in range(200):
        intake.admit(0.02, 0.0)
    assert intake.admit(0.02, 5.0) == 0.0
    assert intake.admit(0.02, 60.0) == 0.0
