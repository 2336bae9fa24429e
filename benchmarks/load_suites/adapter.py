"""From a result of `benchmarks.load` to a suite's: metrics, tables, what failed. Pure."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from benchmarks.load.plan import CASES
from benchmarks.load.results import Result, Row, Run
from benchmarks.load.stats import Summary
from benchmarks.results import Cell, Metric, SuiteResult, Table, metric

STAGES = ("request", "synthesis", "delivery", "overhead")
CUTS = {
    "clear": "clear",
    "silence": "silence",
    "model_cancelled": "model",
    "voice_cancelled": "voice",
}
_STAGES_NOTE = (
    "request: from Flux's message to the model's receipt of the request; synthesis: from the first "
    "sentence's last token to the voice's receipt of the sentence; delivery: from the voice's "
    "first byte, or EndOfTurn if later, to the caller's first audio."
)
_BARGE_IN_NOTE = (
    "clear: the order to be silent is with the caller; silence: the last audible byte; model, "
    "voice: the provider knows; resumed: a draft's model knows that the user went on; new links: "
    "connections to model and voice that had to be opened, a turn."
)
_LOAD_NOTE = (
    "answered: of all turns; wrong: turns with audio that was not theirs; CPU s/min: processor "
    "seconds a call-minute; MiB: a call; late: frames more than 20 ms behind."
)
_RELAY = "relay"
_QUIET_MS = 10.0
"""The relay's p99 on a machine with nothing else to do is below 1 ms."""
_FEW_CALLS = 20
_BY_LEVEL = ("scale", "peers")
"""Suites of several numbers of calls, which are then part of a metric's name."""
_BY_CASE = ("overhead", "peers")
"""Suites with turns enough for each kind of turn to be told of by itself."""


def suite_of(result: Result, title: str) -> SuiteResult:
    """Return a load's result as a suite's, the load's own within it."""
    return SuiteResult(
        name=result.suite,
        title=title,
        began=result.began,
        seconds=result.seconds,
        metrics=list(_metrics(result)),
        tables=list(_tables(result)),
        failures=list(_failures(result)),
        caveats=[*result.caveats, *_doubts(result)],
        detail=msgspec.to_builtins(_slim(result)),
    )


def _slim(result: Result) -> Result:
    """Leave out the samples: they are in the metrics."""
    runs = [msgspec.structs.replace(run, samples={}, by_turn={}) for run in result.runs]
    return msgspec.structs.replace(result, runs=runs)


def _metrics(result: Result) -> Iterator[Metric]:
    for row in result.summaries:
        runs = [r for r in result.runs if (r.subject, r.calls) == (row.subject, row.calls)]
        name = f"{result.suite}.{row.subject}"
        if result.suite in _BY_LEVEL:
            name = f"{name}.{row.calls}"
        if result.suite in _BY_CASE:
            for case, measures in row.cases.items():
                for measure in measures:
                    samples = [run.samples.get(case, {}).get(measure, []) for run in runs]
                    yield metric(f"{name}.{case}.{measure}", "ms", samples)
        overheads = [_overheads(run) for run in runs]
        if any(overheads):
            yield metric(f"{name}.overhead", "ms", overheads)
        yield metric(f"{name}.cpu", "s/call-minute", _each(runs, _cpu_s_per_call_minute))
        yield metric(f"{name}.memory", "MiB/call", _each(runs, _mib_per_call))
        yield metric(f"{name}.late", "share", _each(runs, lambda run: run.frames.late_share))
    yield from _capacities(result)


def _capacities(result: Result) -> Iterator[Metric]:
    for subject, found in result.capacity.items():
        if "calls" in found:
            name = f"{result.suite}.{subject}.capacity"
            yield metric(name, "calls", [[found["calls"]]], better="higher")
        if "kib_per_call" in found:
            yield metric(f"{result.suite}.{subject}.leak", "KiB/call", [[found["kib_per_call"]]])


def _overheads(run: Run) -> list[float]:
    return [ms for case in CASES for ms in run.samples.get(case, {}).get("overhead", ())]


def _each(runs: Sequence[Run], figure: Callable[[Run], float]) -> list[list[float]]:
    return [[figure(run)] for run in runs]


def _cpu_s_per_call_minute(run: Run) -> float:
    return 60 * run.process.cpu_s / (run.process.window_s * run.at_once or 1.0)


def _mib_per_call(run: Run) -> float:
    return (run.process.rss_mib - run.process.rss_before_mib) / run.at_once


