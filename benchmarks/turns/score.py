"""The command `score`: play labelled speech to endpoints, and report."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import track

from benchmarks.turns import plots, report, scoring
from benchmarks.turns.audio import MAX_SHIFTS
from benchmarks.turns.local import BEST
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.packs import AUDIO, Kinds, Only, Packs, RecognizerName, chosen
from benchmarks.turns.runs import Run
from benchmarks.turns.tasks import LOCAL, Spec, Task, carry_out_all
from turnkit import config
from turnkit.errors import ConfigError
from turnkit.sources.flux_query import EOT_THRESHOLD, EOT_TIMEOUT_MS, ListenParameters

EAGER_EOT_THRESHOLD: Final = 0.5  # turnkit's own default

console = report.open_console()

Endpoints = Annotated[
    list[str] | None,
    typer.Option("--endpoint", help="local, ws://HOST or wss://HOST; several are compared."),
]
Eager = Annotated[float, typer.Option(help="0: no eager ends.")]
SmartTurn = Annotated[
    str | None,
    typer.Option(help="The embedded engine's second opinion: smart-turn's onnx file, or auto."),
]
Traced = Annotated[
    bool,
    typer.Option(
        "--trace/--no-trace", help="Hear all again with endless turns, to try every policy."
    ),
]
Shifts = Annotated[
    int, typer.Option(min=1, max=MAX_SHIFTS, help="Hear clips so often, 8 ms apart.")
]
Pace = Annotated[
    float, typer.Option(help="For servers: how many times real time; 0: without waiting.")
]
Connections = Annotated[int, typer.Option(min=1, max=100, help="For servers: how many at once.")]
Out = Annotated[Path | None, typer.Option(help="A folder for figures and plots.")]


def score(
    packs: Packs = None,
    *,
    endpoint: Endpoints = None,
    model: str = "flux-general-en",
    eot_threshold: float = EOT_THRESHOLD,
    eager_eot_threshold: Eager = EAGER_EOT_THRESHOLD,
    eot_timeout_ms: int = EOT_TIMEOUT_MS,
    recognizer: RecognizerName = BEST,
    smart_turn: SmartTurn = None,
    trace: Traced = True,
    shifts: Shifts = 1,
    pace: Pace = 1.0,
    connections: Connections = 4,
    kind: Kinds = None,
    only: Only = None,
    out: Out = None,
) -> None:
    """Play labelled speech to endpoints and report how well they take turns.

    The key for a server is read from DEEPGRAM_API_KEY. Every recording takes a connection, with
    --trace two, and at --pace 1 as long as the speech does.
    """
    asked = ListenParameters(
        model,
        "linear16",
        RATE_HZ,
        eager_eot_threshold=eager_eot_threshold or None,
        eot_threshold=eot_threshold,
        eot_timeout_ms=eot_timeout_ms,
    )
    recordings = chosen(packs, kind, only)
    reports, heard = [], []
    for address in endpoint or [LOCAL]:
        spec = Spec(address, recognizer, smart_turn, pace, connections, _key(address))
        tasks = [
            Task(spec, recording, asked, shift, traced=trace)
            for shift in range(shifts)
            for recording in recordings
        ]
        name = spec.open().name
        heard.append(_heard(tasks, name))
        names = [str(pack) for pack in packs or [AUDIO]]
        reports.append(scoring.report(name, asked, names, shifts, heard[-1]))
        console.print(report.table(reports[-1]))
    if out is not None:
        _written(reports, heard, out)


def _heard(tasks: Sequence[Task], name: str) -> list[Run]:
    found = track(carry_out_all(tasks), name, len(tasks), console=console, transient=True)
    order = {task.recording.id: n for n, task in enumerate(tasks)}
    return sorted(found, key=lambda run: order[run.recording.id])


def _key(address: str) -> str | None:
    key = None if address == LOCAL else config.load().deepgram_api_key
    return key.get_secret_value() if key else None


def _written(
    reports: Sequence[scoring.Report], heard: Sequence[Sequence[Run]], folder: Path
) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for given, runs in zip(reports, heard, strict=True):
            _write(given, runs, folder)
        plots.frontiers(reports, folder / "policies.png")
    except OSError as exc:
        raise ConfigError(f"{folder} cannot be written: {exc.strerror}") from exc
    console.print(f"written to {folder}", highlight=False)


def _write(given: scoring.Report, runs: Sequence[Run], folder: Path) -> None:
    name = "".join(letter if letter.isalnum() else "-" for letter in given.endpoint)
    report.write_json(given, folder / f"{name}.json")
    if paused := scoring.scored_pauses(runs):
        plots.pauses(paused, given.endpoint, folder / f"{name}-pauses.png")
    drawn = set[str]()
    for run in runs:
        call = run.recording.id
        if run.recording.kind == "dialogue" and run.trace is not None and call not in drawn:
            drawn.add(call)
            plots.timeline(run, given.endpoint, folder / f"{name}-{call.replace(':', '-')}.png")
