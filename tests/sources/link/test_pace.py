"""The pace: late audio goes faster than it came, up to the limit, until it is late no more."""

from turnkit.sources.link.pace import Pace

HEARD = [0.08 * n for n in range(400)]


def test_late_audio_goes_a_quarter_faster_than_it_came():
    pace = Pace(began_at=10.0, first_heard_at=0.0, rate=1.25)
    assert [pace.due(at) for at in (0.0, 1.0, 5.0)] == [10.0, 10.8, 14.0]


def test_two_seconds_are_made_up_for_in_ten():
    pace = Pace(began_at=2.0, first_heard_at=0.0, rate=1.25)
    level = [at for at in HEARD if pace.due(at) <= at]
    assert level[0] == 10.0
    assert level == [at for at in HEARD if at >= 10.0]  # and it stays so


def test_audio_in_time_never_waits():
    pace = Pace(began_at=0.0, first_heard_at=0.0, rate=1.25)
    assert all(pace.due(at) <= at for at in HEARD)


def test_what_came_at_once_goes_at_once():
    pace = Pace(began_at=3.0, first_heard_at=1.0, rate=1.25)
    assert {pace.due(1.0) for _ in range(100)} == {3.0}
