"""Every policy an agent could have on top of a score, and what each costs. Pure.

The method is eot-bench's (github.com/livekit/eot-bench, README, "Policy Sweep and Operating
Points"; its grid is in the `summary.json` of its results). A policy has three knobs: it ends the
turn when the score has reached `threshold`, but not before `action_delay` of silence, and at
`timeout` whatever the score. So in a pause it acts after

    min(max(action_delay, first instant with score >= threshold), timeout)

which on an end is its latency, and a cut-off on a hold that lasts longer. Latency is dead air that
the policy chooses, not computing time. The best policy for a budget is chosen on the very pauses it
is judged by, there and here: compare such figures with each other, not with an unseen call.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf, nan
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.turns import bootstrap
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.runs import Floats
from benchmarks.turns.spans import Pause, ScoredPause

THRESHOLDS: Final = np.round(np.arange(101) / 100, 2)
ACTION_DELAYS_S: Final = np.round(np.arange(2, 11) / 10, 1)
TIMEOUTS_S: Final = np.round(np.arange(2, 8) / 2, 1)
TIMER_S: Final = np.round(np.arange(20, 501) / 100, 2)
"""The silence timer's: eot-bench's finer grid for its baseline."""

LATENCIES_S: Final = (0.3, 0.6)
CUTOFF_RATES: Final = (0.05, 0.10)

_EPS = 1e-9
_BLOCK = 200  # resamples at a time: 5454 policies take 9 MB for each array


@dataclass(frozen=True, slots=True)
class Policies:
    """The knobs of p policies: shape (p,) each."""

    thresholds: Floats
    action_delays_s: Floats
    timeouts_s: Floats


@dataclass(frozen=True, slots=True)
class Sweep:
    """What each of p policies does to u turns."""

    policies: Policies
    cut: Floats
    """How many of each turn's holds are cut off: shape (u, p)."""
    holds: Floats
    """How many holds each turn has: shape (u,)."""
    latency_s: Floats
    """The summed latency of each turn's ends: shape (u, p)."""
    detected: Floats
    """How many of each turn's ends the score reveals before the timeout: shape (u, p)."""
    ends: Floats
    """How many ends each turn has, one or none: shape (u,)."""

    @property
    def cutoff_rates(self) -> Floats:
        """Share of all holds that each policy cuts off: shape (p,)."""
        return _over(self.cut.sum(axis=0), self.holds.sum())

    @property
    def mean_latencies_s(self) -> Floats:
        """Mean latency of each policy: shape (p,)."""
        return _over(self.latency_s.sum(axis=0), self.ends.sum())

    @property
    def detection_rates(self) -> Floats:
        """Share of all ends that each policy's score reveals: shape (p,)."""
        return _over(self.detected.sum(axis=0), self.ends.sum())


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The best policy within a budget."""

    estimate: Estimate
    """Lowest cut-off rate, or lowest mean latency in seconds; nan if no policy is in the budget."""
    cutoff_rate: float
    latency_s: float
    detection_rate: float
    threshold: float
    action_delay_s: float
    timeout_s: float


@dataclass(frozen=True, slots=True)
class OperatingPoints:
    """The four that eot-bench reports."""

    cutoffs_at_300_ms: OperatingPoint
    cutoffs_at_600_ms: OperatingPoint
    latency_at_5_percent: OperatingPoint
    latency_at_10_percent: OperatingPoint


def policies(
    thresholds: Floats = THRESHOLDS,
    action_delays_s: Floats = ACTION_DELAYS_S,
    timeouts_s: Floats = TIMEOUTS_S,
) -> Policies:
    """Return every combination of the knobs."""
    grid = np.meshgrid(thresholds, action_delays_s, timeouts_s, indexing="ij")
    return Policies(*(axis.ravel() for axis in grid))


def sweep(pauses: Sequence[ScoredPause], over: Policies | None = None) -> Sweep:
    """Try every policy on every pause."""
    over = over or policies()
    thresholds, inverse = np.unique(over.thresholds, return_inverse=True)
    crossings = [_crossings(pause, thresholds)[inverse] for pause in pauses]
    acts = [np.maximum(crossing, over.action_delays_s) for crossing in crossings]
    return _tally([pause.pause for pause in pauses], acts, over)


def silence_timer(pauses: Sequence[Pause], lengths_s: Floats = TIMER_S) -> Sweep:
    """Try policies that only count silence, on the same pauses."""
    never = np.full(len(lengths_s), inf)
    over = Policies(np.full(len(lengths_s), nan), lengths_s, never)
    return _tally(pauses, [lengths_s] * len(pauses), over)


def operating_points(swept: Sweep, *, seed: int = 0) -> OperatingPoints:
    """Return the best policies for the four budgets, with intervals over turns."""
    values, best = _four(swept.cutoff_rates[None], swept.mean_latencies_s[None])
    drawn = bootstrap.draws(len(swept.holds), seed=seed).counts
    again = np.concatenate(
        [np.empty((0, 4)), *(_four(*redrawn)[0] for redrawn in _redrawn(swept, drawn))]
    )
    points = [
        _point(swept, int(best[0, n]), bootstrap.estimate(float(values[0, n]), again[:, n], 0))
        for n in range(4)
    ]
    return OperatingPoints(*points)


def frontier(swept: Sweep) -> Floats:
    """Return (latency_s, cut-off rate) of the policies that no other beats: shape (n, 2)."""
    points = np.column_stack([swept.mean_latencies_s, swept.cutoff_rates])
    points = points[np.lexsort((points[:, 1], points[:, 0]))]
    best = np.minimum.accumulate(points[:, 1]) if len(points) else points[:, 1]
    fresh = np.concatenate([[True], points[1:, 1] < best[:-1] - _EPS])[: len(points)]
    return np.asarray(points[fresh])


def _crossings(pause: ScoredPause, thresholds: Floats) -> Floats:
    """Return when the score first reached each threshold; inf: never. It always has reached 0."""
    highest = np.maximum.accumulate(pause.scores)
    first = np.searchsorted(highest, thresholds - _EPS, side="left")
    crossings = np.concatenate([pause.silences_s, [inf]])[first]
    return np.where(thresholds <= 0, 0.0, crossings)


def _tally(pauses: Sequence[Pause], acts: Sequence[Floats], over: Policies) -> Sweep:
    numbers, count = bootstrap.positions([pause.unit for pause in pauses])
    shape = (count, len(over.timeouts_s))
    cut, latency, detected = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    holds, ends = np.zeros(count), np.zeros(count)
    for n, pause, act in zip(numbers, pauses, acts, strict=True):
        acted_s = np.minimum(act, over.timeouts_s)
        if pause.kind == "hold":
            cut[n] += pause.span.length_s > acted_s + _EPS
            holds[n] += 1
        else:
            latency[n] += acted_s
            detected[n] += act <= over.timeouts_s
            ends[n] += 1
    return Sweep(over, cut, holds, latency, detected, ends)


def _four(rates: Floats, latencies_s: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the lowest goal within each budget, and its policy (-1: none).

    Of figures of shape (resamples, p), both are of shape (resamples, 4).
    """
    tries = [(rates, latencies_s, budget) for budget in LATENCIES_S]
    tries += [(latencies_s, rates, budget) for budget in CUTOFF_RATES]
    values, best = np.empty((len(rates), 4)), np.empty((len(rates), 4), np.int64)
    for n, (goal, cost, budget) in enumerate(tries):
        allowed = np.where(cost <= budget + _EPS, goal, inf)
        at = allowed.argmin(axis=1)
        lowest = np.take_along_axis(allowed, at[:, None], axis=1)[:, 0]
        values[:, n] = np.where(np.isfinite(lowest), lowest, nan)
        best[:, n] = np.where(np.isfinite(lowest), at, -1)
    return values, best


