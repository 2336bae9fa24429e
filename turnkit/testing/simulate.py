"""Random conversations from a seed: `python -m turnkit.testing.simulate --calls 10000 --jobs 2`.

Users, sources, agents, voices, networks and far ends are in all the moods of
`turnkit.testing.moods`. The promises hold in all of their calls, and so does what is checked here
besides. A call repeats bit for bit from its seed.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from math import inf
from multiprocessing import get_context
from random import Random

import anyio
import structlog
from rich.console import Console
from rich.progress import Progress

from turnkit.config import Settings
from turnkit.history import ToolUse
from turnkit.ledger import Ledger
from turnkit.session import Session
from turnkit.testing.clock import run_virtual
from turnkit.testing.fakes import MemoryTransport, Tape
from turnkit.testing.moods import (
    FAULTS,
    Deeds,
    Mood,
    MoodyAgent,
    MoodySource,
    MoodyVoice,
    moody_reports,
    moody_script,
)
from turnkit.testing.play import Heard, run_until
from turnkit.testing.promises import breaches
from turnkit.transports.base import DigitPressed, EndTurnRequested
from turnkit.turn.commands import CloseTurn
from turnkit.turn.events import EndOfTurn

CALL_S = 90.0
_PATIENCE_S = 120.0  # after the last word, for the last reply to end by itself
_LEFT_S = 100.0  # the slowest hook, and the grace of what swallows cancellation
_SHOWN = 20  # broken calls


@dataclass(frozen=True, slots=True)
class Call:
    """One simulated call."""

    seed: int
    heard: Heard
    breaches: list[str]
    faults: Counter[str]

    @property
    def fingerprint(self) -> str:
        """All that happened, as text: equal for equal seeds."""
        return repr((self.heard.tape, self.heard.spans, self.heard.history))


@dataclass(frozen=True, slots=True)
class Summary:
    """What is to be said of a call when it is one of many."""

    seed: int
    breaches: list[str]
    faults: Counter[str]
    outcomes: Counter[str]
    talk_s: float


def simulate(seed: int, without: Collection[str] = ()) -> Call:
    """Run the call of this seed, without some of its faults: for finding the one that matters."""
    return run_virtual(lambda: _call(seed, without))


def summarise(seed: int, without: Collection[str] = ()) -> Summary:
    """Run the call of this seed and say no more than is needed."""
    call = simulate(seed, without)
    outcomes = Counter(call.heard.outcomes.values())
    return Summary(seed, call.breaches, call.faults, outcomes, call.heard.tape[-1][0])


async def _call(seed: int, without: Collection[str]) -> Call:
    mood = Mood(seed, without)
    settings = _settings(mood.random)
    script = moody_script(mood, CALL_S)
    transport, tape = MemoryTransport(reports=moody_reports(mood)), Tape()
    agent = MoodyAgent(mood)
    session = Session(
        agent,
        source=MoodySource(mood, script),
        voice=MoodyVoice(mood),
        transport=transport,
        settings=settings,
        listeners=[tape],
    )
    end = script[-1][0] + _PATIENCE_S
    if mood.strikes("hung up", 0.2):
        end = mood.random.uniform(0, end)
    found = []
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_disturb, mood, transport, end)
            await run_until(session, transport, end)
            tasks.cancel_scope.cancel()
    except Exception as exc:  # noqa: BLE001  # whatever it is, it should not have come out
        found.append(f"the call ends in order: {exc!r}")
    finally:
        transport.close()
    await anyio.sleep(_LEFT_S)
    heard = Heard(transport.far_end.sounds, tape.items, session.history)
    found += [*breaches(heard), *_deeds(heard, agent.deeds), *_accounts(heard, session.ledger)]
    return Call(seed, heard, [*found, *_left()], mood.faults)


def _settings(random: Random) -> Settings:
    return Settings.model_construct(
        speculate=random.choice(["off", "llm", "llm+tts", "llm+tts"]),
        hold_s=random.choice([0.0, 0.0, 1.0]),
        barge_in=random.choice(["stop", "stop", "pause"]),
        idle_s=random.choice([inf, 4.0]),
        draft_tokens_per_minute=random.choice([inf, inf, 50]),
        max_reply_s=20.0,
        staged_audio_s=random.choice([0.3, 2.0]),
        lead_ms=random.choice([40, 200]),
    )


async def _disturb(mood: Mood, transport: MemoryTransport, end: float) -> None:
    """Press keys, and break the line, at some time."""
    breaks = mood.strikes("line broke", 0.1)
    while mood.strikes("key pressed", 0.3):
        await anyio.sleep(mood.random.uniform(0, end / 2))
        with suppress(anyio.ClosedResourceError):  # the call was over at that very instant
            await transport.feed(DigitPressed("5"))
            await transport.feed(EndTurnRequested())
    if breaks:
        transport.break_off()


# What is checked besides the promises: they see only the tape and the sounds.


def _deeds(heard: Heard, deeds: Deeds) -> Iterator[str]:
    """Check what the agent did against what the user said."""
    final_at = {i.turn: at for at, i in reversed(heard.tape) if isinstance(i, EndOfTurn)}
    for at, turn in deeds.at:
        if at < final_at.get(turn, inf):
            yield f"nothing irreversible on a guess: turn {turn} acted at {at:.3f}"
    kept = [entry for entry in heard.history if isinstance(entry, ToolUse)]
    if sorted(use.key for use in kept) != sorted(use.key for use in deeds.uses):
        yield f"what was done is kept: {len(deeds.uses)} deeds, {len(kept)} in history"
    told = Counter(attempt for attempt, _ in deeds.fates)
    for attempt, turn in enumerate(deeds.attempts):
        if told[attempt] != 1:
            yield f"every attempt has one fate: one at turn {turn} was told {told[attempt]}"


def _accounts(heard: Heard, ledger: Ledger) -> Iterator[str]:
    """Check the ledger against the tape, and its totals against its turns."""
    for turn, outcome in heard.outcomes.items():
        if ledger.turns[turn].outcome != outcome:
            yield f"the ledger adds up: turn {turn} is {ledger.turns[turn].outcome}, not {outcome}"
    closed = Counter(item.outcome for _, item in heard.tape if isinstance(item, CloseTurn))
    totals, turns = ledger.totals, ledger.turns.values()
    for name, total, parts in (
        ("closed turns", totals.outcomes.total(), closed.total()),
        ("drafts", totals.drafts, totals.released + totals.dropped.total()),
        ("drafts of turns", totals.drafts, sum(turn.drafts for turn in turns)),
        ("characters", totals.wasted_characters, sum(turn.wasted_characters for turn in turns)),
    ):
        if total != parts:
            yield f"the ledger adds up: {name} are {total}, and {parts}"


def _left() -> Iterator[str]:
    """Check that nothing of the call is left behind."""
    here = anyio.get_current_task()
    if others := [task.name for task in anyio.get_running_tasks() if task.id != here.id]:
        yield f"nothing is left: {others}"


def main() -> int:
    """Run calls from the command line, and say what was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first call")
    parser.add_argument("--jobs", type=int, default=1, help="processes, one a core is best")
    parser.add_argument("--without", action="append", default=[], choices=FAULTS, metavar="FAULT")
    options = parser.parse_args()
    console, began = Console(), time.perf_counter()
    with Progress(console=console, transient=True) as progress:
        seeds = range(options.seed, options.seed + options.calls)
        calls = _run(seeds, options.jobs, options.without)
        done = list(progress.track(calls, len(seeds), description="calls"))
    _show(console, done, time.perf_counter() - began)
    return 1 if any(call.breaches for call in done) else 0


