"""From a load's result to a suite's: metrics, what failed, what to know of it. Pure."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from benchmarks.load.capacity import capacity_of, kib_per_call
from benchmarks.load.plan import CASES, GROWING
from benchmarks.load.results import BASE, OURS, LoadResult, Row, Run, subject_of
from benchmarks.load.summaries import TURNS, by_turn, rows
from benchmarks.load.tables import tables_of
from benchmarks.results import Metric, SuiteResult, metric

_QUIET_MS = 10.0
"""The relay's p99 on a machine with nothing else to do is below 1 ms."""
_FEW_CALLS = 20
_BY_CASE = ("overhead", "peers")
"""Suites with turns enough for each kind of turn to be told of by itself."""


def suite_of(result: LoadResult, title: str) -> SuiteResult:
    """Return a load's result as a suite's, the load's own within it."""
    return SuiteResult(
        name=result.suite,
        title=title,
        metrics=list(metrics_of(result)),
        tables=tables_of(result),
        failures=list(_failures(result)),
        caveats=[*_doubts(result), *result.caveats, *_who(result)],
        detail=msgspec.to_builtins(_slim(result)),
    )


def _slim(result: LoadResult) -> LoadResult:
    """Leave out the samples: they are in the metrics."""
    runs = []
    for run in result.runs:
        frames = msgspec.structs.replace(run.frames, uneven_ms=[])
        links = msgspec.structs.replace(run.links, model_waited=[], voice_waited=[])
        runs.append(
            msgspec.structs.replace(run, samples={}, by_turn={}, frames=frames, links=links)
        )
    slim = []
    for row in result.rows:
        links = msgspec.structs.replace(row.links, model_waited=[], voice_waited=[])
        slim.append(msgspec.structs.replace(row, links=links))
    return msgspec.structs.replace(result, runs=runs, rows=slim)


def metrics_of(result: LoadResult) -> Iterator[Metric]:
    """Give all figures of a load with their samples."""
    for row in result.rows:
        runs = [r for r in result.runs if (r.subject, r.calls) == (row.subject, row.calls)]
        name = _name(result, row)
        if result.suite in _BY_CASE:
            for case, measures in row.cases.items():
                for measure in measures:
                    samples = [run.samples.get(case, {}).get(measure, []) for run in runs]
                    yield metric(f"{name}.{case}.{measure}", "ms", samples)
            yield from _links(name, runs)
        if result.suite == "overhead":
            yield from _growth(name, runs)
        if any(overheads := [_overheads(run) for run in runs]):
            yield metric(f"{name}.overhead", "ms", overheads)
        yield metric(f"{name}.cpu", "s/call-minute", [_cpu_s_per_call_minute(run) for run in runs])
        yield metric(f"{name}.memory", "MiB/call", _each(runs, mib_per_call))
        if any(run.memory_mib for run in runs):
            yield metric(f"{name}.rss", "MiB", [[mib for _, mib, _ in r.memory_mib] for r in runs])
        yield metric(f"{name}.late", "share", _each(runs, lambda run: run.frames.late_share))
        yield metric(f"{name}.jitter", "ms", [run.frames.uneven_ms for run in runs])
    yield from _capacities(result)
    yield from _footprints(result)


def _name(result: LoadResult, row: Row) -> str:
    """Return how a row's metrics begin; with the calls where there are several numbers of them."""
    name = f"{result.suite}.{row.subject}"
    return name if result.suite == "soak" or row.calls == result.calls else f"{name}.{row.calls}"


def _links(name: str, runs: Sequence[Run]) -> Iterator[Metric]:
    """Give whether answers behind a cancelled one had to wait for a connection: 1, or 0."""
    for what in ("model_waited", "voice_waited"):
        samples = [getattr(run.links, what) for run in runs]
        if any(samples):
            yield metric(f"{name}.after_cancel.{what}", "share", samples)
    if any(run.links.model_cuts for run in runs):
        opened = [[run.links.model_opened / max(1, run.links.model_cuts)] for run in runs]
        yield metric(f"{name}.after_cancel.model_opened", "a cancel", opened)


