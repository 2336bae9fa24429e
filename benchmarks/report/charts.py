"""Charts of the few kinds that the report needs. Pure: figures in, SVG out."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from benchmarks.report.scales import Scale, number, spanning
from benchmarks.report.svg import drawing, element, label, line, rectangle, text

_RIGHT, _TOP, _BOTTOM = 12.0, 30.0, 40.0
_BESIDE = 26.0
"""Left of the ticks' names: the axis' own."""
_VARIANTS = 4
_LETTER = 6.4
"""Width of a letter at 12 px, near enough to leave room for words."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one subject."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    variant: int = 0
    """Which it is of those with its colour: each has dots of its own."""


@dataclass(frozen=True, slots=True)
class Axes:
    """What the axes of a chart are called, and how they run."""

    x: str
    y: str
    title: str
    x_kind: Literal["linear", "log", "nines"] = "linear"
    y_kind: Literal["linear", "log"] = "linear"
    width: float = 340.0
    height: float = 250.0


def percentiles(samples: Sequence[float], most: int = 120) -> list[tuple[float, float]]:
    """Return points of the quantile function, dense in the tail, no further than samples go."""
    if not samples:
        return []
    values = np.sort(np.asarray(samples, float))
    highest = 1 - 1 / max(2, len(values))
    shares = 1 - 10 ** -np.linspace(0, -np.log10(1 - highest), most)
    return [(float(q), float(v)) for q, v in zip(shares, np.quantile(values, shares), strict=True)]


def lines(axes: Axes, series: Sequence[Series], *, dots: bool = False) -> str:
    """Draw a line for each subject, its name at its end."""
    room = _LETTER * max((len(one.name) for one in series), default=0) + 8
    x, y = _scales(axes, [p for one in series for p in one.points], room)
    parts = _frame(axes, x, y)
    ends: list[tuple[float, float, Series]] = []
    for one in series:
        if not one.points:
            continue
        places = [(x(a), y(b)) for a, b in one.points]
        path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in places)
        tip = element("title", text(one.name))
        variant = f" v{min(one.variant, _VARIANTS)}" if one.variant else ""
        parts.append(element("path", tip, d=path, class_=f"line c-{one.colour}{variant}"))
        if dots:
            parts += [
                _dot(a, b, one.colour, f"{one.name}: {number(v)} at {number(u)}")
                for (a, b), (u, v) in zip(places, one.points, strict=True)
            ]
        ends.append((*places[-1], one))
    parts += _names_at_ends(ends, axes.height - _BOTTOM)
    return drawing(axes.width, axes.height, *parts, says=f"{axes.title}: {axes.y} by {axes.x}")


@dataclass(frozen=True, slots=True)
class Point:
    """A dot with a name, which is shown where it matters and else told on touch."""

    x: float
    y: float
    name: str
    colour: str
    named: bool = False


