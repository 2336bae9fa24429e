"""Runs one subject once under a load, and makes a `Run` of what was written down."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from time import monotonic

import anyio
import msgspec

from benchmarks.load.callers import Calls, Placed
from benchmarks.load.entries import Entry
from benchmarks.load.frames import pacing_of, together
from benchmarks.load.plan import AFTER_CANCEL, GROWING, GROWS, Plan
from benchmarks.load.processes import (
    LoadFailed,
    Placement,
    Usage,
    Worker,
    stolen,
    subject,
    usage,
    worker,
)
from benchmarks.load.providers import Addresses
from benchmarks.load.records import Event, Load
from benchmarks.load.results import Counts, Frames, Harness, Links, Process, Run, Samples
from benchmarks.load.stats import summarise
from benchmarks.load.turns import Turn, disturbed, turns_of

_MIB = 1 << 20
_SETTLE_S = 1.0
_MARGIN_S = 60.0
_WARM_UP = Plan(cases=("plain",), turns=1, lead_in_s=0.1)
_WARM_UP_S = 3.5
"""Enough for a subject that imports half of itself when the first call comes."""
_WARM_UPS = 4
_CPU_WINDOW_S = 2.0
_MOST_SAMPLES = 2000
"""Of what is measured for each frame."""

Tick = Callable[[float], None]
"""Takes how many seconds of work are done."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run."""

    entry: Entry
    plan: Plan
    calls: int
    gap_s: float
    """Between one call's beginning and the next one's."""
    call_s: float
    realtime: bool = False
    """Whether all processes run at a real-time priority."""
    round: int = 0
    warm_turns: int = 2
    """Of each call, which are left out."""
    folder: Path = Path()
    """Where the subject's log goes."""

    @property
    def at_once(self) -> float:
        """How many calls are up at a time, once the first end or the last have begun."""
        return min(self.calls, self.call_s / self.gap_s)

    @property
    def place(self) -> Placement:
        """On which cores what runs."""
        return self.entry.place(realtime=self.realtime)

    @property
    def seconds(self) -> float:
        """About how long it takes."""
        return (self.calls - 1) * self.gap_s + self.call_s + _WARM_UP_S + 2.5


@dataclass(slots=True)
class _Watch:
    """What the processes used between two instants, while the calls were on."""

    pids: dict[str, int]
    since: float = 0.0
    until: float = 0.0
    first: dict[str, Usage] = field(default_factory=dict)
    last: dict[str, Usage] = field(default_factory=dict)
    memory: list[tuple[float, float, float]] = field(default_factory=list)
    cpu: list[tuple[float, float]] = field(default_factory=list)
    """When, and what the subject had used by then, every few seconds."""
    stolen_s: float = 0.0

    def look(self) -> dict[str, Usage]:
        """Return what each has used by now."""
        return {name: usage(pid) for name, pid in self.pids.items()}

    def share(self, name: str) -> float:
        """Return how much of a core one of them used."""
        if self.until <= self.since:
            return 0.0
        return (self.last[name].cpu_s - self.first[name].cpu_s) / (self.until - self.since)


@dataclass(slots=True)
class _Stage:
    """All processes of a run, up and waiting."""

    spec: Spec
    providers: Worker
    callers: Worker
    lookout: Worker | None
    pid: int
    url: str

    async def play(self, plan: Plan, calls: Calls) -> tuple[list[Event], Load, Placed]:
        """Have calls made under a plan; return what was written down."""
        await self.providers.order("plan", plan, str)
        limit_s = calls.calls * calls.gap_s + calls.seconds + _MARGIN_S
        placed = await self.callers.order("call", calls, Placed, limit_s)
        with TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("events", "load")]
            await self.providers.order("collect", str(files[0]), int)
            await self.callers.order("collect", str(files[1]), int)
            events = msgspec.msgpack.decode(files[0].read_bytes(), type=list[Event])
            load = msgspec.msgpack.decode(files[1].read_bytes(), type=Load)
        if self.lookout is not None:
            seen = await self.lookout.order("collect", None, list[tuple[float, float]])
            load.stalls = together([*load.stalls, *seen])
        return events, load, placed


