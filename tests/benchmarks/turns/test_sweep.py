"""Policies on scores: eot-bench's arithmetic on pauses whose answers are known."""

from math import inf, isnan

import numpy as np
import pytest

from benchmarks.turns.manifest import Span
from benchmarks.turns.spans import Pause, ScoredPause
from benchmarks.turns.sweep import (
    Policies,
    frontier,
    operating_points,
    policies,
    silence_timer,
    sweep,
)


def pause(kind, length, silences=(), scores=(), turn=0):
    span = Span(10.0, 10.0 + length)
    where = Pause("clip", "clip", turn, kind, span)
    return ScoredPause(where, np.array(silences, float), np.array(scores, float))


def one(threshold, delay, timeout):
    return Policies(np.array([threshold]), np.array([delay]), np.array([timeout]))


def test_the_grid_is_that_of_eot_bench():
    grid = policies()
    assert len(grid.thresholds) == 101 * 9 * 6
    assert (grid.thresholds.min(), grid.thresholds.max()) == (0, 1)
    assert (grid.action_delays_s.min(), grid.action_delays_s.max()) == (0.2, 1.0)
    assert (grid.timeouts_s.min(), grid.timeouts_s.max()) == (1.0, 3.5)


@pytest.mark.parametrize(
    ("threshold", "delay", "timeout", "latency"),
    [
        (0.5, 0.2, 3.0, 0.4),  # at the crossing
        (0.5, 0.6, 3.0, 0.6),  # not before the delay
        (0.95, 0.2, 3.0, 3.0),  # never crossed: at the timeout
        (0.9, 0.2, 1.0, 1.0),  # crossed too late
        (0.0, 0.2, 3.0, 0.2),  # always crossed
    ],
)
def test_a_policy_acts_when_it_is_sure_and_allowed_to(threshold, delay, timeout, latency):
    end = pause("end", inf, [0.1, 0.4, 1.2], [0.3, 0.6, 0.9])
    assert sweep([end], one(threshold, delay, timeout)).mean_latencies_s == pytest.approx(latency)


def test_a_score_that_falls_again_has_still_crossed():
    end = pause("end", inf, [0.3, 0.6], [0.8, 0.1])
    assert sweep([end], one(0.7, 0.2, 2.0)).mean_latencies_s == pytest.approx(0.3)


def test_a_hold_is_cut_off_when_it_outlasts_the_policy():
    holds = [pause("hold", length, [0.3], [0.8]) for length in (0.25, 0.3, 0.5, 1.5)]
    assert sweep(holds, one(0.7, 0.2, 2.0)).cutoff_rates == pytest.approx(2 / 4)
    assert sweep(holds, one(0.9, 0.2, 1.0)).cutoff_rates == pytest.approx(1 / 4)


def test_what_the_score_reveals_before_the_timeout_is_detected():
    ends = [pause("end", inf, [0.5], [0.8], turn=1), pause("end", inf, [0.5], [0.6], turn=2)]
    assert sweep(ends, one(0.7, 0.2, 2.0)).detection_rates == pytest.approx(0.5)


def test_the_silence_timer_knows_only_lengths():
    given = [pause("hold", 0.25), pause("hold", 0.7), pause("hold", 1.2), pause("end", inf)]
    points = operating_points(silence_timer([p.pause for p in given]))
    assert points.cutoffs_at_300_ms.estimate.value == pytest.approx(2 / 3)
    assert points.cutoffs_at_600_ms.estimate.value == pytest.approx(2 / 3)
    assert points.latency_at_5_percent.estimate.value == pytest.approx(1.2)
    assert points.latency_at_10_percent.latency_s == pytest.approx(1.2)


def test_a_perfect_score_has_no_price_and_an_impossible_budget_no_answer():
    perfect = [pause("hold", 3.0, [0.1], [0.0]), pause("end", inf, [0.1], [1.0])]
    points = operating_points(sweep(perfect))
    assert points.cutoffs_at_300_ms.estimate.value == 0
    assert points.latency_at_5_percent.estimate.value == pytest.approx(0.2)
    slow = [pause("hold", 0.5, [0.1], [0.0]), pause("end", inf, [0.8], [1.0])]
    points = operating_points(sweep(slow, policies(np.array([1.0]))))
    assert isnan(points.cutoffs_at_300_ms.estimate.value)


def test_the_interval_holds_the_value():
    random = np.random.default_rng(3)
    given = [
        pause(kind, length, np.arange(1, 30) / 10, np.linspace(0, level, 29), turn)
        for turn in range(12)
        for kind, length, level in (
            ("hold", random.uniform(0.2, 2), random.uniform(0.2, 0.9)),
            ("end", inf, random.uniform(0.5, 1.0)),
        )
    ]
    found = operating_points(sweep(given)).latency_at_10_percent
    assert found.estimate.low <= found.estimate.value <= found.estimate.high
    assert found.cutoff_rate <= 0.1


def test_the_frontier_keeps_what_nothing_beats():
    given = [pause("hold", 0.5), pause("hold", 1.0), pause("end", inf)]
    timer = silence_timer([p.pause for p in given], np.array([0.2, 0.4, 0.5, 0.7, 1.0]))
    assert frontier(timer).tolist() == [[0.2, 1.0], [0.5, 0.5], [1.0, 0.0]]


def test_nothing_comes_of_nothing():
    assert isnan(operating_points(sweep([])).latency_at_5_percent.estimate.value)