def _run(seeds: Iterable[int], jobs: int, without: Collection[str]) -> Iterator[Summary]:
    run = partial(summarise, without=without)
    if jobs == 1:
        _be_quiet()
        yield from map(run, seeds)
        return
    # Not forked: the progress bar has a thread.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_be_quiet) as pool:
        yield from pool.map(run, seeds, chunksize=10)


def _be_quiet() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def _show(console: Console, done: list[Summary], took_s: float) -> None:
    faults = sum((call.faults for call in done), Counter[str]())
    turns = sum((call.outcomes for call in done), Counter[str]())
    talk_s = sum(call.talk_s for call in done)
    broken = [call for call in done if call.breaches]
    ended = ", ".join(f"{count:,} {outcome}" for outcome, count in turns.most_common())
    lines = [
        *(f"{faults[name]:11,}  {name}" for name in FAULTS),
        f"{len(done):,} calls, {faults.total():,} faults, {turns.total():,} turns: {ended}",
        f"{talk_s / 3600:,.1f} h of talk in {took_s:.0f} s ({talk_s / took_s:,.0f} x real time)",
        *("\n  ".join([f"seed {call.seed}:", *call.breaches]) for call in broken[:_SHOWN]),
        f"{len(broken)} calls broke a promise" if broken else "every promise kept",
    ]
    console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
