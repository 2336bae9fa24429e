"""Runs subjects in turn: what all load suites have in common, and their errors as ours."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import anyio
from rich.console import Console

from benchmarks.load.entries import Entry
from benchmarks.load.environments import NotInstalled
from benchmarks.load.footprint import footprints
from benchmarks.load.plan import Plan
from benchmarks.load.processes import LoadFailed, first_of
from benchmarks.load.results import Footprint, LoadResult, Run
from benchmarks.load.run import Spec, run
from benchmarks.load.subjects.versions import versions
from benchmarks.load.summaries import rows
from benchmarks.terminal import Bar, bar
from turnkit.errors import ConfigError, TurnkitError

CAVEATS = [
    "Loopback, and providers with constant delays: nothing here says how long a real turn takes.",
    "A subject has one core for each worker; the providers and the callers share the other.",
    "The Flux is scripted by the clock: delay on the way from the caller to Flux is in no figure.",
    "uvloop's timers tick in milliseconds; what the services took is measured, not assumed.",
    "Of p99.9 there is one in a thousand samples; below 1,000 the maximum is shown for it.",
]
_NOT_OWN_CORE = (
    "{}: with as many workers as cores the load has no core of its own. It takes time from the "
    "workers, and they from it: their latency is an upper bound, and their capacity a lower one."
)

Enough = Callable[[Sequence[Run]], bool]
"""Tells by all runs of an entry so far whether it need not be run with more calls."""


@dataclass(frozen=True, slots=True)
class Series:
    """What to run, in this order."""

    suite: str
    plan: Plan
    """To be written down; of several the longest."""
    specs: Sequence[Spec]
    enough: Enough = lambda _: False
    footprints_of: Sequence[str] = ()
    """Subjects to be looked at before the first call."""
    times: int = 5
    """How often that is done."""
    sample_s: float = 0.0
    """How often to look at memory; 0 for not at all."""
    caveats: Sequence[str] = field(default_factory=tuple)
    calls: int = 0
    """Of a suite with one number of calls that counts most: that."""


def interleaved(
    entries: Sequence[Entry], levels: Iterable[int], rounds: int
) -> list[tuple[Entry, int, int]]:
    """Return the order of runs as entry, calls and round: entries take turns at each level."""
    return [
        (entry, calls, round_) for calls in levels for round_ in range(rounds) for entry in entries
    ]


def carry_out(series: Series, console: Console) -> LoadResult:
    """Run all of it. Raises ConfigError, and TurnkitError where the load could not be run."""
    try:
        return anyio.run(_carry_out, series, console)
    except* NotInstalled as group:
        raise ConfigError(str(first_of(group))) from None
    except* LoadFailed as group:
        raise TurnkitError(str(first_of(group))) from None


async def _carry_out(series: Series, console: Console) -> LoadResult:
    specs = series.specs
    place = specs[0].place
    taken = list[Footprint]()
    if series.footprints_of:
        folder = specs[0].folder
        taken = await footprints(series.footprints_of, place, folder, console, times=series.times)
    with bar(series.suite, sum(spec.seconds for spec in specs), console) as progress:
        runs = await play(specs, progress, series.enough, series.sample_s)
    entries = {spec.entry.name: spec.entry for spec in specs}
    subjects = {entry.subject.name: entry.subject for entry in entries.values()}
    shared = [name for name, entry in entries.items() if not entry.place(realtime=False).subject]
    unfair = [_NOT_OWN_CORE.format(", ".join(shared))] if shared else []
    return LoadResult(
        suite=series.suite,
        plan=series.plan,
        placement=str(place),
        subjects={name: subject.what for name, subject in subjects.items()},
        versions={name: versions(subject) for name, subject in subjects.items()},
        runs=runs,
        rows=rows(runs),
        calls=series.calls,
        caveats=[*unfair, *CAVEATS, *series.caveats],
        footprints=taken,
    )


async def play(
    specs: Sequence[Spec], progress: Bar, enough: Enough = lambda _: False, sample_s: float = 0.0
) -> list[Run]:
    """Run all of these in their order, those that need not be left out. Raises LoadFailed.

    Cancelling it ends all processes.
    """
    runs = list[Run]()
    stopped: dict[str, int] = {}
    done, total = 0.0, sum(spec.seconds for spec in specs)
    for spec in specs:
        name = spec.entry.name
        if spec.calls > stopped.get(name, spec.calls):
            total -= spec.seconds
            progress.total(total)
            continue
        progress.title(_title(spec))
        runs.append(await run(spec, progress.advance, sample_s=sample_s))
        done += spec.seconds
        progress.reach(done)
        if enough([one for one in runs if one.subject == name]):
            stopped.setdefault(name, spec.calls)
    return runs


def _title(spec: Spec) -> str:
    calls = "1 call" if spec.calls == 1 else f"{spec.calls} calls"
    again = f", round {spec.round + 1}" if spec.round else ""
    return f"{spec.entry.name}, {calls}{again}"
