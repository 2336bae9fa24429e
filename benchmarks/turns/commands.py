"""The commands beside `score`: recordings, acknowledgements, invariants and cost."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeVar

import numpy as np
import typer
from rich import box
from rich.progress import track
from rich.table import Table

from benchmarks.turns import acknowledgements as scenery
from benchmarks.turns import eot_bench as importer
from benchmarks.turns import invariants as rules
from benchmarks.turns import sessions
from benchmarks.turns.barge_in import batches, judge
from benchmarks.turns.cost import Cost, cost
from benchmarks.turns.local import BEST
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.packs import SHARED, Kinds, Only, Packs, RecognizerName, chosen
from benchmarks.turns.pool import carried_out, processes
from benchmarks.turns.report import SHARE, interval, open_console, told, write_json
from benchmarks.turns.tasks import LOCAL, Spec
from turnkit.errors import ConfigError

T = TypeVar("T")
R = TypeVar("R")

console = open_console()

_COSTLY = ("jfk", "nasa_spacewalk", "mfa_cold_corpus", "libri_1088_134315_0000")
_SILENCE_S = 60

BARGE_IN_S: Final = 0.8
"""All labelled backchannels were shorter."""

HoldS = Annotated[
    float, typer.Option(min=0, help="How long one must speak over the agent; 0: stop at once.")
]
Parquet = Annotated[list[Path], typer.Argument(help="Files of the data set.", metavar="FILE...")]
SmartTurn = Annotated[
    str | None, typer.Option(help="The engine's second opinion: smart-turn's onnx file, or auto.")
]
Out = Annotated[Path | None, typer.Option(help="A folder for the figures, as JSON.")]
Folder = Annotated[Path, typer.Argument(help="A folder of NAME.flac and NAME.flux.json.")]


def recordings(
    folder: Folder = SHARED / "recordings",
    *,
    endpoint: str = LOCAL,
    smart_turn: SmartTurn = None,
) -> None:
    """Compare with what real Flux did on the same audio, event by event; prints Markdown."""
    spec = Spec(endpoint, smart_turn=smart_turn)
    found = list(sessions.compared(spec.open(), sessions.load_sessions(folder)))
    console.print(sessions.markdown(found, spec.open().name), soft_wrap=True, markup=False)


def acknowledgements(
    packs: Packs = None,
    *,
    recognizer: RecognizerName = BEST,
    barge_in_s: HoldS = BARGE_IN_S,
    only: Only = None,
    out: Out = None,
) -> None:
    """Lay short answers, noise, echo and interruptions over an agent's speech: what stops it?

    With --only the sounds are those of these recordings; the agent's speech is still all there is.
    """
    pack = chosen(packs, None, None)
    laid = scenery.sounds(chosen(packs, None, only))
    scenes = list(scenery.scenes(laid, scenery.agent_speech(pack)))
    found = [
        stop
        for batch in _tracked("scenes", judge, batches(scenes, barge_in_s, recognizer))
        for stop in batch
    ]
    figures = scenery.figures(found, recognizer, barge_in_s)
    _show_stops(figures)
    if out is not None:
        _write_stops(figures, out)


def invariants(
    packs: Packs = None, *, recognizer: RecognizerName = BEST, kind: Kinds = None, only: Only = None
) -> None:
    """Hold every clip at every setting against Flux's rules."""
    over = rules.settings()
    tasks = [(recording, over, recognizer) for recording in chosen(packs, kind, only)]
    tasks.sort(key=lambda task: -task[0].duration_s)
    found = [breach for clip in _tracked("clips", rules.all_breaches, tasks) for breach in clip]
    for breach in found:
        console.print(str(breach), markup=False, soft_wrap=True)
    heard = 2 * len(over) * len(tasks)
    console.print(f"{heard} hearings, {len(found)} rules broken", highlight=False)
    raise typer.Exit(bool(found))


def eot_bench(files: Parquet, *, out: Annotated[Path, typer.Option()]) -> None:
    """Make a pack of eot-bench's Parquet files (livekit/eot-bench-data), for `score`."""
    count = importer.write_pack(importer.rows(files), out)
    console.print(f"{count} turns written to {out}", highlight=False)


def costs(packs: Packs = None) -> None:
    """Measure the engine's processor time on this machine. Let it have nothing else to do."""
    speech = [r.read() for r in chosen(packs, None, None) if r.id in _COSTLY]
    silence = [np.zeros(_SILENCE_S * RATE_HZ, np.int16)]
    rows: dict[str, Cost] = {
        "speech, with words": cost(speech, recognizer=BEST),
        "speech, without": cost(speech, recognizer="none"),
        "digital silence": cost(silence, recognizer=BEST),
    }
    shown = Table("", "CPU for a second", "80 ms take: p99", "worst", box=box.SIMPLE_HEAD)
    for name, row in rows.items():
        times = (row.share, row.frame_p99_s, row.frame_worst_s)
        shown.add_row(name, *(f"{value * 1000:.1f} ms" for value in times))
    console.print(shown)


def _show_stops(figures: scenery.Figures) -> None:
    shown = Table("over agent speech", "scenes", "stop it", "95 %", box=box.SIMPLE_HEAD)
    for name, figure in figures.stopped.items():
        shown.add_row(name, str(figure.count), told(SHARE, figure), interval(SHARE, figure))
    console.print(shown)
    p50, p95 = told("", figures.stopped_after_p50_s), told("", figures.stopped_after_p95_s)
    console.print(f"interruptions stop it after: p50 {p50}, p95 {p95}", highlight=False)


def _write_stops(figures: scenery.Figures, folder: Path) -> None:
    file = folder / "acknowledgements.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(figures, file)
    except OSError as exc:
        raise ConfigError(f"{folder} cannot be written: {exc.strerror}") from exc
    console.print(f"written to {file}", highlight=False)


def _tracked(what: str, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
    """Carry out work in processes, with a progress bar."""
    done = carried_out(work, items, processes())
    return track(done, what, len(items), console=console, transient=True)