@asynccontextmanager
async def _stage(spec: Spec) -> AsyncIterator[_Stage]:
    spec.folder.mkdir(parents=True, exist_ok=True)
    log = Path(spec.folder, f"{spec.entry.name}-{spec.calls}-{spec.round}.log")
    async with worker("providers", spec.place) as providers:
        addresses = await providers.answer(Addresses, 20.0)
        try:
            async with (
                worker("callers", spec.place) as callers,
                _lookout(spec.place) as lookout,
                subject(spec.entry.program, addresses, spec.place, log, http2=spec.entry.http2) as (
                    pid,
                    port,
                ),
            ):
                await callers.answer(str, 20.0)
                url = f"ws://127.0.0.1:{port}/{spec.entry.end}"
                yield _Stage(spec, providers, callers, lookout, pid, url)
        finally:
            rmtree(Path(addresses.authority).parent, ignore_errors=True)


@asynccontextmanager
async def _lookout(place: Placement) -> AsyncIterator[Worker | None]:
    if not (place.realtime and place.subject):
        yield None
        return
    async with worker("lookout", place, beside_subject=True) as lookout:
        await lookout.answer(str, 20.0)
        yield lookout


async def run(spec: Spec, tick: Tick = lambda _: None, *, sample_s: float = 0.0) -> Run:
    """Run a subject; return what it did. Raises LoadFailed.

    Args:
        spec: what to run.
        tick: told how time goes by.
        sample_s: how often to look at its memory; 0 for not at all.
    """
    async with _stage(spec) as stage:
        await _warm_up(stage)
        watch = _Watch(
            {
                "subject": stage.pid,
                "providers": stage.providers.pid,
                "callers": stage.callers.pid,
            }
        )
        calls = Calls(stage.url, spec.entry.end, spec.calls, spec.gap_s, spec.call_s)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_look_on, spec, watch, tick, sample_s)
            events, load, _ = await stage.play(spec.plan, calls)
            tasks.cancel_scope.cancel()
    return _report(spec, events, load, watch)


async def _warm_up(stage: _Stage) -> None:
    """Have a first call answered; on a busy machine that may take more than one."""
    spec = stage.spec
    calls = Calls(stage.url, spec.entry.end, 1, 0.0, _WARM_UP_S)
    for _ in range(_WARM_UPS):
        _, load, _ = await stage.play(_WARM_UP, calls)
        if load.calls[0].at:
            return
    raise LoadFailed(
        f"subject {spec.entry.name} answered none of {_WARM_UPS} first calls "
        f"{load.calls[0].failure}; its log is in {spec.folder}"
    )


async def _look_on(spec: Spec, watch: _Watch, tick: Tick, sample_s: float) -> None:
    """Note what is used while all calls are up; tell how time goes by."""
    began_at = monotonic()
    before = watch.look()
    since = began_at + (spec.calls - 1) * spec.gap_s + _SETTLE_S
    until = max(since + 1.0, began_at + spec.call_s - 0.2)
    if sample_s:  # calls come and go all the time
        since, until = began_at + _SETTLE_S, began_at + (spec.calls - 1) * spec.gap_s
    sampled_at = stolen_s = looked_at = 0.0
    while (now := monotonic()) < until:
        if not watch.since and now >= since:
            watch.first, watch.since = watch.look(), now
            stolen_s = stolen(spec.place.subject)
        if watch.since and now >= looked_at + _CPU_WINDOW_S:
            looked_at = now
            watch.cpu.append((now, usage(watch.pids["subject"]).cpu_s))
        if sample_s and now >= sampled_at + sample_s:
            sampled_at = now
            begun = min(spec.calls, (now - began_at) / spec.gap_s)
            mib = usage(watch.pids["subject"]).rss_bytes / _MIB
            watch.memory.append((now - began_at, mib, begun))
        await anyio.sleep(0.1)
        tick(monotonic() - now)
    watch.last, watch.until = watch.look(), monotonic()
    watch.stolen_s = stolen(spec.place.subject) - stolen_s
    watch.first = {
        name: replace(used, rss_bytes=before[name].rss_bytes)
        for name, used in (watch.first or before).items()
    }
    while True:
        now = monotonic()
        await anyio.sleep(0.1)
        tick(monotonic() - now)


