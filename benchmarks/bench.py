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

from benchmarks import machine
from benchmarks.comparison import Verdict, compare, headline, judged_table, parse_rule
from benchmarks.load.environments import ENVIRONMENTS, NotInstalled
from benchmarks.report.page import page
from benchmarks.results import Result, SuiteResult, merged, read, write
from benchmarks.suites import SUITES, Options, chosen
from benchmarks.targets import Standing, standings, table_of, targets
from benchmarks.terminal import show, show_table
from turnkit.errors import ConfigError, TurnkitError

RESULT, REPORT = "result.json", "report.html"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for on the command line."""

    suites: tuple[str, ...]
    options: Options
    out: Path
    command: str = "turnkit bench"
    """What to write down as the way to get this result."""
    given: tuple[Path, ...] = ()
    """Results to use instead of running anything; several are put together."""
    base: Path | None = None
    fail_on: tuple[str, ...] = ()
    hold_targets: bool = False
    """Whether a missed target fails the run."""


def main(asked: Asked, console: Console) -> int:
    """Do it; return the exit status: 1 where something failed, got worse or was missed, else 0.

    Raises ConfigError, and TurnkitError where a suite could not be run.
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
    reached = standings(result, targets())
    write(result, asked.out / RESULT)
    _write_report(asked.out / REPORT, result, base, verdicts, reached)
    if reached:
        show_table(table_of(reached), console)
    if base is not None:
        console.print(Text(headline(verdicts), style="bold"))
        if any(verdict.failed or verdict.differs for verdict in verdicts):
            console.print(judged_table(verdicts))
    console.print(f"result: {asked.out / RESULT}\nreport: {asked.out / REPORT}", markup=False)
    for failure in result.failures:
        console.print(Text(f"failed: {failure}", style="red"))
    missed = asked.hold_targets and not all(one.held for one in reached)
    return int(bool(result.failures) or any(one.failed for one in verdicts) or missed)


def run(asked: Asked, console: Console) -> Result:
    """Run the suites, one after another; what is there is written down after each.

    Raises ConfigError, TurnkitError.
    """
    began_at = monotonic()
    suites = chosen(asked.suites)
    runs = [suite.open() for suite in suites]  # before the first begins: is all installed?
    asked.options.logs.mkdir(parents=True, exist_ok=True)
    options = replace(asked.options, logs=asked.options.logs.resolve())
    result = Result(
        command=asked.command,
        began=_now(),
        seconds=0.0,
        machine=machine.machine(),
        versions=machine.versions(),
        suites=list[SuiteResult](),
        quick=options.quick,
    )
    for number, (suite, run_suite) in enumerate(zip(suites, runs, strict=True), start=1):
        said = f"suite {suite.name}, {number} of {len(suites)}, takes {suite.takes}: {suite.what}"
        console.print(Text(said))
        began, suite_began_at = _now(), monotonic()
        found = run_suite(options, console)
        found.command, found.began = own_command(suite.name, asked), began
        found.seconds = monotonic() - suite_began_at
        result.suites.append(found)
        result.seconds = monotonic() - began_at
        write(result, asked.out / RESULT)
        show(found, console)
    return result


def install(names: Sequence[str], console: Console) -> None:
    """Make the environments that these suites need, or all. Raises ConfigError, TurnkitError."""
    wanted = [name for suite in chosen(names, list(SUITES)) for name in suite.environments]
    try:
        for name in dict.fromkeys(wanted):
            ENVIRONMENTS[name].install(console.print)
    except NotInstalled as exc:
        raise TurnkitError(str(exc)) from exc


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def own_command(suite: str, asked: Asked) -> str:
    """Return the command that runs this suite alone."""
    words = asked.command.split(" ")
    for name in dict.fromkeys(asked.suites):  # a flag's value may be called as a suite is
        words.remove(name)
    return " ".join([*words[:2], suite, *words[2:]])


def listing() -> Table:
    """Return a table of all suites."""
    shown = Table("suite", "measures", "takes", box=box.SIMPLE_HEAD, pad_edge=False)
    for suite in SUITES.values():
        shown.add_row(suite.name, suite.what, suite.takes)
    return shown


def _write_report(
    path: Path,
    result: Result,
    base: Result | None,
    verdicts: Sequence[Verdict],
    reached: Sequence[Standing],
) -> None:
    try:
        path.write_text(page(result, base, verdicts, reached), encoding="utf-8")
    except OSError as exc:
        raise ConfigError(f"cannot write {path}: {exc.strerror or exc}") from exc
