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
from benchmarks.turns.report import SHARE, interval, open_console, told
from benchmarks.turns.tasks import LOCAL, Spec

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
Folder = Annotated[Path, typer.Argument(help="A folder of NAME.flac and NAME.flux.json.")]


def recordings(folder: Folder = SHARED / "recordings", *, endpoint: str = LOCAL) -> None:
    """Compare with what real Flux did on the same audio, event by event; prints Markdown."""
    spec = Spec(endpoint)
    found = list(sessions.compared(spec.open(), sessions.load_sessions(folder)))
    console.print(sessions.markdown(found, spec.open().name), soft_wrap=True, markup=False)


def acknowledgements(
    packs: Packs = None, *, recognizer: RecognizerName = BEST, barge_in_s: HoldS = BARGE_IN_S
) -> None:
    """Lay short answers, noise, echo and interruptions over an agent's speech: what stops it?"""
    pack = chosen(packs, None, None)
    scenes = list(scenery.scenes(scenery.sounds(pack), scenery.agent_speech(pack)))
    found = [
        stop
        for batch in _tracked("scenes", judge, batches(scenes, barge_in_s, recognizer))
        for stop in batch
    ]
    shown = Table("over agent speech", "scenes", "stop it", "95 %", box=box.SIMPLE_HEAD)
    for name, figure in scenery.stopped(found).items():
        shown.add_row(name, str(figure.count), told(SHARE, figure), interval(SHARE, figure))
    console.print(shown)
    p50, p95 = (told("", figure) for figure in scenery.reactions(found))
    console.print(f"interruptions stop it after: p50 {p50}, p95 {p95}", highlight=False)


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


def _tracked(what: str, work: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
    """Carry out work in processes, with a progress bar."""
    done = carried_out(work, items, processes())
    return track(done, what, len(items), console=console, transient=True)
