"""The blocks a report is built of: figures, keys, tables, tiles. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.report.svg import element, text
from benchmarks.results import Table
from benchmarks.terminal import is_words, told

WIDE, NARROW = 960.0, 340.0
"""A drawing that fills its figure is made twice, since its words do not shrink with it."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that is worth being read first."""

    value: str
    unit: str
    says: str
    command: str


@dataclass(frozen=True, slots=True)
class Section:
    """A suite's part of the report."""

    name: str
    title: str
    body: str
    tiles: tuple[Tile, ...] = ()


def figure(title: str, caption: str, body: str) -> str:
    """Frame a drawing; the title says what it shows to be so, the caption how to read it."""
    head = element("figcaption", element("h3", text(title)), text(caption))
    return element("figure", head, body)


def for_both(draw: Callable[[float], str]) -> str:
    """Draw for a wide screen and for a narrow one; the style sheet shows the one that fits."""
    wide = element("div", draw(WIDE), class_="wide")
    return wide + element("div", draw(NARROW), class_="narrow")


def panels(drawings: Sequence[str]) -> str:
    """Set small drawings side by side, as many as there is room for; two and four in pairs."""
    kind = "panels pairs" if len(drawings) in (2, 4) else "panels"
    return element("div", *(element("div", one) for one in drawings), class_=kind)


def key(entries: Sequence[tuple[str, str]], mark: str = "") -> str:
    """Say what colours stand for; and, if there is a mark across bars, what it is."""
    items = [
        element("li", element("i", class_=f"c-{colour}"), text(name)) for colour, name in entries
    ]
    if mark:
        items.append(element("li", element("i", class_="stroke"), text(mark)))
    return element("ul", *items, class_="key")


def table(given: Table) -> str:
    """Write a table, which scrolls by itself where it is too wide."""
    words = [is_words([row[n] for row in given.rows]) for n in range(len(given.columns))]
    kinds = ["words" if one else None for one in words]
    head = [element("th", text(c), class_=k) for c, k in zip(given.columns, kinds, strict=True)]
    rows = [
        element(
            "tr",
            *(element("td", text(told(c)), class_=k) for c, k in zip(row, kinds, strict=True)),
        )
        for row in given.rows
    ]
    body = element("table", element("thead", element("tr", *head)), element("tbody", *rows))
    notes = [element("p", text(note), class_="note") for note in given.notes]
    return element("h4", text(given.title)) + element("div", body, class_="scroll") + "".join(notes)


def tables(given: Sequence[Table]) -> str:
    """Write tables, folded away until they are wanted."""
    if not given:
        return ""
    shown, said = [], list[str]()
    for one in given:
        notes = [note for note in one.notes if note not in said]
        said += notes
        shown.append(table(Table(one.title, one.columns, one.rows, notes)))
    return element("details", element("summary", "The figures as tables"), *shown)


def tile(one: Tile) -> str:
    """Write a tile."""
    value = element("b", text(one.value), " ", element("small", text(one.unit)))
    return element(
        "div",
        value,
        element("span", text(one.says)),
        element("code", text(one.command)),
        class_="tile",
    )


def caveats(lines: Sequence[str]) -> str:
    """Write what is to be known before a figure is quoted."""
    return element("ul", *(element("li", text(line)) for line in lines), class_="caveats note")
