"""Percentiles of samples whose percentiles are known, and intervals that hold what they should."""

import numpy as np
import pytest

from benchmarks.load.stats import intervals, ratio_interval, slope, summarise


def test_the_summary_of_known_samples():
    found = summarise(range(1, 1001))
    assert (found.n, found.max, found.mean) == (1000, 1000, 500.5)
    assert (found.p50, found.p90, found.p99) == pytest.approx((500.5, 900.1, 990.01))
    assert found.p999 == pytest.approx(999.001)


def test_of_few_samples_the_last_percentile_is_the_maximum():
    assert summarise([1.0, 2.0, 50.0]).p999 == 50.0


def test_nothing_has_no_summary():
    assert summarise([]) is None


def test_an_interval_is_the_same_each_time_and_holds_the_percentile():
    samples = np.random.default_rng(3).normal(10, 2, 400)
    first, again = intervals(samples, [50]), intervals(samples, [50])
    assert first == again
    assert first[0].low < np.median(samples) < first[0].high


def test_95_of_100_intervals_hold_the_truth_give_or_take():
    chance = np.random.default_rng(5)
    held = sum(
        found.low <= 10 <= found.high
        for _ in range(100)
        for found in intervals(chance.normal(10, 2, 60), [50])
    )
    assert 85 <= held <= 100


def test_the_ratio_of_a_thing_to_its_double_is_about_a_half():
    base = np.random.default_rng(7).uniform(9, 11, 300)
    found = ratio_interval(base, base * 2, 50)
    assert found.low < 0.5 < found.high
    assert found.high - found.low < 0.05


def test_a_slope():
    assert slope([1, 2, 3], [10, 12, 14]) == pytest.approx(2)
    assert slope([1, 1], [3, 4]) == 0.0
