"""From observed pauses to the engine's numbers: hold lengths and priors, by penalised likelihood.

Holds are lognormal beyond the shortest that counts. Given them, the log odds of an end after t of
silence are those of the prior less log S(t), so the prior's weights are a logistic regression over
the moments of pauses with -log S(t) as an offset. A moment counts by 1/t, so that each doubling of
a pause counts the same, and the weights are shrunk towards 0 (ridge). Deterministic; pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from benchmarks.turns.observed import Moment, Observed, log_length
from benchmarks.turns.runs import Floats
from turnkit.engine.holds import LONGEST_S, SHORTEST_S, HoldLengths, Holds
from turnkit.engine.model import OPINION, Cue, Model, Prior, bounded
from turnkit.engine.prosody import Cues

PROSODY = Cues._fields
WITH_OPINION = (*PROSODY, OPINION)
RIDGES = (4.0, 8.0, 16.0, 32.0)
"""The shrinkage to choose from: how much of evidence against a weight of 1, in moments."""

PACE_WEIGHT = 8.0

_EARLIEST_S = 0.2  # moments before it count as one at it
_QUESTION_S = 1.5
_OUTER = 3.0  # scales: as in `turnkit.engine.model`
_STEPS = 30


@dataclass(frozen=True, slots=True)
class Timing:
    """How long holds are."""

    lengths: HoldLengths
    mean_log: float


def fit_timing(pauses: Sequence[Observed]) -> Timing:
    """Fit the lengths of the holds among these."""
    logs = np.array([log_length(pause) for pause in pauses if not pause.over])
    logs = logs[logs > log(SHORTEST_S)]
    mu, sigma = _truncated_normal(logs, log(SHORTEST_S))
    return Timing(HoldLengths(mu, sigma), float(logs[logs <= log(LONGEST_S)].mean()))


def fit_prior(
    pauses: Sequence[Observed], timing: Timing, names: Sequence[str], ridge: float
) -> Prior:
    """Fit the weights of these cues, given how long holds are."""
    told = [(pause, moment) for pause in pauses for moment in _telling(pause)]
    moments = [moment for _, moment in told]
    over = np.array([float(pause.over) for pause, _ in told])
    count = 1 / np.maximum([moment.silence_s for moment in moments], _EARLIEST_S) * _EARLIEST_S
    offset = np.array([_run_out(moment, timing) for moment in moments])
    values = np.array([[_value(moment, name) for name in names] for moment in moments])
    values = values.reshape(len(moments), len(names))
    mean = np.average(values, axis=0, weights=count)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=count)) + 1e-9
    standard = np.clip((values - mean) / scale, -_OUTER, _OUTER)
    intercept, *weights = _logistic(standard, over, count, offset, ridge)
    cues = {
        name: Cue(float(mean[n]), float(scale[n]), float(weights[n]))
        for n, name in enumerate(names)
    }
    return Prior(float(intercept), cues)


def scores(pause: Observed, prior: Prior, timing: Timing) -> Floats:
    """Return what the engine says at each moment of a pause: shape (n,)."""
    said = []
    for moment in pause.moments:
        cues = {**moment.cues._asdict(), OPINION: moment.opinion}
        said.append(bounded(prior.log_odds(cues)) + _run_out(moment, timing))
    return 1 / (1 + np.exp(-np.array(said)))


def log_loss(pauses: Sequence[Observed], prior: Prior, timing: Timing) -> Floats:
    """Return each pause's mean negative log likelihood, over its doublings: shape (n,)."""
    losses = []
    for pause in pauses:
        telling = _telling(pause)
        said = np.clip(scores(pause, prior, timing)[: len(telling)], 1e-6, 1 - 1e-6)
        count = 1 / np.maximum([moment.silence_s for moment in telling], _EARLIEST_S)
        right = said if pause.over else 1 - said
        losses.append(float(-np.average(np.log(right), weights=count)))
    return np.array(losses)


def model(prosody: Prior, with_smart_turn: Prior, timing: Timing) -> Model:
    """Put the engine's model together."""
    return Model(prosody, with_smart_turn, timing.lengths, timing.mean_log, PACE_WEIGHT)


def _telling(pause: Observed) -> Sequence[Moment]:
    """Return the moments to learn from: after a turn, those in which it is still a question."""
    if not pause.over:
        return pause.moments
    return [m for m in pause.moments if m.silence_s <= _QUESTION_S] or pause.moments[:1]


def _run_out(moment: Moment, timing: Timing) -> float:
    """Return by how much the silence so far, and the caller's pace, raise the log odds."""
    holds = Holds(timing.lengths, timing.mean_log, PACE_WEIGHT)
    holds.pace(moment.holds, moment.mean_log_hold)
    return -log(holds.left(moment.silence_s))


def _value(moment: Moment, name: str) -> float:
    return moment.opinion if name == OPINION else float(getattr(moment.cues, name))


def _logistic(values: Floats, over: Floats, count: Floats, offset: Floats, ridge: float) -> Floats:
    """Return intercept and weights, by Newton's method; the intercept is not shrunk."""
    design = np.column_stack([np.ones(len(values)), values])
    penalty = np.diag([1e-6, *[ridge] * values.shape[1]])
    found = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-(design @ found + offset)))
        slope = design.T @ (count * (likely - over)) + penalty @ found
        bend = (design.T * (count * likely * (1 - likely))) @ design + penalty
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(found)


def _truncated_normal(values: Floats, least: float) -> tuple[float, float]:
    """Return mean and deviation of the normal of which these are what lies above `least`.

    Found on a grid that is refined six times.
    """
    centre, spread = np.array([values.mean(), np.log(values.std())]), np.array([1.5, 1.0])
    for _ in range(6):
        grid = [
            (centre[0] + spread[0] * a, centre[1] + spread[1] * b)
            for a in np.linspace(-1, 1, 21)
            for b in np.linspace(-1, 1, 21)
        ]
        losses = [_loss(values, mu, float(np.exp(s)), least) for mu, s in grid]
        centre = np.array(grid[int(np.argmin(losses))])
        spread = spread / 5
    return float(centre[0]), float(np.exp(centre[1]))


def _loss(values: Floats, mu: float, sigma: float, least: float) -> float:
    beyond = HoldLengths(mu, sigma).longer_than(float(np.exp(least)))
    if beyond < 1e-6:
        return np.inf
    each = ((values - mu) / sigma) ** 2 / 2 + np.log(sigma) + np.log(beyond)
    return float(each.sum())


def counts(pauses: Sequence[Observed]) -> npt.NDArray[np.int64]:
    """Return how many of the pauses are holds and ends, each counted once."""
    over = [pause.over for pause in pauses if pause.shift == 0]
    return np.array([len(over) - sum(over), sum(over)])
