"""From observed pauses to the engine's numbers: hold lengths and priors, by penalised likelihood.

Holds are lognormal beyond the shortest that counts. Given them, the log odds of an end after t of
silence are those of the prior less log S(t), so the prior's weights are a logistic regression over
the moments of pauses with -log S(t) as an offset. A moment counts by 1/t, so that each doubling of
a pause counts the same.

There are few voices to learn from, so what is known of speech anyway goes in as well. In which
direction each cue points is known (`TOWARDS_END`); with nothing but that, equal weights are hard
to beat (Dawes 1979). So the weights are shrunk towards what they have in common, and that, much
less, towards 0. How many pauses are ends depends on who speaks more than on how it sounds, and is
not learned from these few at all (`ENDS`). Deterministic; pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from benchmarks.turns.observed import SHIFTS_S, Moment, Observed
from benchmarks.turns.runs import Floats
from turnkit.engine.holds import LONGEST_S, SHORTEST_S, HoldLengths, Holds
from turnkit.engine.model import OPINION, Cue, Model, Prior, bounded
from turnkit.engine.prosody import Cues

PROSODY = Cues._fields
WITH_OPINION = (*PROSODY, OPINION)
RIDGES = (32.0, 64.0, 128.0, 256.0, 512.0)
"""The shrinkage to choose from: evidence, in moments, against a weight 1 off the others'."""

ENDS = 1 / 3
"""The share of ends among pauses that sound like neither. In the development pack's conversations
it is 0.16 to 0.52, voice by voice; from 0.27 to 0.4 the scores are alike."""

TOWARDS_END = {
    "steadiness": 1,  # fillers and drawn-out vowels are steady: "uh", "um" (Shriberg 2001)
    "residue": -1,  # who breathes in goes on (Rochet-Capellan and Fuchs 2014)
    "peak_300ms": -1,  # level and pitch decline towards the end of a turn, and what is to be
    "pitch_end": -1,  # continued is held up (Gravano and Hirschberg 2011); a question's rise
    "pitch_lowest": -1,  # is in the slope
    "pitch_slope": 1,  # level pitch is the mark of a hold (Edlund and Heldner 2005)
    OPINION: 2,  # a network that has heard 31,000 clips
}
"""The sign that each cue's weight should have, and as how many cues it counts."""

PACE_WEIGHT = 8.0

PROSODY_RANGE = (0.08, 0.9)
"""Prosody alone is no surer than this: at Flux's threshold of 0.7 it costs 2 s at most."""
OPINION_RANGE = (0.02, 0.97)

CONVERSATION = "dialogue"
_CONVERSATION_COUNTS = 2.0  # holds in other clips: readers', and clips that show hesitation

_EARLIEST_S = 0.2  # moments before it count as one at it
_QUESTION_S = 1.5
_OUTER = 3.0  # scales: as in `turnkit.engine.model`
_STEPS = 30
_COMMON_RIDGE = 2.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How long holds are."""

    lengths: HoldLengths
    mean_log: float


def fit_timing(pauses: Sequence[Observed]) -> Timing:
    """Fit the lengths of the holds among these."""
    holds = [pause for pause in pauses if not pause.over and pause.length_s > SHORTEST_S]
    logs = np.array([log(pause.length_s) for pause in holds])
    count = np.array([_counts(pause) for pause in holds])
    mu, sigma = _truncated_normal(logs, count, log(SHORTEST_S))
    usual = logs <= log(LONGEST_S)
    return Timing(HoldLengths(mu, sigma), float(np.average(logs[usual], weights=count[usual])))


def fit_prior(
    pauses: Sequence[Observed], timing: Timing, names: Sequence[str], ridge: float
) -> Prior:
    """Fit the weights of these cues, given how long holds are."""
    told = [(pause, moment) for pause in pauses for moment in _telling(pause)]
    moments = [moment for _, moment in told]
    over = np.array([float(pause.over) for pause, _ in told])
    count = _EARLIEST_S / np.maximum([moment.silence_s for moment in moments], _EARLIEST_S)
    count /= len(SHIFTS_S)  # to hear a pause again tells nothing new
    offset = np.array([_run_out(moment, timing) for moment in moments])
    values = np.array([[_value(moment, name) for name in names] for moment in moments])
    values = values.reshape(len(moments), len(names))
    mean = np.average(values, axis=0, weights=count)
    scale = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=count)) + 1e-9
    signs = np.array([TOWARDS_END[name] for name in names], float)
    standard = np.clip((values - mean) / scale, -_OUTER, _OUTER) * signs
    weights = _logistic(standard, over, count, offset, ridge)
    cues = {
        name: Cue(float(mean[n]), float(scale[n]), float(signs[n] * weights[n]))
        for n, name in enumerate(names)
    }
    least, most = OPINION_RANGE if OPINION in names else PROSODY_RANGE
    return Prior(log(ENDS / (1 - ENDS)), cues, least, most)


def scores(pause: Observed, prior: Prior, timing: Timing) -> Floats:
    """Return what the engine says at each moment of a pause: shape (n,)."""
    said = []
    for moment in pause.moments:
        cues = {**moment.cues._asdict(), OPINION: moment.opinion}
        said.append(bounded(prior.log_odds(cues)) + _run_out(moment, timing))
    return 1 / (1 + np.exp(-np.array(said)))


def errors(pauses: Sequence[Observed], prior: Prior, timing: Timing) -> Floats:
    """Return each pause's squared errors, summed over its frames while it is a question.

    Shape (n,). Their mean over frames is Brier's score.
    """
    said = [scores(pause, prior, timing)[: len(_telling(pause))] for pause in pauses]
    return np.array([np.sum((s - p.over) ** 2) for s, p in zip(said, pauses, strict=True)])


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
    """Return the weights, by Newton's method, beside an intercept that is not shrunk."""
    size = values.shape[1]
    shared = np.full((size, size), 1 / max(size, 1))
    penalty = np.zeros((size + 1, size + 1))
    penalty[0, 0] = 1e-6
    penalty[1:, 1:] = ridge * (np.eye(size) - shared) + _COMMON_RIDGE * shared
    design = np.column_stack([np.ones(len(values)), values])
    found = np.zeros(size + 1)
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-(design @ found + offset)))
        slope = design.T @ (count * (likely - over)) + penalty @ found
        bend = (design.T * (count * likely * (1 - likely))) @ design + penalty
        step = np.linalg.solve(bend, slope)
        found -= step
        if np.abs(step).max() < 1e-9:
            break
    return np.asarray(found[1:])


def _truncated_normal(values: Floats, count: Floats, least: float) -> tuple[float, float]:
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
        losses = [_loss(values, count, mu, float(np.exp(s)), least) for mu, s in grid]
        centre = np.array(grid[int(np.argmin(losses))])
        spread = spread / 5
    return float(centre[0]), float(np.exp(centre[1]))


def _loss(values: Floats, count: Floats, mu: float, sigma: float, least: float) -> float:
    beyond = HoldLengths(mu, sigma).longer_than(float(np.exp(least)))
    if beyond < 1e-6:
        return np.inf
    each = ((values - mu) / sigma) ** 2 / 2 + np.log(sigma) + np.log(beyond)
    return float(count @ each)


def _counts(pause: Observed) -> float:
    return _CONVERSATION_COUNTS if pause.recording.kind == CONVERSATION else 1.0


def counts(pauses: Sequence[Observed]) -> npt.NDArray[np.int64]:
    """Return how many of the pauses are holds and ends, each counted once."""
    over = [pause.over for pause in pauses if pause.shift == 0]
    return np.array([len(over) - sum(over), sum(over)])
