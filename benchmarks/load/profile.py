"""Where a subject's time goes under load, by sampling (`subjects.sampled`).

The samples cost the subject a few percent, so no latency of such a run counts.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.load.bench import Spec, run
from benchmarks.load.plan import Plan
from benchmarks.load.processes import LoadFailed
from benchmarks.load.subjects.sampled import EACH_S
from benchmarks.load.suite import Options

_NEARLY_ALL = 0.9
"""Functions that call nearly everything say nothing."""
_SAMPLER = Path(__file__).parent / "subjects" / "sampled.py"


async def profile(options: Options, console: Console, *, calls: int, seconds: float) -> Path:
    """Profile the first of the subjects; return where the stacks are. Raises LoadFailed.

    Args:
        options: which subject, and how.
        console: where progress is shown.
        calls: at a time.
        seconds: how long.
    """
    what = options.chosen()[0]
    stacks = options.logs / f"{what.name}-{calls}.stacks"
    stacks.unlink(missing_ok=True)
    gap_s = min(0.05, 8.0 / calls)
    spec = Spec(
        subject=replace(what, wrapper=(str(_SAMPLER), str(stacks))),
        plan=Plan(turns=int(seconds + 20), normal_s=4.0),
        calls=calls,
        gap_s=gap_s,
        call_s=calls * gap_s + seconds,
        place=options.place(),
        end=options.end,
        http2=options.http2,
        folder=options.logs,
    )
    with console.status(f"{what.name}, {calls} calls, {spec.seconds:.0f} s"):
        await run(spec)
    if not stacks.exists():
        raise LoadFailed(f"{what.name} did not end in order; see its log in {options.logs}")
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
