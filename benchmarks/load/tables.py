"""Results on a terminal."""

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.load.plan import CASES
from benchmarks.load.results import Ratio, Result, Row
from benchmarks.load.stats import Summary

STAGES = ("request", "synthesis", "delivery", "overhead")
CUTS = ("clear", "silence", "model_cancelled", "voice_cancelled")


def show(result: Result, console: Console) -> None:
    """Print what a result comes to."""
    match result.suite:
        case "overhead":
            for row in result.summaries:
                console.print(_stages(row))
            console.print(_barge_in(result))
            console.print(_growth(result))
        case "soak":
            console.print(_soak(result))
    console.print(_load(result))
    console.print(f"[dim]{result.placement}; load before {result.machine.loadavg:.1f}[/]")
    for row in result.summaries:
        if not row.harness_sound:
            console.print(f"[red]{row.subject}, {row.calls} calls: the load was late itself[/]")
    if left_out := sum(run.counts.disturbed for run in result.runs):
        console.print(f"[dim]{left_out} turns left out, in which the load itself stood still[/]")


def _stages(row: Row) -> Table:
    title = f"{row.subject}, {row.calls} calls: ms, p50 / p99"
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in ("case", "turns", *STAGES, "overhead p90", "p99.9", "x relay"):
        table.add_column(name, justify="left" if name == "case" else "right", no_wrap=True)
    for case, measures in row.cases.items():
        whole = measures.get("overhead")
        if whole is None:
            continue
        figures = [_pair(measures.get(stage)) for stage in STAGES]
        ends = (f"{whole.p90:.2f}", f"{whole.p999:.2f}", _times(row.to_relay.get(case)))
        table.add_row(CASES[case].title, str(whole.n), *figures, *ends)
    return table


def _barge_in(result: Result) -> Table:
    table = Table(title="after StartOfTurn: ms, p50 / p99", box=box.SIMPLE, title_justify="left")
    table.add_column("subject")
    names = ("clear heard", "last sound", "model told", "voice told", "resumed: model told")
    for name in ("interruptions", *names, "new connections a turn"):
        table.add_column(name, justify="right")
    for row in result.summaries:
        cuts = row.cases.get("barge", {})
        resumed = row.cases.get("resumed", {}).get("resume_cancelled")
        count = cuts["clear"].n if "clear" in cuts else 0
        fresh = f"{row.model_connections_per_turn:.2f} + {row.voice_connections_per_turn:.2f}"
        figures = [_pair(cuts.get(name)) for name in CUTS]
        table.add_row(row.subject, str(count), *figures, _pair(resumed), fresh)
    return table


def _growth(result: Result) -> Table:
    table = Table(
        title="median overhead by turn of the call: ms", box=box.SIMPLE, title_justify="left"
    )
    table.add_column("subject")
    buckets = list(dict.fromkeys(name for row in result.summaries for name in row.growth))
    for bucket in buckets:
        table.add_column(bucket, justify="right")
    for row in result.summaries:
        figures = [f"{row.growth[b]:.2f}" if b in row.growth else "-" for b in buckets]
        table.add_row(row.subject, *figures)
    return table


def _load(result: Result) -> Table:
    table = Table(title="under load", box=box.SIMPLE, title_justify="left")
    table.add_column("subject")
    names = ("calls", "turns answered", "wrong audio", "overhead p50 / p99", "CPU s a call-minute")
    for name in (*names, "MiB a call", "late > 20 ms", "gaps"):
        table.add_column(name, justify="right")
    for row in result.summaries:
        turns = sum(r.counts.turns for r in result.runs if _of(row, r.subject, r.calls))
        table.add_row(
            row.subject,
            str(row.calls),
            f"{turns * row.answered_share:.0f}/{turns}",
            str(row.stale_turns),
            _pair(row.overhead),
            f"{row.cpu_s_per_call_minute:.3f}",
            f"{row.mib_per_call:.2f}",
            f"{row.late_share:.3%}",
            str(row.gaps),
        )
    return table


def _soak(result: Result) -> Table:
    table = Table(title="memory", box=box.SIMPLE, title_justify="left")
    for name in ("subject", "calls", "failed", "MiB first", "MiB last", "KiB a call, 2nd half"):
        table.add_column(name, justify="left" if name == "subject" else "right")
    for run in result.runs:
        memory = [mib for _, mib, _ in run.memory_mib]
        kib = result.capacity.get(run.subject, {}).get("kib_per_call", 0.0)
        ends = [f"{mib:.1f}" for mib in (memory[0], memory[-1])] if memory else ["-", "-"]
        failed = str(run.counts.failed_calls)
        table.add_row(run.subject, str(run.calls), failed, *ends, f"{kib:.2f}")
    return table


def _of(row: Row, subject: str, calls: int) -> bool:
    return (row.subject, row.calls) == (subject, calls)


def _times(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{ratio.value:.1f} ({ratio.low:.1f}-{ratio.high:.1f})"


def _pair(summary: Summary | None) -> str:
    return "-" if summary is None else f"{summary.p50:.2f} / {summary.p99:.2f}"
