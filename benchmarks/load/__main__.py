"""The command line of the load suites: `python -m benchmarks.load --help`."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import anyio
import typer
from rich.console import Console

from benchmarks.load import peers as peer_suite
from benchmarks.load.ends import ENDS
from benchmarks.load.environments import ENVIRONMENTS, NotInstalled, missing
from benchmarks.load.overhead import overhead
from benchmarks.load.peers_tables import show_peers
from benchmarks.load.processes import LoadFailed
from benchmarks.load.profile import profile, tables
from benchmarks.load.results import Result
from benchmarks.load.scale import LEVELS, scale
from benchmarks.load.soak import soak
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.suite import Options, write
from benchmarks.load.tables import show

T = TypeVar("T")

app = typer.Typer(
    help="What the call path adds, measured.", no_args_is_help=True, pretty_exceptions_enable=False
)
console = Console()
_PEER_TURNS = peer_suite.TURNS
_PEERS = ",".join(peer_suite.PEERS)
_PEER_LEVELS = ",".join(map(str, peer_suite.LEVELS))

Subjects = Annotated[str, typer.Option(help=f"Of {', '.join(SUBJECTS)}; with commas.")]
End = Annotated[str, typer.Option(help=f"The far end of the calls: {' or '.join(ENDS)}.")]
Rounds = Annotated[int, typer.Option(min=1, help="How often each subject has its turn.")]
Realtime = Annotated[bool, typer.Option("--realtime", help="Real-time priority for all processes.")]
Http2 = Annotated[bool, typer.Option("--http2", help="The model over HTTP/2 and TLS.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes of a subject that can have several.")]
Quick = Annotated[bool, typer.Option("--quick", help="In half a minute, and roughly.")]
Out = Annotated[Path | None, typer.Option(help="Where to write the result, as JSON.")]
Logs = Annotated[Path, typer.Option(help="Where the subjects' logs go.")]


@app.command("overhead")
def _overhead(  # noqa: PLR0913  # a command has as many parameters as it has flags
    *,
    turns: Annotated[int, typer.Option(min=1, help="Of each subject.")] = 1000,
    calls: Annotated[int, typer.Option(min=1, max=1000, help="At a time.")] = 10,
    subjects: Subjects = "relay,turnkit",
    end: End = "twilio",
    rounds: Rounds = 2,
    realtime: Realtime = False,
    http2: Http2 = False,
    workers: Workers = 1,
    quick: Quick = False,
    out: Out = None,
    logs: Logs = Path(".cache/bench-logs"),
) -> None:
    """Measure what a turn and a barge-in cost, stage by stage."""
    options = _options(subjects, end, 1 if quick else rounds, realtime, http2, workers, logs)
    _run(
        lambda: overhead(
            options, console, turns=turns, calls=calls, quick=quick, command=_command()
        ),
        out,
    )


@app.command("scale")
def _scale(  # noqa: PLR0913  # a command has as many parameters as it has flags
    *,
    calls: Annotated[str, typer.Option(help="Levels; with commas.")] = ",".join(map(str, LEVELS)),
    seconds: Annotated[float, typer.Option(min=5, help="Of each level and subject.")] = 30.0,
    subjects: Subjects = "relay,turnkit",
    end: End = "twilio",
    rounds: Rounds = 1,
    realtime: Realtime = False,
    http2: Http2 = False,
    workers: Workers = 1,
    quick: Quick = False,
    out: Out = None,
    logs: Logs = Path(".cache/bench-logs"),
) -> None:
    """Measure what N calls at once cost: CPU, memory, jitter, and where it ends."""
    options = _options(subjects, end, rounds, realtime, http2, workers, logs)
    levels = [int(level) for level in calls.split(",")]
    if quick:
        levels, seconds = [1, 10], 12.0
    _run(lambda: scale(options, console, levels=levels, seconds=seconds, command=_command()), out)


@app.command("soak")
def _soak(  # noqa: PLR0913  # a command has as many parameters as it has flags
    *,
    calls: Annotated[int, typer.Option(min=10, help="In all.")] = 1000,
    together: Annotated[int, typer.Option(min=1, help="At a time.")] = 50,
    subjects: Subjects = "turnkit",
    end: End = "twilio",
    realtime: Realtime = False,
    http2: Http2 = False,
    workers: Workers = 1,
    quick: Quick = False,
    out: Out = None,
    logs: Logs = Path(".cache/bench-logs"),
) -> None:
    """Have calls come and go, and watch the memory."""
    options = _options(subjects, end, 1, realtime, http2, workers, logs)
    if quick:
        calls, together = 60, 20
    _run(lambda: soak(options, console, calls=calls, together=together, command=_command()), out)


@app.command("peers")
def _peers(  # noqa: PLR0913  # a command has as many parameters as it has flags
    *,
    install: Annotated[bool, typer.Option("--install", help="Make the environments.")] = False,
    calls: Annotated[str, typer.Option(help="Levels; with commas.")] = _PEER_LEVELS,
    turns: Annotated[
        int, typer.Option(min=1, help="Of each kind, level and subject.")
    ] = _PEER_TURNS,
    subjects: Subjects = _PEERS,
    rounds: Rounds = 2,
    realtime: Realtime = False,
    quick: Quick = False,
    out: Out = None,
    logs: Logs = Path(".cache/bench-logs"),
) -> None:
    """Compare with pipecat and LiveKit Agents, under the same load in the same run."""
    if install:
        _install()
        return
    options = _options(subjects, "twilio", 1 if quick else rounds, realtime, False, 1, logs)  # noqa: FBT003
    levels = [int(level) for level in calls.split(",")]
    result = _guarded(
        lambda: peer_suite.peers(
            options, console, levels=levels, turns=turns, quick=quick, command=_command()
        )
    )
    show_peers(result, console)
    _write(result, out)


def _install() -> None:
    try:
        for environment in ENVIRONMENTS.values():
            environment.install(console.print)
    except NotInstalled as exc:
        console.print(f"[red]{exc}[/]")
        sys.exit(1)


@app.command("profile")
def _profile(  # noqa: PLR0913
    *,
    subject: Annotated[str, typer.Option(help="Which.")] = "turnkit",
    calls: Annotated[int, typer.Option(min=1, help="At a time.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 15.0,
    end: End = "twilio",
    realtime: Realtime = False,
    http2: Http2 = False,
    workers: Workers = 1,
    logs: Logs = Path(".cache/bench-logs"),
) -> None:
    """Show where a subject's processor time goes, by sampling."""
    options = _options(subject, end, 1, realtime, http2, workers, logs)
    stacks = _guarded(lambda: profile(options, console, calls=calls, seconds=seconds))
    for found in tables(stacks):
        console.print(found)


