"""How good the fitted numbers are on calls they were not fitted on. Pure.

One recording (or voice) at a time is left out, the shrinkage is chosen on the others alone, the
numbers are fitted on them, and the one left out is scored. So nothing a score is made of has seen
the pauses it is about; only the policy of an operating point is chosen on them, as everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.turns.calibration import Calibration, calibration
from benchmarks.turns.fitting import RIDGES, Timing, fit_prior, fit_timing, log_loss, scores
from benchmarks.turns.manifest import Recording
from benchmarks.turns.observed import SHIFTS_S, Observed, trace
from benchmarks.turns.runs import Floats
from benchmarks.turns.spans import ScoredPause, pauses, scored
from benchmarks.turns.sweep import OperatingPoints, operating_points, silence_timer, sweep
from turnkit.engine.model import Prior

Group = Callable[[Recording], str]


@dataclass(frozen=True, slots=True)
class Scores:
    """What came of it, on the pauses that were left out; both hearings of each together."""

    points: OperatingPoints
    calibration: Calibration


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
    """Return the shrinkage that does best on voices of one kind of recording, left out of these."""
    losses = np.zeros(len(RIDGES))
    for voice in sorted({p.recording.id for p in observed if p.recording.kind == kind}):
        known = [pause for pause in observed if pause.recording.id != voice]
        unseen = [pause for pause in observed if pause.recording.id == voice]
        for n, ridge in enumerate(RIDGES):
            losses[n] += log_loss(unseen, *fit(known, names, ridge)).sum()
    return RIDGES[int(np.argmin(losses))]


def cross_validated(
    observed: Sequence[Observed], kind: str, names: Sequence[str], group: Group = by_clip
) -> Scores:
    """Score the recordings of one kind, each by numbers fitted without its group."""
    held_out = sorted({group(p.recording) for p in observed if p.recording.kind == kind})
    said: dict[int, Floats] = {}
    for left_out in held_out:
        known = [pause for pause in observed if group(pause.recording) != left_out]
        fitted = fit(known, names, choose_ridge(known, kind, names))
        for pause in observed:
            if group(pause.recording) == left_out:
                said[id(pause)] = scores(pause, *fitted)
    found = _scored([pause for pause in observed if id(pause) in said], said)
    return Scores(operating_points(sweep(found)), calibration(found))


def timer(observed: Sequence[Observed], kind: str) -> OperatingPoints:
    """Return what a silence timer makes of the same pauses."""
    recordings = {p.recording.id: p.recording for p in observed if p.recording.kind == kind}
    return operating_points(silence_timer(pauses(recordings.values())))


def _scored(observed: Sequence[Observed], said: dict[int, Floats]) -> list[ScoredPause]:
    recordings = {pause.recording.id: pause.recording for pause in observed}
    found = []
    for shift in range(len(SHIFTS_S)):
        for recording in recordings.values():
            own = [p for p in observed if p.recording.id == recording.id and p.shift == shift]
            course = trace(own, [said[id(pause)] for pause in own])
            found += [scored(pause, course) for pause in pauses([recording])]
    return found
