"""What `turnkit bench` does: run suites, print tables, write the result and its report, compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import monotonic

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks import environment
from benchmarks.comparison import Verdict, compare, headline, judged_table, parse_rule
from benchmarks.progress import show
from benchmarks.report.page import page
from benchmarks.results import Result, merged, read, write
from benchmarks.suites import SUITES, Options, Suite, chosen
from turnkit.errors import ConfigError

RESULT, REPORT = "result.json", "report.html"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    suites: tuple[str, ...]
    options: Options
    out: Path
    given: tuple[Path, ...] = ()
    """Results to use instead of running anything; several are put together."""
    base: Path | None = None
    fail_on: tuple[str, ...] = ()


def main(asked: Asked, console: Console) -> int:
    """Do it; return the exit status: 1 where something failed or got worse, else 0.

    Raises ConfigError.
    """
    rules = [parse_rule(text) for text in asked.fail_on]
    if rules and asked.base is None:
        raise ConfigError("--fail-on needs --compare BASE.json, to know what is worse")
    base = read(asked.base) if asked.base is not None else None
    result = merged([read(path) for path in asked.given]) if asked.given else run(asked, console)
    if asked.given:
        for suite in result.suites:
            show(suite, console)
    verdicts = compare(base, result, rules) if base is not None else []
    write(result, asked.out / RESULT)
    _write_report(asked.out / REPORT, result, base, verdicts)
    if base is not None:
        console.print(Text(headline(verdicts), style="bold"))
        if any(verdict.failed or verdict.differs for verdict in verdicts):
            console.print(judged_table(verdicts))
    console.print(f"result: {asked.out / RESULT}\nreport: {asked.out / REPORT}", markup=False)
    for failure in result.failures:
        console.print(Text(f"failed: {failure}", style="red"))
    return int(bool(result.failures) or any(verdict.failed for verdict in verdicts))


def run(asked: Asked, console: Console) -> Result:
    """Run the suites, one after another. Raises ConfigError."""
    began, began_at = datetime.now().astimezone(), monotonic()
    suites = chosen(asked.suites)
    runs = [suite.open() for suite in suites]  # before the first begins: is all installed?
    here = environment.machine()
    found = []
    for number, (suite, run_suite) in enumerate(zip(suites, runs, strict=True), start=1):
        console.print(Text(f"suite {suite.name}, {number} of {len(suites)}: {suite.what}"))
        found.append(run_suite(_own(suite, asked.options), console))
        show(found[-1], console)
    return Result(
        command=asked.options.command,
        began=began.isoformat(timespec="seconds"),
        seconds=monotonic() - began_at,
        machine=here,
        versions=environment.versions(),
        suites=found,
        quick=asked.options.quick,
    )


def _own(suite: Suite, options: Options) -> Options:
    """Return the options with the command that runs this suite alone."""
    words = [word for word in options.command.split(" ") if word not in SUITES]
    return replace(options, command=" ".join([*words[:2], suite.name, *words[2:]]))


def listing() -> Table:
    """Return a table of all suites."""
    shown = Table("suite", "measures", "takes", box=box.SIMPLE_HEAD, pad_edge=False)
    for suite in SUITES.values():
        shown.add_row(suite.name, suite.what, suite.takes)
    return shown


def _write_report(
    path: Path, result: Result, base: Result | None, verdicts: Sequence[Verdict]
) -> None:
    try:
        path.write_text(page(result, base, verdicts), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot write {path}: {exc.strerror or exc}") from exc
