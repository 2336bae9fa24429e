"""Charts of many calls at once: what each costs, how many a process carries, what they leave."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from benchmarks.load.capacity import WORSE_MS
from benchmarks.load.plan import CASES, COLUMNS
from benchmarks.load.results import OURS, Row
from benchmarks.report.charts import Axes, Series, lines
from benchmarks.report.html import figure, for_both, panels
from benchmarks.report.load_data import Found
from benchmarks.report.scales import number

Of = Callable[[Row], float | None]


def by_calls(found: Found) -> str:
    """Draw the overhead of each column with more and more calls: median, and p99."""
    drawings = []
    for case in COLUMNS:
        for what in ("p50", "p99"):
            drawn = _series(found, partial(_overhead, case=case, what=what))
            axes = Axes("calls at once", "ms", f"{CASES[case].title}: {what}", "log", "log")
            drawn = [one for one in drawn if len(one.points) > 1]
            if drawn:
                drawings.append(lines(axes, drawn, dots=True))
    if not drawings:
        return ""
    most, fewest = found.levels[-1], found.levels[0]
    first, last = (
        next((r for r in found.rows if (r.subject, r.calls) == (OURS, n)), None)
        for n in (fewest, most)
    )
    title = "What a turn costs, as there are more calls"
    if first is not None and last is not None:
        medians = [_overhead(row, "plain", "p50") for row in (first, last)]
        if None not in medians:
            a, b = (number(ms) for ms in medians if ms is not None)
            few = "one call" if fewest == 1 else f"{fewest} calls"
            title = f"With {few} a turn costs {a} ms, with {most} calls {b}"
    return figure(
        title,
        "Overhead by calls at once, all in one process; milliseconds and calls are logarithmic. "
        "With one call there are few turns, so that p99 is nearly the slowest of them.",
        panels(drawings),
    )


def _overhead(row: Row, case: str, what: str) -> float | None:
    summary = row.cases.get(case, {}).get("overhead")
    return None if summary is None else float(getattr(summary, what))


def curves(found: Found) -> str:
    """Draw what each call costs as there are more of them."""
    wanted: tuple[tuple[str, str, Literal["linear", "log"], Of], ...] = (
        ("overhead, p99", "ms", "log", lambda row: row.overhead.p99 if row.overhead else None),
        ("overhead, median", "ms", "log", lambda row: row.overhead.p50 if row.overhead else None),
        ("processor time", "s a call-minute", "linear", lambda row: row.cpu_s_per_call_minute),
        ("memory", "MiB a call", "linear", lambda row: row.mib_per_call),
        ("jitter of frames, p99", "ms", "linear", lambda row: row.jitter.p99 if row.jitter else 0),
        ("frames over 20 ms late", "%", "linear", lambda row: row.late_share * 100),
    )
    drawings = []
    for title, unit, kind, of in wanted:
        axes = Axes("calls at once", unit, title, x_kind="log", y_kind=kind)
        drawings.append(lines(axes, _series(found, of), dots=True))
    ours = found.capacity(OURS)
    slope, reached, beyond = (
        ours.get(name, 0.0) for name in ("cpu_share_per_call", "calls", "next")
    )
    title = f"One process carries {reached:.0f} calls; each takes {slope:.2%} of a core"
    if not ours:
        title = "What each call costs, as there are more of them"
    elif not beyond:
        title = f"One process carries {reached:.0f} calls or more; each takes {slope:.2%} of a core"
    return figure(
        title,
        f"Capacity ends where p99 is {WORSE_MS:.0f} ms above its lowest. Each dot is a run of all "
        "calls at once, 20 ms frames both ways. A line ends where nothing was left of the core.",
        panels(drawings),
    )


def _series(found: Found, of: Of) -> list[Series]:
    entries = dict.fromkeys(row.subject for row in found.rows)
    all_of = [found.series(entry, _points(found.rows, entry, of)) for entry in entries]
    return [one for one in all_of if one.points]


def _points(rows: Sequence[Row], entry: str, of: Of) -> list[tuple[float, float]]:
    found = [(float(row.calls), of(row)) for row in rows if row.subject == entry]
    return [(calls, float(value)) for calls, value in sorted(found) if value is not None]


def memory(found: Found) -> str:
    """Draw memory over the calls of a soak."""
    drawn = [
        found.series(run.subject, [(c, mib) for _, mib, c in run.memory_mib])
        for run in found.load.runs
        if run.memory_mib
    ]
    if not drawn:
        return ""
    kib = found.capacity(OURS).get("kib_per_call", 0.0)
    return figure(
        f"A call leaves {number(kib)} KiB behind",
        "Resident memory of the process as calls come and go; how much is left behind is the "
        "slope over the second half.",
        for_both(
            lambda width: lines(
                Axes("calls so far", "MiB", "memory", width=width, height=280.0), drawn
            )
        ),
    )