def scatter(axes: Axes, points: Sequence[Point], frontier: Sequence[tuple[float, float]]) -> str:
    """Draw dots, and the line beyond which there is none."""
    x, y = _scales(axes, [(p.x, p.y) for p in points], 14.0, tight=True)
    parts = _frame(axes, x, y)
    if frontier:
        steps = [(x(a), y(b)) for a, b in frontier]
        path = f"M{steps[0][0]:.1f} {steps[0][1]:.1f}"
        path += "".join(f"H{a:.1f}V{b:.1f}" for a, b in steps[1:])
        parts.append(element("path", d=path, class_="frontier"))
    for point in points:
        tip = f"{point.name}: {number(point.y)} at {number(point.x)}"
        parts.append(_dot(x(point.x), y(point.y), point.colour, tip, radius=4.5))
    taken = [(x(p.x) - 5, x(p.x) + 5, y(p.y)) for p in points]
    for point in sorted((p for p in points if p.named), key=lambda p: p.x):
        parts.append(_name_near(x(point.x), y(point.y), point, axes.width, taken))
    return drawing(axes.width, axes.height, *parts, says=f"{axes.title}: {axes.y} by {axes.x}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a bar, from one value to another."""

    start: float
    end: float
    colour: str
    tip: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of stretches, and what is said at its end."""

    name: str
    segments: Sequence[Segment]
    said: str = ""
    marks: Sequence[tuple[float, str]] = ()
    """Instants with their names, drawn as lines across the bar."""


def bars(
    bars: Sequence[Bar],
    unit: str,
    width: float,
    *,
    kind: Literal["linear", "log"] = "linear",
    says: str,
    reach: Sequence[float] = (),
) -> str:
    """Draw rows of stretches on one axis; names above their rows where there is little room.

    Args:
        bars: from top to bottom.
        unit: of the axis.
        width: of the drawing.
        kind: of the axis.
        says: what a screen reader is told.
        reach: values the axis has to have room for, so that several drawings can share one.
    """
    narrow = width < 500
    left = 10.0 if narrow else _LETTER * max(len(bar.name) for bar in bars) + 16
    right = _LETTER * max((len(bar.said) for bar in bars), default=0) + 14
    row = 42.0 if narrow else 30.0
    ends = [v for bar in bars for s in bar.segments for v in (s.start, s.end)]
    ends += [at for bar in bars for at, _ in bar.marks]
    if kind == "log":
        ends = [v for v in ends if v > 0]
    x = spanning(kind, [*ends, *reach], left, width - right)
    height = row * len(bars) + _BOTTOM + 4
    parts = [line(x(v), 2, x(v), height - _BOTTOM, "grid") for v, _ in x.ticks(_few(x))]
    for place, bar in enumerate(bars):
        parts += _row(bar, x, place * row + (18 if narrow else 6), left, narrow=narrow)
    foot = height - _BOTTOM + 16
    parts += [
        label(x(v), foot, name, class_="tick", anchor="middle") for v, name in x.ticks(_few(x))
    ]
    parts.append(label((x.start + x.end) / 2, foot + 17, unit, class_="axis", anchor="middle"))
    return drawing(width, height, *parts, says=says)


def _row(bar: Bar, x: Scale, y: float, left: float, *, narrow: bool) -> list[str]:
    height = 17.0
    parts = [
        label(left, y - 4, bar.name, class_="name")
        if narrow
        else label(left - 8, y + 13, bar.name, class_="name", anchor="end")
    ]
    for piece in bar.segments:
        start, end = x(piece.start), x(piece.end)
        parts.append(rectangle(start, y, end - start, height, f"bar c-{piece.colour}", piece.tip))
        length = number(piece.end - piece.start)
        if len(bar.segments) > 1 and end - start > _LETTER * len(length) + 10:
            kind = f"inside on-{piece.colour}"
            middle = (start + end) / 2
            parts.append(label(middle, y + 12.5, length, class_=kind, anchor="middle"))
    for at, name in bar.marks:
        mark = element("title", text(f"{name}: {number(at)}"))
        parts.append(
            element("g", mark, line(x(at), y - 3, x(at), y + height + 3, "mark"), class_="marks")
        )
    furthest = max([x(s.end) for s in bar.segments] + [x(at) for at, _ in bar.marks])
    parts.append(label(furthest + 6, y + 13, bar.said, class_="value"))
    return parts


def _scales(
    axes: Axes, points: Sequence[tuple[float, float]], room: float, *, tight: bool = False
) -> tuple[Scale, Scale]:
    xs, ys = [a for a, _ in points], [b for _, b in points]
    right = axes.width - max(_RIGHT, room)
    y = spanning(axes.y_kind, ys, axes.height - _BOTTOM, _TOP)
    y = _around(ys, y) if tight and ys else y
    left = _BESIDE + _LETTER * max((len(name) for _, name in y.ticks(5)), default=0)
    if axes.x_kind == "nines":
        return Scale("nines", 0.0, max([*xs, 0.9]), left, right), y
    x = spanning(axes.x_kind, xs, left, right)
    return (_around(xs, x) if tight and xs else x), y


def _around(values: Sequence[float], scale: Scale) -> Scale:
    """Return a linear scale that is not from 0 but from a little below the lowest."""
    low, high = min(values), max(values)
    margin = max((high - low) * 0.12, high * 0.01)
    return Scale("linear", low - margin, high + margin, scale.start, scale.end)


def _few(scale: Scale) -> int:
    return max(3, int(abs(scale.end - scale.start) / 62))


def _frame(axes: Axes, x: Scale, y: Scale) -> list[str]:
    """Draw the grid and what the axes are called."""
    bottom = axes.height - _BOTTOM
    parts = [label(0, 13, axes.title, class_="panel")]
    for value, name in y.ticks(5):
        parts.append(line(x.start, y(value), x.end, y(value), "grid"))
        parts.append(label(x.start - 6, y(value) + 4, name, class_="tick", anchor="end"))
    for value, name in x.ticks(_few(x)):
        parts.append(line(x(value), bottom, x(value), bottom + 4, "grid"))
        parts.append(label(x(value), bottom + 17, name, class_="tick", anchor="middle"))
    parts.append(line(x.start, bottom, x.end, bottom, "base"))
    parts.append(label((x.start + x.end) / 2, bottom + 34, axes.x, class_="axis", anchor="middle"))
    middle = (y.start + y.end) / 2
    parts.append(
        element(
            "text",
            text(axes.y),
            class_="axis",
            text_anchor="middle",
            transform=f"translate(11 {middle:.1f}) rotate(-90)",
        )
    )
    return parts


def _names_at_ends(ends: Sequence[tuple[float, float, Series]], bottom: float) -> list[str]:
    """Write each subject's name where its line ends, moved apart where they would touch."""
    placed: list[tuple[float, float, Series]] = []
    for x, y, one in sorted(ends, key=lambda end: end[1]):
        floor = placed[-1][1] + 14 if placed else 0.0
        placed.append((x, max(y, floor), one))
    ceiling = bottom
    for place, (x, y, one) in reversed(list(enumerate(placed))):
        placed[place] = (x, min(y, ceiling), one)
        ceiling = placed[place][1] - 14
    return [label(x + 6, y + 4, s.name, class_=f"name c-{s.colour}") for x, y, s in placed]


def _name_near(
    x: float, y: float, point: Point, width: float, taken: list[tuple[float, float, float]]
) -> str:
    """Write a dot's name beside it, where no other name is."""
    long = _LETTER * len(point.name)
    middle = min(max(2.0, x - long / 2), width - long)
    beside = ((x + 9, y + 4), (x - 9 - long, y + 4), (middle, y - 10), (middle, y + 18))
    further = ((x + 9, y - 12), (x - 9 - long, y + 17), (middle, y - 24), (middle, y + 32))
    inside = [place for place in (*beside, *further) if 40 <= place[0] <= width - long]
    free = (place for place in inside if not _touches(place, long, taken))
    start, base = next(free, (middle, y - 10))
    taken.append((start, start + long, base - 4))
    return label(start, base, point.name, class_=f"name c-{point.colour}")


def _touches(
    place: tuple[float, float], long: float, taken: Sequence[tuple[float, float, float]]
) -> bool:
    start, middle = place[0], place[1] - 4
    return any(
        abs(other - middle) < 12 and start < right and left < start + long
        for left, right, other in taken
    )


def _dot(x: float, y: float, colour: str, tip: str, radius: float = 3.0) -> str:
    inner = element("title", text(tip))
    return element("circle", inner, cx=x, cy=y, r=radius, class_=f"dot c-{colour}")


def lower_left(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that no other one is below and to the left of, from left to right."""
    found: list[tuple[float, float]] = []
    for x, y in sorted(set(points)):
        if not found or y < found[-1][1]:
            found.append((x, y))
    assert all(a[0] <= b[0] for a, b in pairwise(found))
    return found
