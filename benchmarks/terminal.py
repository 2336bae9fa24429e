"""What a terminal shows: the progress bar of a suite, and tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table as Shown
from rich.text import Text

from benchmarks.results import Cell, SuiteResult, Table


class Bar:
    """A progress bar: how much is done, of how much, and how long the rest will take."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, more: float) -> None:
        """So much more is done."""
        self._progress.advance(self._task, more)

    def reach(self, done: float) -> None:
        """So much is done in all."""
        self._progress.update(self._task, completed=done)

    def title(self, what: str) -> None:
        """Say what is being done."""
        self._progress.update(self._task, description=what)

    def total(self, total: float) -> None:
        """There is so much to do, contrary to what was said before."""
        self._progress.update(self._task, total=total)


@contextmanager
def bar(what: str, total: float, console: Console) -> Iterator[Bar]:
    """Show how far something is."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        transient=True,
    ) as progress:
        yield Bar(progress, progress.add_task(what, total=total))


def show(suite: SuiteResult, console: Console) -> None:
    """Print a suite's tables and what is to be known of them."""
    console.print(Text(f"\n{suite.title}", style="bold"))
    notes = list[str]()
    for table in suite.tables:
        console.print(_table(table))
        notes += [note for note in table.notes if note not in notes]
    for note in [*notes, *suite.caveats]:
        console.print(Text(note, style="dim"))
    for failure in suite.failures:
        console.print(Text(f"failed: {failure}", style="red"))


def show_table(table: Table, console: Console) -> None:
    """Print one table."""
    console.print(_table(table))
    for note in table.notes:
        console.print(Text(note, style="dim"))


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
