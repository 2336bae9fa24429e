"""Three pictures: what each policy costs, how sure an endpoint is in a pause, and a whole call."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from benchmarks.turns import style
from benchmarks.turns.runs import Event, Floats, Run
from benchmarks.turns.scoring import ALL, Report
from benchmarks.turns.spans import ScoredPause, resampled
from benchmarks.turns.sweep import OperatingPoint, OperatingPoints

_STEP_S = 0.05
_LONGEST_S = 2.0
_FEWEST = 5  # pauses that have to be left for a median of them
_ROW_S = 62.0


@style.styled
def frontiers(reports: Sequence[Report], file: Path, group: str = ALL) -> None:
    """Draw latency against cut-offs for each endpoint, and for a silence timer on the same pauses.

    Raises OSError if the file cannot be written.
    """
    figure = style.figure(8.2, 5.4)
    (axes,) = style.axes(figure)
    drawn = [r for r in reports if group in r.groups and r.groups[group].policies is not None]
    for report, colour in zip(drawn, style.ENGINES, strict=False):
        policies = report.groups[group].policies
        assert policies is not None
        _curve(axes, policies.frontier, colour, report.endpoint)
        _points(axes, policies.points, colour)
    if drawn and (policies := drawn[0].groups[group].policies) is not None:
        _curve(axes, policies.timer_frontier, style.GREY, "silence timer", dashed=True)
    axes.set(
        xlim=(0, 2000),
        ylim=(0, 100),
        xlabel="mean latency of the policy at turn ends (ms)",
        ylabel="pauses cut off (%)",
    )
    _legend(axes, "upper right")
    style.write(figure, _finding(drawn, group), _made_from(drawn, group), file)


@style.styled
def pauses(given: Sequence[ScoredPause], name: str, file: Path) -> None:
    """Draw how the confidence goes in pauses that are held and in those that end the turn.

    Raises OSError if the file cannot be written.
    """
    figure = style.figure(8.2, 4.8)
    (axes,) = style.axes(figure)
    at_300: dict[str, float] = {}
    for kind, colour, label in (
        ("end", style.BLUE, "the turn is over"),
        ("hold", style.ORANGE, "the user will go on"),
    ):
        chosen = [one for one in given if one.pause.kind == kind]
        times, levels = _quartiles(chosen)
        if not len(times):
            continue
        axes.fill_between(times * 1000, levels[0], levels[2], color=colour, alpha=0.18, lw=0)
        axes.plot(times * 1000, levels[1], color=colour, lw=2.2, label=f"{label} ({len(chosen)})")
        at_300[kind] = float(levels[1][min(round(0.3 / _STEP_S), len(times)) - 1])
    axes.axhline(0.7, color=style.GREY, lw=1, ls=(0, (4, 3)))
    axes.annotate(
        "eot_threshold 0.7",
        (_LONGEST_S * 1000, 0.7),
        xytext=(0, 4),
        ha="right",
        textcoords="offset points",
        color=style.GREY,
        fontsize=9,
    )
    axes.set(
        xlim=(0, _LONGEST_S * 1000),
        ylim=(0, 1),
        xlabel="silence so far (ms)",
        ylabel="end_of_turn_confidence",
    )
    _legend(axes, "lower right")
    said = " and ".join(f"{at_300[kind]:.2f} in {kind}s" for kind in at_300) or "nothing"
    style.write(
        figure,
        f"After 300 ms of silence {name} says {said}",
        "Median and middle half of the pauses that still last",
        file,
    )


@style.styled
def timeline(run: Run, name: str, file: Path) -> None:
    """Draw a recording: who spoke when, what was reported, and the confidence between.

    Raises OSError if the file cannot be written.
    """
    rows = max(1, round(run.recording.duration_s / _ROW_S + 0.49))
    row_s = run.recording.duration_s / rows
    figure = style.figure(13, 1.1 + 1.75 * rows)
    for n, axes in enumerate(style.axes(figure, rows)):
        _row(axes, run, n * row_s, (n + 1) * row_s)
    figure.axes[-1].set_xlabel("seconds of the call")
    ends = [event for event in run.events if event.name == "EndOfTurn"]
    wrong = sum(_is_cut(run, event) for event in ends)
    figure.legend(
        handles=_key(run), loc="outside lower left", ncols=9, fontsize=9, columnspacing=1.4
    )
    style.write(
        figure,
        f"{name} ends {len(ends)} turns in this call, {wrong} of them too early",
        f"{run.recording.id}: {len(run.recording.turns)} labelled turns; "
        "the confidence is that of a hearing in which no turn ends by itself",
        file,
    )


def _legend(axes: Axes, place: Literal["upper right", "lower right"]) -> None:
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc=place)


def _curve(axes: Axes, points: Floats, colour: str, label: str, *, dashed: bool = False) -> None:
    axes.step(
        points[:, 0] * 1000,
        points[:, 1] * 100,
        where="post",
        color=colour,
        lw=1.6 if dashed else 2.2,
        ls=(0, (4, 2)) if dashed else "-",
        label=label,
    )


def _points(axes: Axes, points: OperatingPoints, colour: str) -> None:
    """Mark the four operating points, the budgeted side of each with its interval."""
    for point in (points.cutoffs_at_300_ms, points.cutoffs_at_600_ms):
        _mark(axes, point, colour, upright=True)
    for point in (points.latency_at_5_percent, points.latency_at_10_percent):
        _mark(axes, point, colour, upright=False)


def _mark(axes: Axes, point: OperatingPoint, colour: str, *, upright: bool) -> None:
    found = point.estimate
    if not isfinite(found.value):
        return
    scale = 100 if upright else 1000
    spread = np.array([[found.value - found.low], [found.high - found.value]]) * scale
    spread = np.clip(spread, 0, None)
    axes.errorbar(
        point.latency_s * 1000,
        point.cutoff_rate * 100,
        **{"yerr" if upright else "xerr": spread},
        fmt="o",
        ms=5,
        color=colour,
        elinewidth=1,
        alpha=0.75,
        capsize=2,
    )


def _finding(reports: Sequence[Report], group: str) -> str:
    if not reports:
        return "No confidence was traced"
    policies = reports[0].groups[group].policies
    assert policies is not None
    ours = policies.points.latency_at_10_percent.estimate.value
    timer = policies.timer.latency_at_10_percent.estimate.value
    return (
        f"At 10 % cut-offs {reports[0].endpoint} waits {ours * 1000:.0f} ms, "
        f"a silence timer {timer * 1000:.0f} ms"
    )


def _made_from(reports: Sequence[Report], group: str) -> str:
    if not reports:
        return ""
    found = reports[0].groups[group]
    return (
        f"Best policies on the confidence ({group}: {found.turns} turns, {found.holds} pauses); "
        "dots: 300 and 600 ms, 5 and 10 %, with 95 % intervals"
    )


def _quartiles(given: Sequence[ScoredPause]) -> tuple[Floats, Floats]:
    """Return times and, shape (3, n), quartiles of the confidence in the pauses left by then."""
    looks = [resampled(one, _STEP_S, _LONGEST_S) for one in given]
    steps = max((len(look.scores) for look in looks), default=0)
    columns = [[k.scores[n] for k in looks if len(k.scores) > n] for n in range(steps)]
    columns = [column for column in columns if len(column) >= _FEWEST]
    levels = [np.percentile(column, (25, 50, 75)) for column in columns]
    times = np.arange(1, len(columns) + 1).astype(np.float64) * _STEP_S
    return times, np.array(levels, np.float64).T.reshape(3, len(columns))


def _row(axes: Axes, run: Run, start_s: float, end_s: float) -> None:
    """Draw a part of the call: the confidence, above it the user, above all the other side."""
    recording = run.recording
    for turn in recording.turns:
        axes.axvspan(*turn.span, color=style.SKY, alpha=0.16, lw=0)
    for spans, low, colour in (
        (recording.speech or (), 1.06, style.BLUE),
        (recording.others, 1.26, style.GREY),
    ):
        axes.broken_barh(
            [(span.start_s, span.length_s) for span in spans], (low, 0.14), color=colour, lw=0
        )
    for span in recording.unscored:
        axes.axvspan(*span, facecolor="none", edgecolor=style.PALE, hatch="////", lw=0)
    if run.trace is not None:
        axes.plot(run.trace.times_s, run.trace.values, color=style.GREEN, lw=1)
    for event in run.events:
        if start_s <= event.at_s < end_s:
            _event(axes, event, cut=_is_cut(run, event))
    axes.set(xlim=(start_s, end_s), ylim=(0, 1.45), ylabel="confidence")
    axes.set_yticks([0, 0.5, 1], labels=["0", "0.5", "1"])
    axes.grid(visible=False, axis="x")


_SIGNS: Mapping[str, tuple[str, str]] = {
    "StartOfTurn": ("^", style.BLUE),
    "EagerEndOfTurn": ("o", style.AMBER),
    "TurnResumed": ("x", style.GREY),
    "EndOfTurn": ("v", style.BLUE),
}


def _event(axes: Axes, event: Event, *, cut: bool) -> None:
    sign, colour = _SIGNS.get(event.name, (".", style.GREY))
    colour = style.ORANGE if cut else colour
    level = {"StartOfTurn": 0.06, "EndOfTurn": 0.92}.get(event.name, 0.5)
    small = event.name in {"EagerEndOfTurn", "TurnResumed"}
    if event.name == "EndOfTurn":
        axes.axvline(event.at_s, color=colour, lw=1, alpha=0.7)
    axes.plot(event.at_s, level, sign, color=colour, ms=4 if small else 7)


def _is_cut(run: Run, event: Event) -> bool:
    """Tell whether the event ends a turn while, by its label, it goes on."""
    return event.name == "EndOfTurn" and any(
        turn.span.start_s < event.at_s < turn.span.end_s - 0.05 for turn in run.recording.turns
    )


def _key(run: Run) -> list[Patch | Line2D]:
    handles: list[Patch | Line2D] = [
        Patch(color=style.SKY, alpha=0.3, label="turn, as labelled"),
        Patch(color=style.BLUE, label="user speaks"),
    ]
    if run.recording.others:
        handles.append(Patch(color=style.GREY, label="agent speaks"))
    for name, (sign, colour) in _SIGNS.items():
        if any(event.name == name for event in run.events):
            handles.append(Line2D([], [], marker=sign, color=colour, ls="", label=name))
    handles.append(
        Line2D([], [], marker="v", color=style.ORANGE, ls="", label="EndOfTurn, too early")
    )
    if run.trace is not None:
        handles.append(Line2D([], [], color=style.GREEN, label="confidence"))
    return handles