def _options(  # noqa: PLR0913, PLR0917  # what all commands have
    subjects: str,
    end: str,
    rounds: int,
    realtime: bool,  # noqa: FBT001  # passed on from a flag
    http2: bool,  # noqa: FBT001
    workers: int,
    logs: Path,
) -> Options:
    names = tuple(subjects.split(","))
    for name in names:
        if name not in SUBJECTS:
            raise typer.BadParameter(f"no subject {name!r}; there are {', '.join(SUBJECTS)}")
        if not Path(SUBJECTS[name].python).exists():
            raise typer.BadParameter(missing(name))
    if end not in ENDS:
        raise typer.BadParameter(f"no far end {end!r}; there are {', '.join(ENDS)}")
    options = Options(names, end, rounds, realtime, http2, workers, logs.resolve())
    if not options.chosen():
        raise typer.BadParameter(f"none of {subjects} can do all that is asked; see subjects")
    return options


def _command() -> str:
    return " ".join(["python", "-m", "benchmarks.load", *sys.argv[1:]])


def _guarded(measure: Callable[[], Awaitable[T]]) -> T:
    """Carry out what may take long; say in a line why it could not be done."""
    try:
        return anyio.run(measure)
    except* (LoadFailed, NotInstalled) as group:
        console.print(f"[red]{_first(group)}[/]")
    sys.exit(1)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


def _run(measure: Callable[[], Awaitable[Result]], out: Path | None) -> None:
    result = _guarded(measure)
    show(result, console)
    _write(result, out)


def _write(result: Result, out: Path | None) -> None:
    if out is not None:
        write(result, out)
        console.print(f"written to {out}")


if __name__ == "__main__":
    app()