def _growth(name: str, runs: Sequence[Run]) -> Iterator[Metric]:
    for measure in GROWING:
        for turns in TURNS:
            samples = [by_turn(run, measure, turns) for run in runs]
            if any(samples):
                slug = turns.replace(" to ", "-")
                yield metric(f"{name}.growth.{slug}.{measure}", "ms", samples)


def _capacities(result: LoadResult) -> Iterator[Metric]:
    """Give one for each round, so that several can be told from chance."""
    for subject, found in result.capacity.items():
        mine = [run for run in result.runs if run.subject == subject]
        if "calls" in found:
            rounds = [[run for run in mine if run.round == n] for n in {run.round for run in mine}]
            each = [[capacity_of(rows(runs), subject)["calls"]] for runs in rounds]
            each = each if len(each) > 1 else [[found["calls"]]]
            yield metric(f"{result.suite}.{subject}.capacity", "calls", each, better="higher")
        if "kib_per_call" in found:
            each = [[kib_per_call(run)] for run in mine]
            yield metric(f"{result.suite}.{subject}.leak", "KiB/call", each)


def _footprints(result: LoadResult) -> Iterator[Metric]:
    for one in result.footprints:
        name = f"{result.suite}.{one.subject.partition('[')[0]}.footprint"
        if one.ready_s:
            yield metric(f"{name}.import", "s", [[one.import_s]])
            yield metric(f"{name}.ready", "s", [[one.ready_s]])
            yield metric(f"{name}.memory", "MiB", [[one.rss_mib]])
            yield metric(f"{name}.installed", "MB", [[one.installed_mb]])


def _overheads(run: Run) -> list[float]:
    return [ms for case in CASES for ms in run.samples.get(case, {}).get("overhead", ())]


def _each(runs: Sequence[Run], figure: Callable[[Run], float]) -> list[list[float]]:
    return [[figure(run)] for run in runs]


def _cpu_s_per_call_minute(run: Run) -> list[float]:
    shares = run.process.shares or [run.process.share]
    return [60 * share / run.at_once for share in shares]


def mib_per_call(run: Run) -> float:
    """Return what memory each call took, beyond a first one."""
    return (run.process.rss_mib - run.process.rss_before_mib) / run.at_once


def _failures(result: LoadResult) -> Iterator[str]:
    """Give what turnkit must never do: let a wrong sound be heard."""
    for row in result.rows:
        if subject_of(row.subject) == OURS and row.stale_turns:
            yield f"{row.subject}, {row.calls} calls: wrong audio in {row.stale_turns} turns"


def is_noisy(levels: Sequence[Row]) -> bool:
    """Tell whether even the relay was late, which it is where the machine stood still."""
    relays = [row.overhead for row in levels if row.subject == BASE and row.calls <= _FEW_CALLS]
    return any(whole is not None and whole.p99 > _QUIET_MS for whole in relays)


def _doubts(result: LoadResult) -> Iterator[str]:
    if is_noisy(result.rows):
        yield (
            f"The machine was not quiet: the bare relay itself has a p99 above {_QUIET_MS:.0f} ms. "
            "Believe the medians and their ratios, and no p99."
        )
    yield f"{result.placement[0].upper()}{result.placement[1:]}."
    for row in result.rows:
        if not row.harness_sound:
            yield f"{row.subject}, {row.calls} calls: the load itself was late; do not trust p99."
    busiest = max(result.runs, key=lambda run: run.harness.share)
    yield (
        f"The load itself took up to {busiest.harness.share:.0%} of a core ({busiest.subject}, "
        f"{busiest.calls} calls)."
    )
    for run in result.runs:
        if (lost := run.counts.flux_connections - run.counts.calls) > 0:
            yield (
                f"{run.subject}, {run.calls} calls: {lost} connections to Flux were given up, for "
                "Flux was late or silent; their calls were heard by another one."
            )
    if left_out := sum(run.counts.disturbed for run in result.runs):
        yield f"{left_out} turns are left out, in which the load itself stood still."


def _who(result: LoadResult) -> Iterator[str]:
    for name, what in result.subjects.items():
        versions = " ".join(f"{package} {v}" for package, v in result.versions[name].items())
        yield f"{name}: {what} ({versions})."
