"""From runs to a report: every metric, for all recordings and for each kind of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.calibration import Calibration, calibration
from benchmarks.turns.runs import Floats, Run, no_trace
from benchmarks.turns.scores import eager_ends, quiet, summary, turn_scores
from benchmarks.turns.spans import Pause, ScoredPause, pauses, scored
from benchmarks.turns.sweep import (
    OperatingPoints,
    frontier,
    operating_points,
    silence_timer,
    sweep,
)
from benchmarks.turns.wer import word_error_rate, word_score
from turnkit.sources.flux_query import ListenParameters

ALL = "all"


@dataclass(frozen=True, slots=True)
class Policies:
    """What policies on top of the confidence reach, beside one that only counts silence."""

    points: OperatingPoints
    frontier: Floats
    """Latency in seconds and cut-off rate of the best policies: shape (n, 2)."""
    timer: OperatingPoints
    timer_frontier: Floats
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Figures:
    """All there is to say of some recordings."""

    recordings: int
    turns: int
    holds: int
    metrics: dict[str, Estimate]
    policies: Policies | None
    """None: no turns, or the confidence was not traced."""


@dataclass(frozen=True, slots=True)
class Report:
    """One endpoint on some packs."""

    endpoint: str
    asked: ListenParameters
    packs: tuple[str, ...]
    shifts: int
    groups: dict[str, Figures]
    """By kind of recording; the first is of all."""


def report(
    endpoint: str, asked: ListenParameters, packs: Sequence[str], shifts: int, runs: Sequence[Run]
) -> Report:
    """Score the runs of one endpoint."""
    kinds = sorted({run.recording.kind for run in runs if run.recording.scored_turns})
    groups = {ALL: figures(runs, asked)}
    if len(kinds) > 1:
        for kind in kinds:
            groups[kind] = figures([r for r in runs if r.recording.kind == kind], asked)
    return Report(endpoint, asked, tuple(packs), shifts, groups)


def figures(runs: Sequence[Run], asked: ListenParameters) -> Figures:
    """Return every metric of these runs."""
    timeout_s = asked.eot_timeout_ms / 1000
    turns = [score for run in runs for score in turn_scores(run, timeout_s)]
    eager = [found for run in runs for found in eager_ends(run)]
    quiets = [found for run in runs if (found := quiet(run)) is not None]
    words = [score for run in runs if (score := word_score(run)) is not None]
    metrics = summary(turns, eager, quiets)
    metrics["word error rate"] = word_error_rate(words)
    given = scored_pauses(runs)
    return Figures(
        recordings=len({run.recording.id for run in runs}),
        turns=len({turn.unit for turn in turns}),
        holds=len({(p.recording, p.span) for p in _pauses(runs) if p.kind == "hold"}),
        metrics=metrics,
        policies=_policies(given) if given else None,
    )


def scored_pauses(runs: Sequence[Run]) -> list[ScoredPause]:
    """Return the pauses of all runs that were traced, with the confidence in them."""
    return [
        scored(pause, run.trace or no_trace())
        for run in runs
        if run.trace is not None
        for pause in pauses([run.recording])
    ]


def _policies(given: Sequence[ScoredPause]) -> Policies:
    swept, timer = sweep(given), silence_timer([one.pause for one in given])
    return Policies(
        points=operating_points(swept),
        frontier=frontier(swept),
        timer=operating_points(timer),
        timer_frontier=frontier(timer),
        calibration=calibration(given),
    )


def _pauses(runs: Sequence[Run]) -> list[Pause]:
    return pauses([run.recording for run in runs])
