"""Whether a confidence of 0.7 means that seven of ten such pauses are ends. Pure.

Scores are looked at every 0.1 s of a pause, up to 2 s: an end goes on for ever, and would fill the
tally with moments in which it is no longer a question.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.turns import bootstrap
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.runs import Floats
from benchmarks.turns.spans import ScoredPause, resampled

STEP_S = 0.1
LONGEST_S = 2.0
BINS = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the scores are from what happened."""

    brier: Estimate
    """Mean squared distance of the score from 1 in ends and 0 in holds."""
    expected_error: Estimate
    """Mean distance of the scores of a bin from the share of ends in it (ECE, ten equal bins)."""
    scores: Floats
    """The mean score of each bin: shape (bins,); nan where it is empty."""
    shares: Floats
    """The share of ends in each bin: shape (bins,)."""
    counts: Floats
    """How many moments are in each bin: shape (bins,)."""


def calibration(pauses: Sequence[ScoredPause], *, seed: int = 0) -> Calibration:
    """Compare scores with ends and holds, with intervals over turns."""
    looks = [resampled(pause, STEP_S, LONGEST_S) for pause in pauses]
    scores = np.concatenate([np.empty(0), *(look.scores for look in looks)])
    lengths = [len(look.scores) for look in looks]
    ended = np.repeat([float(look.pause.kind == "end") for look in looks], lengths)
    numbers, count = bootstrap.positions([look.pause.unit for look in looks])
    moments = np.repeat(numbers, lengths)
    tally = _tally(scores, ended, moments, count)
    drawn = bootstrap.draws(count, seed=seed).counts
    errors = _errors(np.tensordot(drawn.astype(float), tally, 1))
    total = tally.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        means, shares = total[1] / total[0], total[2] / total[0]
    return Calibration(
        brier=bootstrap.mean(list((scores - ended) ** 2), list(moments), seed=seed),
        expected_error=bootstrap.estimate(float(_errors(total[None])[0]), errors, len(scores)),
        scores=means,
        shares=shares,
        counts=total[0],
    )


def _tally(scores: Floats, ended: Floats, units: npt.NDArray[np.int64], count: int) -> Floats:
    """Return by unit and bin: moments, their summed scores, their ends. Shape (units, 3, bins)."""
    bins = np.minimum((scores * BINS).astype(np.int64), BINS - 1)
    places = units * BINS + bins
    parts = (np.ones_like(scores), scores, ended)
    sums = [np.bincount(places, part, count * BINS).reshape(count, BINS) for part in parts]
    return np.stack(sums, axis=1)


def _errors(tallies: Floats) -> Floats:
    """Return the expected error of each tally: shapes (n, 3, bins) and (n,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gaps = np.abs(tallies[:, 1] - tallies[:, 2]).sum(axis=1)
        return np.asarray(gaps / tallies[:, 0].sum(axis=1), np.float64)
