"""Where a subject's time goes under load, by sampling (`subjects.sampled`).

    python -m benchmarks.load.profile --calls 50

The samples cost the subject a few percent, so no latency of such a run counts.
"""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.load.entries import Entry, entries
from benchmarks.load.plan import Plan
from benchmarks.load.processes import LoadFailed, first_of
from benchmarks.load.run import Spec, run
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.subjects.sampled import EACH_S
from turnkit.errors import ConfigError

_NEARLY_ALL = 0.9
"""Functions that call nearly everything say nothing."""
_SAMPLER = Path(__file__).parent / "subjects" / "sampled.py"


async def profile(
    entry: Entry, console: Console, *, calls: int, seconds: float, realtime: bool, logs: Path
) -> Path:
    """Profile a subject; return where the stacks are. Raises LoadFailed.

    Args:
        entry: which, and how.
        console: where progress is shown.
        calls: at a time.
        seconds: how long.
        realtime: whether all processes run at a real-time priority.
        logs: a folder for the stacks and the subject's log.
    """
    stacks = logs / f"{entry.name}-{calls}.stacks"
    stacks.unlink(missing_ok=True)
    gap_s = min(0.05, 8.0 / calls)
    sampled = replace(entry.subject, wrapper=(str(_SAMPLER), str(stacks)))
    spec = Spec(
        entry=replace(entry, subject=sampled),
        plan=Plan(turns=int(seconds + 20), normal_s=4.0),
        calls=calls,
        gap_s=gap_s,
        call_s=calls * gap_s + seconds,
        realtime=realtime,
        folder=logs,
    )
    with console.status(f"{entry.name}, {calls} calls, {spec.seconds:.0f} s"):
        await run(spec)
    if not stacks.exists():
        raise LoadFailed(f"{entry.name} did not end in order; see its log in {logs}")
    return stacks


def tables(stacks: Path, most: int = 40) -> tuple[Table, Table]:
    """Return a profile's functions by own time, and by that with all they call."""
    own, within, total = Counter[str](), Counter[str](), 0
    for line in stacks.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        names = frames.split(";")  # the innermost function is the last
        total += int(count)
        own[names[-1]] += int(count)
        for name in set(names):
            within[name] += int(count)

    def table(title: str, ranking: Counter[str]) -> Table:
        found = Table("own", "with callees", "function", title=title, box=box.SIMPLE)
        for name, _ in ranking.most_common(most):
            found.add_row(f"{own[name] / total:.1%}", f"{within[name] / total:.1%}", name)
        found.caption = f"{total * EACH_S:.1f} s of processor time; {stacks}"
        return found

    inner = Counter({name: n for name, n in within.items() if n < total * _NEARLY_ALL})
    return table("by own time", own), table("with callees", inner)


def main(  # noqa: PLR0913  # a command has as many parameters as it has flags
    *,
    subject: Annotated[str, typer.Option(help=f"Of {', '.join(SUBJECTS)}.")] = "turnkit",
    calls: Annotated[int, typer.Option(min=1, help="At a time.")] = 50,
    seconds: Annotated[float, typer.Option(min=1, help="How long.")] = 15.0,
    end: Annotated[str, typer.Option(help="The far end of the calls: twilio or ws.")] = "twilio",
    http2: Annotated[bool, typer.Option("--http2", help="The model over HTTP/2 and TLS.")] = False,
    realtime: Annotated[bool, typer.Option("--realtime", help="Real-time priority.")] = False,
    logs: Annotated[Path, typer.Option(help="Where the stacks go.")] = Path(".cache/bench-logs"),
) -> None:
    """Show where a subject's processor time goes, by sampling."""
    console = Console()
    logs.mkdir(parents=True, exist_ok=True)
    try:
        entry = replace(entries([subject], [end])[0], http2=http2)
        measure = partial(
            profile, calls=calls, seconds=seconds, realtime=realtime, logs=logs.resolve()
        )
        stacks = anyio.run(measure, entry, console)
    except* (ConfigError, LoadFailed) as group:
        console.print(f"[red]{first_of(group)}[/]")
        raise SystemExit(1) from None
    for found in tables(stacks):
        console.print(found)


if __name__ == "__main__":
    typer.run(main)
