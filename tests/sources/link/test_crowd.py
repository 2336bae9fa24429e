"""Coming back together: never more than so many at a time, and nobody waits for ever."""
# ruff: noqa: N802

from turnkit.sources.link.crowd import CONNECTS, WINDOW_S, Crowd

CALLS = 200


def test_who_comes_alone_comes_at_once():
    crowd = Crowd()
    assert [crowd.admit(now) for now in (0.0, 5.0, 9.0)] == [0.0, 5.0, 9.0]


def test_A20_two_hundred_calls_are_back_within_ten_seconds():
    crowd = Crowd()
    instants = [crowd.admit(0.0) for _ in range(CALLS)]
    assert max(instants) == 9.0
    assert instants == sorted(instants)
    for begin in instants:
        assert sum(begin <= at < begin + WINDOW_S for at in instants) <= CONNECTS


def test_the_next_window_begins_where_the_last_one_was_filled():
    crowd = Crowd(2, 1.0)
    assert [crowd.admit(now) for now in (0.0, 0.3, 0.5, 0.5, 3.0)] == [0.0, 0.3, 1.0, 1.3, 3.0]
