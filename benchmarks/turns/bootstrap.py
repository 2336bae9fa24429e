"""How sure a figure is: percentile intervals from resampled turns. Pure; the seed is given.

Turns are resampled, not pauses, since the pauses of one turn are of one breath: intervals over
pauses are too narrow. Where calls of one speaker are many turns long, resample recordings.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

from benchmarks.turns.runs import Floats

RESAMPLES = 2000
LEVEL = 0.95
_FEWEST_UNITS = 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; all nan where there is nothing to tell."""

    value: float
    low: float
    high: float
    count: int
    """How many turns, events or clips it was made from."""


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each unit is drawn in each resample: shape (resamples, units)."""

    counts: npt.NDArray[np.int64]


def draws(units: int, *, resamples: int = RESAMPLES, seed: int = 0) -> Draws:
    """Draw `units` units with replacement, `resamples` times; of fewer than two nothing is drawn.

    One unit drawn again and again would make an interval of no width, which is no knowledge.
    """
    if units < _FEWEST_UNITS:
        return Draws(np.zeros((0, units), np.int64))
    shares = np.full(units, 1 / units)
    return Draws(np.random.default_rng(seed).multinomial(units, shares, size=resamples))


def positions(units: Sequence[Hashable]) -> tuple[npt.NDArray[np.int64], int]:
    """Return each item's unit as a number, in order of appearance, and how many units there are."""
    numbers: dict[Hashable, int] = {}
    found = [numbers.setdefault(unit, len(numbers)) for unit in units]
    return np.asarray(found, np.int64), len(numbers)


def estimate(value: float, replicates: Floats, count: int) -> Estimate:
    """Return the value with the interval its replicates, shape (resamples,), span."""
    usable = replicates[np.isfinite(replicates)]
    if not len(usable) or not np.isfinite(value):
        return Estimate(value if np.isfinite(value) else nan, nan, nan, count)
    tail = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(usable, [tail, 100 - tail])
    return Estimate(float(value), float(low), float(high), count)


def ratio(
    numerators: Sequence[float],
    denominators: Sequence[float],
    units: Sequence[Hashable],
    *,
    seed: int = 0,
) -> Estimate:
    """Return sum / sum, as for a rate; each item brings its part of both, and belongs to a unit."""
    numbers, count = positions(units)
    drawn = draws(count, seed=seed).counts
    top, bottom = (
        np.bincount(numbers, np.asarray(part, float), count) if count else np.zeros(0)
        for part in (numerators, denominators)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        replicates = (drawn @ top) / (drawn @ bottom)
    total = float(np.sum(bottom))
    value = float(np.sum(top)) / total if total else nan
    return estimate(value, replicates, round(total) if total >= 1 else len(numbers))


def mean(values: Sequence[float], units: Sequence[Hashable], *, seed: int = 0) -> Estimate:
    """Return the mean of values that belong to units."""
    return ratio(values, [1.0] * len(values), units, seed=seed)


def quantile(
    values: Sequence[float], units: Sequence[Hashable], percent: float, *, seed: int = 0
) -> Estimate:
    """Return a percentile of values that belong to units (linear between ranks)."""
    if not values:
        return Estimate(nan, nan, nan, 0)
    numbers, count = positions(units)
    array = np.asarray(values, float)
    order = np.argsort(array, kind="stable")
    drawn = draws(count, seed=seed).counts[:, numbers[order]]
    replicates = _percentiles(array[order], drawn, percent)
    return estimate(float(np.percentile(array, percent)), replicates, len(array))


def _percentiles(values: Floats, times: npt.NDArray[np.int64], percent: float) -> Floats:
    """Return a percentile of each resample: sorted values, drawn so many times, shape (r, n)."""
    reached = np.cumsum(times, axis=1)
    rank = percent / 100 * (reached[:, -1] - 1)
    below, above = (_at(values, reached, edge) for edge in (np.floor(rank), np.ceil(rank)))
    share = rank - np.floor(rank)
    return np.asarray(np.where(rank < 0, nan, below + share * (above - below)), np.float64)


def _at(values: Floats, reached: npt.NDArray[np.int64], ranks: Floats) -> Floats:
    """Return the value of that rank, from 0, in each resample."""
    places = (reached <= ranks[:, None]).sum(axis=1)
    return np.asarray(values[np.minimum(places, len(values) - 1)], np.float64)
