"""`turnkit bench`: the benchmark suites, which are in a folder of their own beside the package."""

import importlib
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from turnkit.commands import options
from turnkit.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]

PLACES = (_PACKAGE / "suites", _PACKAGE.parent)
"""Folders with the package `benchmarks` in them: in the wheel, and in a checkout."""


def bench(
    suites: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUITE]...", help="policy, micro, overhead, ...: see --list."),
    ] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Rough figures, in a minute or two.")] = (
        False
    ),
    out: Annotated[Path, typer.Option(help="The folder for result.json and report.html.")] = Path(
        "turnkit-bench"
    ),
    base: Annotated[
        Path | None,
        typer.Option("--compare", metavar="BASE.json", help="Hold the figures against these."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RULE",
            help="What may not get worse, such as overhead.turnkit.p99>5%; exit status 1 if it "
            "did, beyond chance. May be repeated.",
        ),
    ] = None,
    given: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="RESULT.json", help="Run nothing, use these; repeatable."),
    ] = None,
    hold_targets: Annotated[
        bool, typer.Option("--targets", help="Exit with 1 if a target of the project is missed.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Show the suites.")] = False,
    install: Annotated[
        bool,
        typer.Option(
            "--install", help="Make the environments that the suites need, or all; run nothing."
        ),
    ] = False,
    turns: Annotated[int | None, typer.Option(min=1, help="Of each case or subject.")] = None,
    calls: Annotated[str | None, typer.Option(help="At a time; for scale, 1,10,50.")] = None,
    seconds: Annotated[
        float | None, typer.Option(min=5, help="For each number of calls, of several.")
    ] = None,
    subjects: Annotated[str | None, typer.Option(help="Of a load: relay,turnkit.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Of each subject of a load.")] = None,
    parts: Annotated[
        str | None, typer.Option(help="Of overhead: turns,levels,http2; all if none is named.")
    ] = None,
    end: Annotated[str, typer.Option(help="The far ends of calls: twilio, ws.")] = "twilio",
    workers: Annotated[
        str, typer.Option(help="Processes of a subject that can have several: 1,2.")
    ] = "1",
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Real-time priority for a load's processes (root).")
    ] = False,
    logs: Annotated[
        Path, typer.Option(help="Where the subjects of a load write their logs.")
    ] = Path(".cache/bench-logs"),
    audio: Annotated[
        list[Path] | None, typer.Option(help="For turns: a pack of labelled speech; repeatable.")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(help="For policy: a folder of recorded Flux sessions.")
    ] = None,
) -> None:
    """Measure turnkit: how long people wait, what the code adds, and what it carries."""
    _find_suites()
    runner: Any = importlib.import_module("benchmarks.bench")
    known: Any = importlib.import_module("benchmarks.suites")
    if listed:
        options.console.print(runner.listing())
        return
    if install:
        runner.install(suites or (), options.console)
        return
    asked = runner.Asked(
        suites=tuple(suites or ()),
        options=known.Options(
            quick=quick,
            turns=turns,
            calls=_numbers("--calls", calls) if calls is not None else None,
            seconds=seconds,
            subjects=tuple(subjects.split(",")) if subjects else None,
            rounds=rounds,
            parts=tuple(parts.split(",")) if parts else None,
            ends=tuple(end.split(",")),
            workers=_numbers("--workers", workers),
            realtime=realtime,
            logs=logs,
            audio=tuple(audio or ()),
            recordings=recordings,
        ),
        out=out,
        command=f"turnkit {shlex.join(sys.argv[1:])}",
        given=tuple(given or ()),
        base=base,
        fail_on=tuple(fail_on or ()),
        hold_targets=hold_targets,
    )
    raise typer.Exit(runner.main(asked, options.console))


def _find_suites() -> None:
    """Have `benchmarks` importable, here and in child processes. Raises ConfigError."""
    place = next((p for p in PLACES if (p / "benchmarks" / "bench.py").is_file()), None)
    if place is None:
        raise ConfigError(
            "this installation of turnkit is without its benchmarks; "
            "install a wheel of it, or run `turnkit bench` in a checkout"
        )
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))


def _numbers(flag: str, text: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(word) for word in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise ConfigError(f"{flag} {text}: write numbers from 1 up with commas, such as 1,10,50")
    return numbers