def _report(spec: Spec, events: list[Event], load: Load, watch: _Watch) -> Run:
    # At an ordinary priority the load is late whenever others work: the machine need not pause.
    stalls = load.stalls if spec.place.realtime else []
    turns = turns_of(events, load.calls, spec.plan)
    warm = [turn for turn in turns if turn.turn >= spec.warm_turns]
    measured = [turn for turn in warm if not disturbed(turn, stalls)]
    pacing = pacing_of(load.calls, watch.since, watch.until, stalls)
    first, last = watch.first["subject"], watch.last["subject"]
    return Run(
        subject=spec.entry.name,
        calls=spec.calls,
        at_once=spec.at_once,
        round=spec.round,
        samples=_samples(measured),
        by_turn=_by_turn([turn for turn in turns if not disturbed(turn, stalls)]),
        links=_links(warm, [event for event in events if event.at >= watch.since]),
        counts=_counts(warm, len(warm) - len(measured), events, load),
        frames=Frames(
            pieces=pacing.pieces,
            late_share=pacing.late_share,
            gaps=len(pacing.gaps_ms),
            gap_ms=sum(pacing.gaps_ms),
            uneven=summarise(pacing.uneven_ms),
            uneven_ms=_thinned(pacing.uneven_ms),
        ),
        process=Process(
            cpu_s=last.cpu_s - first.cpu_s,
            window_s=watch.until - watch.since,
            rss_before_mib=first.rss_bytes / _MIB,
            rss_mib=last.rss_bytes / _MIB,
            cores=spec.entry.workers,
            shares=[
                (later - sooner) / (until - since)
                for (since, sooner), (until, later) in pairwise(watch.cpu)
            ],
        ),
        harness=Harness(
            late=summarise(load.late_ms),
            callers_share=watch.share("callers"),
            providers_share=watch.share("providers"),
            stolen_s=watch.stolen_s,
        ),
        memory_mib=watch.memory,
    )


def _samples(turns: Iterable[Turn]) -> Samples:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in turns:
        parts = turn.stages() if turn.answered else {}
        for name, ms in parts.items():
            found[turn.case][name].append(ms)
        for name, ms in turn.cuts().items():  # they belong to the turn that was cut short
            case = turn.case if name == "resume_cancelled" else "barge"
            found[case][name].append(ms)
    return {case: dict(measures) for case, measures in found.items()}


def _by_turn(turns: Sequence[Turn]) -> dict[str, dict[int, list[float]]]:
    """Return what grows if anything does with the length of a call, by the number of the turn."""
    found: dict[str, dict[int, list[float]]] = {name: defaultdict(list) for name in GROWING}
    for turn in turns:
        if turn.answered and turn.case in GROWS:
            stages = turn.stages()
            for name in GROWING:
                found[name][turn.turn].append(stages[name])
    return {name: dict(by_turn) for name, by_turn in found.items()}


def _links(turns: Iterable[Turn], events: Iterable[Event]) -> Links:
    """Say what cancelling costs in connections.

    Args:
        turns: all that count.
        events: those while all calls were up.
    """
    kinds = Counter(event.kind for event in events)
    behind = [turn for turn in turns if turn.case in AFTER_CANCEL and turn.answered]
    return Links(
        model_waited=[float(turn.fresh_model) for turn in behind],
        voice_waited=[float(turn.fresh_voice) for turn in behind],
        model_cuts=kinds["model.cut"],
        model_opened=kinds["model.open"],
        voice_opened=kinds["voice.open"],
    )


def _thinned(samples: list[float]) -> list[float]:
    """Return evenly spread ones of many samples, the extremes among them."""
    ordered = sorted(samples)
    if len(ordered) <= _MOST_SAMPLES:
        return ordered
    step = (len(ordered) - 1) / (_MOST_SAMPLES - 1)
    return [ordered[round(place * step)] for place in range(_MOST_SAMPLES)]


def _counts(turns: list[Turn], left_out: int, events: list[Event], load: Load) -> Counts:
    kinds = Counter(event.kind for event in events)
    final = [turn for turn in turns if not turn.unfinished]
    return Counts(
        calls=len(load.calls),
        failed_calls=sum(bool(heard.failure) for heard in load.calls),
        turns=len(final),
        answered=sum(turn.answered for turn in final),
        stale_pieces=sum(len(turn.stale) for turn in turns),
        stale_turns=sum(bool(turn.stale) for turn in turns),
        interrupted=sum(turn.interrupts for turn in final),
        model_requests=kinds["model.asked"],
        model_connections=kinds["model.open"],
        voice_connections=kinds["voice.open"],
        fresh_model_turns=sum(turn.fresh_model for turn in final),
        fresh_voice_turns=sum(turn.fresh_voice for turn in final),
        flux_connections=kinds["flux.open"],
        disturbed=left_out,
    )
