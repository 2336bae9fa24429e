"""How good the fitted numbers are on calls they were not fitted on. Pure.

One recording (or voice) at a time is left out, the shrinkage is chosen on the others alone, the
numbers are fitted on them, and the one left out is scored. So nothing a score is made of has seen
the pauses it is about; only the policy of an operating point is chosen on them, as everywhere.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.turns.calibration import Calibration, calibration
from benchmarks.turns.fitting import (
    RIDGES,
    Timing,
    errors,
    fit_prior,
    fit_timing,
    scores,
)
from benchmarks.turns.manifest import Recording
from benchmarks.turns.observed import SHIFTS_S, Observed, trace
from benchmarks.turns.runs import Floats
from benchmarks.turns.spans import ScoredPause, pauses, scored
from benchmarks.turns.sweep import OperatingPoints, operating_points, silence_timer, sweep
from turnkit.engine.model import Prior

Group = Callable[[Recording], str]


@dataclass(frozen=True, slots=True)
class Scores:
    """What came of it, on the pauses that were left out; all hearings of each together."""

    points: OperatingPoints
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Folds:
    """Numbers fitted without each group, by the group's name."""

    group: Group
    fitted: Mapping[str, tuple[Prior, Timing]]

    def without(self, recording: Recording) -> tuple[Prior, Timing] | None:
        """Return the numbers that were fitted without this recording; None if none were."""
        return self.fitted.get(self.group(recording))


def by_clip(recording: Recording) -> str:
    """Leave out whole recordings: both sides of a call."""
    return recording.clip


def by_voice(recording: Recording) -> str:
    """Leave out one side of a call; the other may be learned from."""
    return recording.id


def fit(observed: Sequence[Observed], names: Sequence[str], ridge: float) -> tuple[Prior, Timing]:
    """Fit everything on these pauses."""
    timing = fit_timing(observed)
    return fit_prior(observed, timing, names, ridge), timing


def choose_ridge(observed: Sequence[Observed], kind: str, names: Sequence[str]) -> float:
    """Return the shrinkage for these pauses, judged by voices of one kind left out of the fit.

    It is the strongest that is not clearly worse than the best: by no more than a standard error
    of the difference (Breiman et al. 1984), since a few voices cannot tell more than that.
    """
    left_out = list(_voices_left_out(observed, kind))
    told = np.array(
        [
            np.concatenate([errors(unseen, *fit(known, names, r)) for known, unseen in left_out])
            for r in RIDGES
        ]
    )
    worse = told - told[told.mean(axis=1).argmin()]
    # Of five hearings of the same pause four tell nothing new.
    doubt = worse.std(axis=1) / np.sqrt(told.shape[1] / len(SHIFTS_S))
    return max(np.array(RIDGES)[worse.mean(axis=1) <= doubt].tolist())


def fit_chosen(
    observed: Sequence[Observed], kind: str, names: Sequence[str]
) -> tuple[Prior, Timing]:
    """Fit on these pauses, with the shrinkage that suits recordings of one kind."""
    return fit(observed, names, choose_ridge(observed, kind, names))


def folds(
    observed: Sequence[Observed], kind: str, names: Sequence[str], group: Group = by_clip
) -> Folds:
    """Fit without each group that has recordings of one kind."""
    held_out = sorted({group(p.recording) for p in observed if p.recording.kind == kind})
    fitted = {
        left_out: fit_chosen([p for p in observed if group(p.recording) != left_out], kind, names)
        for left_out in held_out
    }
    return Folds(group, fitted)


def scored_by(fitted: Folds, observed: Sequence[Observed]) -> Scores:
    """Score pauses, each by the numbers fitted without its group; others are passed over.

    Args:
        fitted: the numbers.
        observed: what they were fitted on, or the same recordings over another line.
    """
    said = {
        id(pause): scores(pause, *numbers)
        for pause in observed
        if (numbers := fitted.without(pause.recording)) is not None
    }
    found = _scored([pause for pause in observed if id(pause) in said], said)
    return Scores(operating_points(sweep(found)), calibration(found))


def cross_validated(
    observed: Sequence[Observed], kind: str, names: Sequence[str], group: Group = by_clip
) -> Scores:
    """Score the recordings of one kind, each by numbers fitted without its group."""
    return scored_by(folds(observed, kind, names, group), observed)


def timer(observed: Sequence[Observed], kind: str) -> OperatingPoints:
    """Return what a silence timer makes of the same pauses."""
    recordings = {p.recording.id: p.recording for p in observed if p.recording.kind == kind}
    return operating_points(silence_timer(pauses(recordings.values())))


def _voices_left_out(
    observed: Sequence[Observed], kind: str
) -> Iterator[tuple[list[Observed], list[Observed]]]:
    """Give the pauses without each voice of one kind, and that voice's."""
    for voice in sorted({p.recording.id for p in observed if p.recording.kind == kind}):
        yield (
            [pause for pause in observed if pause.recording.id != voice],
            [pause for pause in observed if pause.recording.id == voice],
        )


def _scored(observed: Sequence[Observed], said: dict[int, Floats]) -> list[ScoredPause]:
    recordings = {pause.recording.id: pause.recording for pause in observed}
    found = []
    for shift in range(len(SHIFTS_S)):
        for recording in recordings.values():
            own = [p for p in observed if p.recording.id == recording.id and p.shift == shift]
            course = trace(own, [said[id(pause)] for pause in own])
            found += [scored(pause, course) for pause in pauses([recording])]
    return found
