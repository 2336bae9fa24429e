"""Intervals: right on average, wider with fewer units, and the same every time."""

from math import isnan, sqrt

import numpy as np
import pytest

from benchmarks.turns.bootstrap import draws, mean, quantile, ratio


def test_a_rate_is_a_sum_over_a_sum():
    found = ratio([1, 0, 2], [4, 2, 4], ["a", "b", "c"])
    assert found.value == pytest.approx(0.3)
    assert found.low <= 0.3 <= found.high
    assert found.count == 10


def test_every_resample_has_as_many_units_as_there_are():
    counts = draws(7, resamples=50).counts
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()


def test_the_interval_is_that_of_theory():
    values = list(np.random.default_rng(1).normal(10, 2, 400))
    found = mean(values, list(range(400)))
    half = 1.96 * np.std(values) / sqrt(400)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_what_belongs_together_is_drawn_together():
    values = [0.0] * 50 + [1.0] * 50
    apart = mean(values, list(range(100)))
    together = mean(values, [0] * 50 + [1] * 50)
    assert together.high - together.low == 1.0
    assert apart.high - apart.low < 0.25


def test_the_same_figures_come_out_every_time():
    assert mean([1, 2, 3, 9], list("abcd")) == mean([1, 2, 3, 9], list("abcd"))


def test_a_percentile_lies_between_ranks():
    found = quantile([1.0, 2.0, 3.0, 4.0], list("abcd"), 50)
    assert found.value == 2.5
    assert 1 <= found.low < found.high <= 4


def test_of_nothing_nothing_is_said():
    for found in (mean([], []), quantile([], [], 50), ratio([0], [0], ["a"])):
        assert isnan(found.value)
        assert isnan(found.low)
        assert isnan(found.high)
