"""Puts the runs of a subject at one number of calls together. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from benchmarks.load.plan import CASES, GROWING
from benchmarks.load.results import BASE, Links, Ratio, Row, Run
from benchmarks.load.stats import Summary, ratio_interval, summarise

EARLY, LATE = "early", "late"
TURNS = {
    EARLY: (2, 10),
    "11 to 30": (11, 30),
    "31 to 60": (31, 60),
    "61 to 89": (61, 89),
    LATE: (90, 110),
}
"""Turn numbers that are put together, to see what grows: turn 100 is to cost what turn 2 does."""


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
    turns = sum(run.counts.turns for run in runs)
    answered = sum(run.counts.answered for run in runs)
    call_s = sum(run.process.window_s * run.at_once for run in runs) or 1.0
    pieces = sum(run.frames.pieces for run in runs) or 1
    return Row(
        subject=subject,
        calls=calls,
        turns=turns,
        cases=_cases(runs),
        overhead=summarise([ms for case in CASES for ms in merged(runs, case, "overhead")]),
        growth=_growth(runs),
        cpu_s_per_call_minute=60 * sum(run.process.cpu_s for run in runs) / call_s,
        mib_per_call=sum(_mib_per_call(run) for run in runs) / len(runs),
        late_share=sum(run.frames.late_share * run.frames.pieces for run in runs) / pieces,
        gaps=sum(run.frames.gaps for run in runs),
        answered_share=answered / (turns or 1),
        stale_turns=sum(run.counts.stale_turns for run in runs),
        links=_links(runs),
        jitter=summarise([ms for run in runs for ms in run.frames.uneven_ms]),
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


def _links(runs: list[Run]) -> Links:
    return Links(
        model_waited=[one for run in runs for one in run.links.model_waited],
        voice_waited=[one for run in runs for one in run.links.voice_waited],
        model_cuts=sum(run.links.model_cuts for run in runs),
        model_opened=sum(run.links.model_opened for run in runs),
        voice_opened=sum(run.links.voice_opened for run in runs),
    )


def by_turn(run: Run, measure: str, turns: str) -> list[float]:
    """Return the samples of a measure in the turns of such numbers (`TURNS`)."""
    low, high = TURNS[turns]
    found = run.by_turn.get(measure, {})
    return [ms for turn, samples in found.items() if low <= turn <= high for ms in samples]


def _growth(runs: list[Run]) -> dict[str, dict[str, Summary]]:
    found: dict[str, dict[str, Summary]] = {}
    for measure in GROWING:
        groups = {
            name: summarise([ms for run in runs for ms in by_turn(run, measure, name)])
            for name in TURNS
        }
        found[measure] = {name: one for name, one in groups.items() if one is not None}
    return found


def asked_early(runs: Iterable[Run], case: str) -> float | None:
    """Return the share of turns whose request came before the turn was final; None of none.

    A subject whose eager mode is off asks at EndOfTurn, which is as long after the trigger as the
    case says.
    """
    steps = {step.event: step.at_s for step in CASES[case].steps}
    gap_ms = 1000 * (steps["EndOfTurn"] - steps.get("EagerEndOfTurn", steps["EndOfTurn"]))
    found = merged(runs, case, "request")
    return sum(ms < gap_ms for ms in found) / len(found) if found else None
