"""How long pauses are, and how a caller's own are learned."""

from math import log

import pytest

from turnkit.engine.holds import LONGEST_S, SHORTEST_S, HoldLengths, Holds

USUAL = HoldLengths(mu=log(0.4), sigma=0.9)


def holds(*lengths_s, weight=8.0):
    found = Holds(USUAL, log(0.4), weight)
    for length_s in lengths_s:
        found.observe(length_s)
    return found


def test_all_holds_are_left_at_first_and_ever_fewer_then():
    left = [USUAL.left(silence_s / 100) for silence_s in range(1, 600)]
    assert left[:10] == [1.0] * 10
    assert sorted(left, reverse=True) == left
    assert USUAL.left(1e9) > 0


def test_half_of_the_whole_distribution_is_beyond_its_median():
    assert USUAL.longer_than(0.4) == pytest.approx(0.5)


def test_a_caller_who_pauses_long_is_given_time_and_one_who_does_not_less():
    assert holds(1.2, 1.5, 1.8).left(1.0) > USUAL.left(1.0)
    assert holds(0.15, 0.15, 0.2).left(1.0) < USUAL.left(1.0)


def test_as_many_holds_as_the_weight_count_half():
    assert holds(*[0.8] * 8).shift == pytest.approx(log(2) / 2)


def test_what_is_no_hold_teaches_nothing():
    assert holds(SHORTEST_S - 0.01, LONGEST_S + 0.01, float("inf")).count == 0


def test_between_dictated_digits_more_time_passes_and_not_without_end():
    assert holds().left(0.9, dictated=True) > 2 * USUAL.left(0.9)
    assert holds().left(3.0, dictated=True) < 0.05
