"""Percentiles, and how far they can be trusted. Pure, and the same each time."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

_RESAMPLES = 1000
_TAILS = (2.5, 97.5)
_MOST = 20_000
"""Of more samples than this, as many are resampled: their intervals are narrow as it is."""
_MOST_AT_ONCE = 1_000_000


class Interval(msgspec.Struct, frozen=True):
    """Between these the figure of another run is expected, with 95 % confidence."""

    low: float
    high: float


class Summary(msgspec.Struct, frozen=True):
    """A distribution, in the unit of its samples. `p999` of fewer than 1,000 is the maximum."""

    n: int
    p50: float
    p90: float
    p99: float
    p999: float
    max: float
    mean: float
    p50_ci: Interval
    p99_ci: Interval


def summarise(samples: Sequence[float]) -> Summary | None:
    """Return the summary; None of nothing."""
    if not samples:
        return None
    values = np.asarray(samples, float)
    p50, p90, p99, p999 = np.percentile(values, [50, 90, 99, 99.9])
    p50_ci, p99_ci = intervals(values, (50, 99))
    highest = float(values.max())
    return Summary(
        n=len(values),
        p50=float(p50),
        p90=float(p90),
        p99=float(p99),
        p999=float(p999) if len(values) >= 1000 else highest,
        max=highest,
        mean=float(values.mean()),
        p50_ci=p50_ci,
        p99_ci=p99_ci,
    )


def intervals(samples: ArrayLike, percents: Sequence[float]) -> list[Interval]:
    """Return the bootstrap confidence interval of each percentile (Efron 1979), from a fixed seed.

    Of extreme percentiles it is too narrow where samples are few: it knows no value it never saw.
    """
    edges = np.percentile(_resampled(samples, percents), _TAILS, axis=1)
    return [Interval(float(low), float(high)) for low, high in edges.T]


def ratio_interval(mine: Sequence[float], base: Sequence[float], percent: float) -> Interval:
    """Return the bootstrap confidence interval of the ratio of a percentile to a baseline's."""
    (a,), (b,) = _resampled(mine, [percent]), _resampled(base, [percent], seed=1)
    low, high = np.percentile(a / np.maximum(b, 1e-9), _TAILS)
    return Interval(float(low), float(high))


def _resampled(
    samples: ArrayLike, percents: Sequence[float], seed: int = 0
) -> npt.NDArray[np.float64]:
    """Return percentiles of samples drawn with replacement: a row for each, a column for each."""
    values = np.asarray(samples, float)
    values = values[:: -(-len(values) // _MOST)]
    chance = np.random.default_rng([len(values), seed])
    at_once = max(1, _MOST_AT_ONCE // len(values))
    found = [
        np.percentile(chance.choice(values, (rows, len(values))), percents, axis=1)
        for rows in (min(at_once, _RESAMPLES - done) for done in range(0, _RESAMPLES, at_once))
    ]
    return np.concatenate(found, axis=1)


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Return the slope of the straight line that fits best; 0 of fewer than two places."""
    if len(set(xs)) < 2:
        return 0.0
    return float(np.polyfit(xs, ys, 1)[0])
