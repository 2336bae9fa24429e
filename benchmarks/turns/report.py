"""A report as people read it in a terminal, and as programs read it in JSON."""

from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.scoring import ALL, Figures, Report
from benchmarks.turns.sweep import OperatingPoints

NOTHING: Final = "-"
SHARE: Final = "share"
"""The name of a figure that is a share of one, where a table has only such."""

_POINTS: Final = {
    "cutoffs_at_300_ms": "cut-offs at 300 ms",
    "cutoffs_at_600_ms": "cut-offs at 600 ms",
    "latency_at_5_percent": "latency at 5 % cut-offs",
    "latency_at_10_percent": "latency at 10 % cut-offs",
}
_WIDE: Final = 160
_TIMER: Final = ", timer"
_SHARES: Final = frozenset(
    {
        "cut-offs per pause",
        "cut turns",
        "missed ends",
        "eager precision",
        "eager recall",
        "transcript drift",
        "missed onsets",
        "noise clips with a start",
        "word error rate",
        SHARE,
        *(name for name in _POINTS.values() if name.startswith("cut-offs")),
    }
)
_PLAIN: Final = frozenset(
    {"wasted drafts per turn", "false starts per minute", "Brier score", "calibration error"}
)


def open_console() -> Console:
    """Return a console for tables, which in a file are as wide as they need to be."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDE)


def table(given: Report) -> Table:
    """Return the metrics as a table, with 95 % intervals in the column of all recordings."""
    shown = Table(box=box.SIMPLE_HEAD, title=_title(given), title_justify="left", pad_edge=False)
    shown.add_column("", no_wrap=True)
    for name, group in given.groups.items():
        heading = f"{name}\n{group.turns} turns\n{group.holds} pauses"
        shown.add_column(heading, justify="right", no_wrap=True)
        if name == ALL:
            shown.add_column("95 %", justify="right", no_wrap=True, style="dim")
    rows = {name: dict(estimates(group)) for name, group in given.groups.items()}
    for metric in rows[ALL]:
        cells = [told(metric, rows[name].get(metric)) for name in given.groups]
        if any(cell != NOTHING for cell in cells):
            shown.add_row(metric, cells[0], interval(metric, rows[ALL][metric]), *cells[1:])
    return shown


def estimates(group: Figures) -> Iterator[tuple[str, Estimate]]:
    """Give every figure of a group by name: the policies first, each beside the silence timer."""
    if group.policies is not None:
        ours, timer = _points(group.policies.points), _points(group.policies.timer)
        for field, name in _POINTS.items():
            yield name, ours[field]
            yield name + _TIMER, timer[field]
        yield "Brier score", group.policies.calibration.brier
        yield "calibration error", group.policies.calibration.expected_error
    yield from group.metrics.items()


def told(metric: str, figure: Estimate | None) -> str:
    """Write a figure in its unit."""
    if figure is None or not isfinite(figure.value):
        return NOTHING
    number, unit = _writer(metric)
    return number(figure.value) + unit


def interval(metric: str, figure: Estimate) -> str:
    """Write a figure's interval, in the same unit."""
    if not isfinite(figure.low):
        return NOTHING
    number, _ = _writer(metric)
    return f"{number(figure.low)} to {number(figure.high)}"


def write_json(given: object, file: Path) -> None:
    """Write all of a report, what is not a number as null. Raises OSError."""
    text = msgspec.json.encode(given, enc_hook=_arrays)
    file.write_bytes(msgspec.json.format(text, indent=2) + b"\n")


def _title(given: Report) -> str:
    asked = given.asked
    eager = asked.eager_eot_threshold
    return (
        f"[bold]{escape(given.endpoint)}[/bold], eot_threshold {asked.eot_threshold}, eager "
        f"{'off' if eager is None else eager}, eot_timeout_ms {asked.eot_timeout_ms}\n"
        "audio time; 95 % intervals over turns, or over clips for false starts and words"
    )


def _writer(metric: str) -> tuple[Callable[[float], str], str]:
    """Return how to write a metric's numbers, and what to write after them."""
    name = metric.removesuffix(_TIMER)
    if name in _SHARES:
        return (lambda value: f"{value * 100:.1f}"), " %"
    if name in _PLAIN:
        return (lambda value: f"{value:.2f}"), ""
    return (lambda value: f"{value * 1000:.0f}"), " ms"


def _points(points: OperatingPoints) -> dict[str, Estimate]:
    return {field: getattr(points, field).estimate for field in _POINTS}


def _arrays(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} in a report")