def _tables(result: Result) -> Iterator[Table]:
    if result.suite in _BY_CASE:
        for calls in sorted({row.calls for row in result.summaries}):
            rows = [row for row in result.summaries if row.calls == calls]
            yield from (
                _stages(case, calls, rows)
                for case in CASES
                if any("overhead" in row.cases.get(case, {}) for row in rows)
            )
            yield _barge_in(calls, rows)
    yield _under_load(result)
    if result.footprints:
        yield _footprints(result)


def _stages(case: str, calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for row in rows:
        measures = row.cases.get(case, {})
        whole = measures.get("overhead")
        if whole is not None:
            stages = [pair(measures.get(stage)) for stage in STAGES]
            found.append([row.subject, str(whole.n), *stages, f"{whole.p999:.2f}"])
    title = f"{CASES[case].title}, {calls} calls: ms added, p50/p99"
    return Table(title, ["subject", "turns", *STAGES, "p99.9"], found, [_STAGES_NOTE])


def _barge_in(calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for row in rows:
        cuts = row.cases.get("barge", {})
        resumed = row.cases.get("resumed", {}).get("resume_cancelled")
        fresh = f"{row.model_connections_per_turn:.2f}+{row.voice_connections_per_turn:.2f}"
        found.append([row.subject, *(pair(cuts.get(cut)) for cut in CUTS), pair(resumed), fresh])
    title = f"from the user's speaking over an answer, {calls} calls: ms, p50/p99"
    return Table(
        title, ["subject", *CUTS.values(), "resumed", "new links"], found, [_BARGE_IN_NOTE]
    )


def _under_load(result: Result) -> Table:
    found: list[list[Cell]] = []
    for row in result.summaries:
        place = row.subject, row.calls
        turns = sum(r.counts.turns for r in result.runs if (r.subject, r.calls) == place)
        found.append(
            [
                row.subject,
                str(row.calls),
                f"{turns * row.answered_share:.0f}/{turns}",
                str(row.stale_turns),
                pair(row.overhead),
                f"{row.cpu_s_per_call_minute:.3f}",
                f"{row.mib_per_call:.2f}",
                f"{row.late_share:.2%}",
            ]
        )
    columns = ["subject", "calls", "answered", "wrong", "overhead", "CPU s/min", "MiB", "late"]
    return Table("under load", columns, found, [_LOAD_NOTE])


def _footprints(result: Result) -> Table:
    columns = ["installed", "MB", "packages", "import s", "modules", "ready s", "MiB then"]
    rows: list[list[Cell]] = [
        [
            one.subject,
            f"{one.installed_mb:.0f}",
            str(one.packages),
            *(
                [
                    f"{one.import_s:.2f}",
                    str(one.modules),
                    f"{one.ready_s:.2f}",
                    f"{one.rss_mib:.0f}",
                ]
                if one.ready_s
                else ["-"] * 4
            ),
        ]
        for one in result.footprints
    ]
    return Table("Before the first call", columns, rows)


def _failures(result: Result) -> Iterator[str]:
    """Give what turnkit must never do: let a wrong sound be heard."""
    for row in result.summaries:
        if row.subject == "turnkit" and row.stale_turns:
            yield f"turnkit, {row.calls} calls: wrong audio in {row.stale_turns} turns"


def is_noisy(rows: Sequence[Row]) -> bool:
    """Tell whether even the relay was late, which it is where the machine stood still."""
    relays = [row.overhead for row in rows if row.subject == _RELAY and row.calls <= _FEW_CALLS]
    return any(whole is not None and whole.p99 > _QUIET_MS for whole in relays)


def _doubts(result: Result) -> Iterator[str]:
    if is_noisy(result.summaries):
        yield (
            f"The machine was not quiet: the bare relay itself has a p99 above {_QUIET_MS:.0f} ms. "
            "Believe the medians and their ratios, and no p99."
        )
    yield f"Load of the machine before: {result.machine.loadavg:.1f}. {result.placement}."
    for row in result.summaries:
        if not row.harness_sound:
            yield f"{row.subject}, {row.calls} calls: the load itself was late; do not trust p99."
    if left_out := sum(run.counts.disturbed for run in result.runs):
        yield f"{left_out} turns are left out, in which the load itself stood still."


def pair(summary: Summary | None) -> str:
    """Write the median and the 99th percentile."""
    return "-" if summary is None else f"{_short(summary.p50)}/{_short(summary.p99)}"


def _short(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
