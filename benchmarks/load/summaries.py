"""Puts the runs of a subject at one number of calls together. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.load.plan import CASES
from benchmarks.load.results import Ratio, Row, Run
from benchmarks.load.stats import Summary, medians, ratio_interval, summarise

BASE = "relay"
"""What all others are held against."""

GROWS = ("eager200", "after", "resumed", "plain")
"""Cases in which all that is done between the trigger and the audio is in the overhead."""

_BUCKETS = ((2, 9), (10, 29), (30, 59), (60, 99), (100, 199), (200, 511))


def rows(runs: Sequence[Run]) -> list[Row]:
    """Return one row for each subject and number of calls, in the order of their first runs."""
    groups: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        groups[run.subject, run.calls].append(run)
    found = [_row(*place, group) for place, group in groups.items()]
    for row in found:
        if (base := groups.get((BASE, row.calls))) and row.subject != BASE:
            row.to_relay = _ratios(groups[row.subject, row.calls], base)
    return found


def merged(runs: Iterable[Run], case: str, measure: str) -> list[float]:
    """Return the samples of several runs as one."""
    return [ms for run in runs for ms in run.samples.get(case, {}).get(measure, ())]


def _row(subject: str, calls: int, runs: list[Run]) -> Row:
    turns = sum(run.counts.turns for run in runs) or 1
    answered = sum(run.counts.answered for run in runs)
    call_s = sum(run.process.window_s * run.at_once for run in runs) or 1.0
    pieces = sum(run.frames.pieces for run in runs) or 1
    return Row(
        subject=subject,
        calls=calls,
        cases=_cases(runs),
        overhead=summarise([ms for case in CASES for ms in merged(runs, case, "overhead")]),
        growth=_growth(runs),
        cpu_s_per_call_minute=60 * sum(run.process.cpu_s for run in runs) / call_s,
        mib_per_call=sum(_mib_per_call(run) for run in runs) / len(runs),
        late_share=sum(run.frames.late_share * run.frames.pieces for run in runs) / pieces,
        gaps=sum(run.frames.gaps for run in runs),
        answered_share=answered / turns,
        stale_turns=sum(run.counts.stale_turns for run in runs),
        model_connections_per_turn=sum(r.counts.fresh_model_turns for r in runs) / turns,
        voice_connections_per_turn=sum(r.counts.fresh_voice_turns for r in runs) / turns,
        harness_sound=all(run.harness.sound for run in runs),
    )


def _ratios(runs: list[Run], base: list[Run]) -> dict[str, Ratio]:
    found = {}
    for case in CASES:
        mine, theirs = merged(runs, case, "overhead"), merged(base, case, "overhead")
        if mine and theirs:
            interval = ratio_interval(mine, theirs, 50)
            value = median(mine) / max(median(theirs), 1e-9)
            found[case] = Ratio(value, interval.low, interval.high)
    return found


def _mib_per_call(run: Run) -> float:
    return (run.process.rss_mib - run.process.rss_before_mib) / run.at_once


def _cases(runs: list[Run]) -> dict[str, dict[str, Summary]]:
    measures: dict[str, set[str]] = defaultdict(set)
    for run in runs:
        for case, samples in run.samples.items():
            measures[case] |= samples.keys()
    found: dict[str, dict[str, Summary]] = {}
    for case, names in measures.items():
        summaries = {name: summarise(merged(runs, case, name)) for name in sorted(names)}
        found[case] = {name: one for name, one in summaries.items() if one is not None}
    return found


def _growth(runs: list[Run]) -> dict[str, float]:
    """Return the median overhead by turn number: turn 100 is to cost what turn 2 does."""
    groups: dict[str, list[float]] = {f"{low}-{high}": [] for low, high in _BUCKETS}
    for run in runs:
        for case in GROWS:
            for turn, overheads in run.by_turn.get(case, {}).items():
                for low, high in _BUCKETS:
                    if low <= turn <= high:
                        groups[f"{low}-{high}"] += overheads
    return medians(groups)
