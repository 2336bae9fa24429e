"""Runs subjects in turn and makes a `Result` of it: what all suites have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import monotonic

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks.load import machine
from benchmarks.load.bench import Spec, run
from benchmarks.load.plan import Plan
from benchmarks.load.processes import Placement, placement
from benchmarks.load.results import Result
from benchmarks.load.subjects import SUBJECTS, Subject
from benchmarks.load.summaries import rows

CAVEATS = [
    "Loopback, and providers with constant delays: nothing here says how long a real turn takes.",
    "A subject has one core for each worker; the providers and the callers share the other.",
    "The Flux is scripted by the clock: delay on the way from the caller to Flux is in no figure.",
    "uvloop's timers tick in milliseconds; what the services took is measured, not assumed.",
    "Of p99.9 there is one in a thousand samples; below 1,000 the maximum is shown for it.",
]


@dataclass(frozen=True, slots=True)
class Options:
    """What all suites are given."""

    subjects: tuple[str, ...] = ("relay", "turnkit")
    end: str = "twilio"
    rounds: int = 1
    realtime: bool = False
    http2: bool = False
    """Whether the model is reached over HTTP/2 and TLS, by the subjects that can."""
    workers: int = 1
    """Of a subject that can have several; as many cores are given to it."""
    logs: Path = Path(".cache/bench-logs")

    def place(self) -> Placement:
        """Return on which cores what runs."""
        return placement(realtime=self.realtime, workers=self.workers)

    def chosen(self) -> list[Subject]:
        """Return the subjects that can do what is asked, in the order in which they were named."""
        named = (SUBJECTS[name] for name in self.subjects)
        able = [s for s in named if self.end in s.ends and (s.http2 or not self.http2)]
        if self.workers == 1:
            return able
        more = f"workers={self.workers}"
        return [replace(s, options=(*s.options, more)) for s in able if s.workers]


async def play(
    suite: str, command: str, options: Options, plan: Plan, specs: Sequence[Spec], console: Console
) -> Result:
    """Run all of these in their order, with a progress bar; return the result. Raises LoadFailed.

    Cancelling it ends all processes.
    """
    began, began_at = datetime.now().astimezone(), monotonic()
    here = machine.machine()
    runs = []
    sample_s = 1.0 if suite == "soak" else 0.0
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        bar = progress.add_task(suite, total=round(sum(spec.seconds for spec in specs)))
        done = 0.0
        for spec in specs:
            title = f"{spec.subject.name}, {spec.calls} calls, round {spec.round + 1}"
            progress.update(bar, description=title)
            runs.append(await run(spec, lambda s: progress.advance(bar, s), sample_s=sample_s))
            done += spec.seconds
            progress.update(bar, completed=round(done))
    chosen = options.chosen()
    return Result(
        suite=suite,
        command=command,
        began=began.isoformat(timespec="seconds"),
        seconds=monotonic() - began_at,
        machine=here,
        placement=machine.describe(options.place()),
        plan=plan,
        subjects={subject.name: subject.what for subject in chosen},
        versions={subject.name: machine.versions(subject) for subject in chosen},
        runs=runs,
        summaries=rows(runs),
        caveats=CAVEATS,
    )


def interleaved(options: Options, levels: Iterable[int]) -> list[tuple[Subject, int, int]]:
    """Return the order of runs as subject, calls and round: subjects take turns at each level."""
    return [
        (subject, calls, round_)
        for calls in levels
        for round_ in range(options.rounds)
        for subject in options.chosen()
    ]


def write(result: Result, path: Path) -> None:
    """Write the file."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1))


def read(path: Path) -> Result:
    """Read a file that `write` wrote. Raises msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=Result)