def _redrawn(swept: Sweep, drawn: npt.NDArray[np.int64]) -> Iterator[tuple[Floats, Floats]]:
    """Give the cut-off rates and the mean latencies of all policies, some resamples at a time."""
    for start in range(0, len(drawn), _BLOCK):
        counts = drawn[start : start + _BLOCK].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates = (counts @ swept.cut) / (counts @ swept.holds)[:, None]
            latencies = (counts @ swept.latency_s) / (counts @ swept.ends)[:, None]
        yield rates, latencies


def _point(swept: Sweep, at: int, found: Estimate) -> OperatingPoint:
    found = replace(found, count=int(swept.holds.sum()))
    if at < 0:
        return OperatingPoint(found, nan, nan, nan, nan, nan, nan)
    return OperatingPoint(
        found,
        cutoff_rate=float(swept.cutoff_rates[at]),
        latency_s=float(swept.mean_latencies_s[at]),
        detection_rate=float(swept.detection_rates[at]),
        threshold=float(swept.policies.thresholds[at]),
        action_delay_s=float(swept.policies.action_delays_s[at]),
        timeout_s=float(swept.policies.timeouts_s[at]),
    )


def _over(part: Floats, whole: float) -> Floats:
    return part / whole if whole else np.full(part.shape, nan)
