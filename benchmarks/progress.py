"""The progress bar of a suite, and tables on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Shown
from rich.text import Text

from benchmarks.results import Cell, SuiteResult, Table


@contextmanager
def bar(what: str, total: int, console: Console) -> Iterator[Callable[[float], None]]:
    """Show how far something is; yields what to call with how much more is done."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        task = progress.add_task(what, total=total)
        yield lambda more: progress.advance(task, more)


def show(suite: SuiteResult, console: Console) -> None:
    """Print a suite's tables and what is to be known of them."""
    console.print(Text(f"\n{suite.title}", style="bold"))
    notes = list[str]()
    for table in suite.tables:
        console.print(_table(table))
        notes += [note for note in table.notes if note not in notes]
    for note in notes:
        console.print(Text(note, style="dim"))
    for failure in suite.failures:
        console.print(Text(f"failed: {failure}", style="red"))


def _table(table: Table) -> Shown:
    shown = Shown(
        title=table.title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for place, name in enumerate(table.columns):
        words = is_words([row[place] for row in table.rows])
        shown.add_column(
            name, justify="left" if words else "right", overflow="fold", no_wrap=place == 0
        )
    for row in table.rows:
        shown.add_row(*(Text(told(cell)) for cell in row))
    return shown


def told(cell: Cell) -> str:
    """Write a cell: a number with as many digits as it is worth."""
    match cell:
        case None:
            return "-"
        case float() | int():
            return f"{cell:.3g}" if abs(cell) < 100 else f"{cell:.0f}"
        case _:
            return cell


def is_words(cells: list[Cell]) -> bool:
    """Tell whether a column is of words: then it stands to the left."""
    said = [cell for cell in cells if isinstance(cell, str) and cell]
    return any(not cell.lstrip("-+ ")[:1].isdigit() and cell != "-" for cell in said)
