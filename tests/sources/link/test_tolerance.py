"""How much nonsense of a server is borne."""

from turnkit.sources.link.tolerance import LIMIT, WINDOW_S, Tolerance


def test_a_burst_of_nonsense_is_one_too_many_at_last():
    tolerance = Tolerance()
    assert [tolerance.exhausted(0.5 * n) for n in range(LIMIT + 1)] == [False] * LIMIT + [True]


def test_nonsense_now_and_then_is_borne_for_ever():
    tolerance = Tolerance()
    step_s = WINDOW_S / LIMIT
    assert not any(tolerance.exhausted(step_s * n) for n in range(10 * LIMIT))
