"""Results of the suite `peers` on a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.load.peers import asked_early
from benchmarks.load.results import Result, Row, Run
from benchmarks.load.stats import Summary

COLUMNS = {
    "eager200": "eager, end +200",
    "eager400": "eager, end +400",
    "plain": "no eager",
}
_CUTS = {
    "clear": "clear",
    "silence": "last sound",
    "model_cancelled": "model told",
    "voice_cancelled": "voice told",
}


def show_peers(result: Result, console: Console) -> None:
    """Print what it comes to."""
    for calls in sorted({row.calls for row in result.summaries}):
        rows = [row for row in result.summaries if row.calls == calls]
        console.print(_overheads(calls, rows))
        console.print(_parts(rows))
        console.print(_barge_in(rows, result.runs))
    console.print(_cost(result))
    console.print(_capacity(result))
    console.print(_footprints(result))
    _doubts(result, console)
    for name, what in result.subjects.items():
        console.print(f"[dim]{name}: {what}; {_versions(result.versions[name])}[/]")
    for caveat in result.caveats:
        console.print(f"[dim]- {caveat}[/]")


def _doubts(result: Result, console: Console) -> None:
    """Print what may make the figures worth less."""
    console.print(f"[dim]{result.placement}; load before {result.machine.loadavg:.1f}[/]")
    for row in result.summaries:
        if not row.harness_sound:
            console.print(f"[red]{row.subject}, {row.calls} calls: the load was late itself[/]")
    if left_out := sum(run.counts.disturbed for run in result.runs):
        console.print(f"[dim]{left_out} turns left out, in which the load itself stood still[/]")


def _table(title: str, *names: str) -> Table:
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left", overflow="fold")
    return table


def _overheads(calls: int, rows: list[Row]) -> Table:
    title = f"{calls} calls: overhead of a turn over the ideal, ms, p50 / p90 / p99 (turns)"
    table = _table(title, "subject", *COLUMNS.values())
    for row in rows:
        found = [row.cases.get(case, {}).get("overhead") for case in COLUMNS]
        table.add_row(row.subject, *(_three(summary) for summary in found))
    return table


def _parts(rows: list[Row]) -> Table:
    title = "its parts, ms, p50: request / synthesis / delivery"
    table = _table(title, "subject", *COLUMNS.values())
    for row in rows:
        table.add_row(row.subject, *(_medians(row.cases.get(case, {})) for case in COLUMNS))
    return table


def _barge_in(rows: list[Row], runs: list[Run]) -> Table:
    names = (*_CUTS.values(), "resumed", "asked early", "connections a turn")
    table = _table("after StartOfTurn, ms, p50 / p99; what is asked and opened", "subject", *names)
    for row in rows:
        mine = [run for run in runs if (run.subject, run.calls) == (row.subject, row.calls)]
        shares = [asked_early(mine, case) for case in ("eager200", "eager400")]
        early = " ".join("-" if share is None else f"{share:.0%}" for share in shares)
        cuts = row.cases.get("barge", {})
        resumed = row.cases.get("resumed", {}).get("resume_cancelled")
        opened = f"{row.model_connections_per_turn:.2f} + {row.voice_connections_per_turn:.2f}"
        figures = [_two(cuts.get(name)) for name in _CUTS]
        table.add_row(row.subject, *figures, _two(resumed), early, opened)
    return table


def _cost(result: Result) -> Table:
    names = ("calls", "CPU s a call-minute", "MiB a call", "MiB in all", "overhead p50 / p99")
    table = _table("under load", "subject", *names, "answered", "wrong audio", "left out")
    for row in result.summaries:
        mine = [r for r in result.runs if (r.subject, r.calls) == (row.subject, row.calls)]
        turns = sum(run.counts.turns for run in mine)
        mib = max(run.process.rss_mib for run in mine)
        table.add_row(
            row.subject,
            str(row.calls),
            f"{row.cpu_s_per_call_minute:.2f}",
            f"{row.mib_per_call:.2f}",
            f"{mib:.0f}",
            _two(row.overhead),
            f"{turns * row.answered_share:.0f}/{turns}",
            str(row.stale_turns),
            f"{sum(run.counts.disturbed for run in mine) / (turns or 1):.0%}",
        )
    return table


def _capacity(result: Result) -> Table:
    title = "calls on a core until p99 is 50 ms above its base, of the levels that were run"
    table = _table(title, "subject", "within", "not within", "base p99, ms", "% of a core a call")
    for name, found in result.capacity.items():
        beyond = f"{found['next']:.0f}" if found["next"] else "-"
        share = f"{100 * found['cpu_share_per_call']:.2f}" if found["cpu_share_per_call"] else "-"
        table.add_row(name, f"{found['calls']:.0f}", beyond, f"{found['base_ms']:.1f}", share)
    if doubt := undecided(result):
        table.caption = f"[red]{doubt}[/]"
    return table


def undecided(result: Result) -> str:
    """Say why no capacity can be read from a result; nothing if none of the signs is there.

    The relay is the control: what stops it, at a fifth of a core, is the machine. Others ran at
    other times, so that it was not stopped does not prove that they were not.
    """
    if beyond := result.capacity.get("relay", {}).get("next"):
        return (
            f"the relay, too, was over at {beyond:.0f} calls: that is the machine, for all of them"
        )
    late = [f"{row.subject} at {row.calls}" for row in result.summaries if not row.harness_sound]
    return f"the load was late itself: {', '.join(late)}" if late else ""


def _footprints(result: Result) -> Table:
    names = ("MB", "packages", "import CPU s", "modules", "ready s", "MiB then")
    table = _table("before the first call", "installed", *names)
    for one in result.footprints:
        figures = [f"{one.import_s:.2f}", str(one.modules), f"{one.ready_s:.2f}"]
        figures = [*figures, f"{one.rss_mib:.0f}"] if one.ready_s else ["-"] * 4
        table.add_row(escape(one.subject), f"{one.installed_mb:.0f}", str(one.packages), *figures)
    return table


def _versions(found: dict[str, str]) -> str:
    return " ".join(f"{name} {version}" for name, version in found.items())


def _medians(measures: dict[str, Summary]) -> str:
    return " / ".join(_each(measures))


def _each(measures: dict[str, Summary]) -> Iterator[str]:
    for stage in ("request", "synthesis", "delivery"):
        yield f"{measures[stage].p50:.1f}" if stage in measures else "-"


def _two(summary: Summary | None) -> str:
    return "-" if summary is None else f"{summary.p50:.1f} / {summary.p99:.1f}"


def _three(summary: Summary | None) -> str:
    if summary is None:
        return "-"
    return f"{summary.p50:.1f} / {summary.p90:.1f} / {summary.p99:.1f} ({summary.n})"
