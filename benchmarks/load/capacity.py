"""How many calls a process carries, by what was measured at several numbers of them. Pure."""

from collections.abc import Sequence
from math import inf

from benchmarks.load.results import BASE, LoadResult, Row, Run
from benchmarks.load.stats import slope
from benchmarks.load.summaries import rows

WORSE_MS = 50.0
"""Where p99 has risen by so much above its base, capacity is passed."""

_LEAST_ANSWERED = 0.95


def capacity_of(levels: Sequence[Row], subject: str) -> dict[str, float]:
    """Say how far a subject goes.

    `calls`: the highest level whose p99 overhead is within 50 ms of its base, all levels below
    being so too; `next`: the level that is not, 0 if none was; `base_ms`: the lowest p99 of the
    levels; `cpu_share_per_call`: the slope of the core's use by calls.
    """
    mine = sorted((row for row in levels if row.subject == subject), key=lambda row: row.calls)
    # Where turns came and none was answered, there is no overhead to tell of: that is worse, too.
    p99 = {row.calls: row.overhead.p99 if row.overhead else inf for row in mine if row.turns}
    base = min(p99.values(), default=0.0)
    worse = [calls for calls, ms in p99.items() if not ms <= base + WORSE_MS]
    within = [calls for calls in p99 if not worse or calls < worse[0]]
    shares = [row.cpu_s_per_call_minute / 60 * row.calls for row in mine]
    return {
        "calls": max(within, default=0),
        "next": min(worse, default=0),
        "base_ms": base,
        "cpu_share_per_call": slope([row.calls for row in mine], shares),
    }


def capacities(levels: Sequence[Row]) -> dict[str, dict[str, float]]:
    """Say of every subject how far it goes."""
    names = dict.fromkeys(row.subject for row in levels)
    return {name: capacity_of(levels, name) for name in names}


def exhausted(runs: Sequence[Run]) -> bool:
    """Tell whether more calls say nothing new of an entry, after these runs with more and more.

    So it is where no processor time was left, or few turns were answered.
    """
    last = runs[-1]
    return last.process.saturated or last.counts.answered < _LEAST_ANSWERED * last.counts.turns


def passed(runs: Sequence[Run]) -> bool:
    """Tell whether an entry's capacity is passed, after these runs with more and more calls."""
    return exhausted(runs) or bool(capacity_of(rows(runs), runs[-1].subject)["next"])


def undecided(result: LoadResult) -> str:
    """Say why no capacity can be read from a result; nothing if none of the signs is there.

    The relay is the control: what stops it, at a fifth of a core, is the machine. Others ran at
    other times, so that it was not stopped does not prove that they were not.
    """
    if beyond := result.capacity.get(BASE, {}).get("next"):
        return f"{BASE}, too, was over at {beyond:.0f} calls: that is the machine, for all of them"
    late = [f"{row.subject} at {row.calls}" for row in result.rows if not row.harness_sound]
    return f"the load was late itself: {', '.join(late)}" if late else ""


def kib_per_call(run: Run) -> float:
    """Return how much memory each call of a soak left behind, over its second half."""
    half = run.memory_mib[len(run.memory_mib) // 2 :]
    return 1024 * slope([begun for _, _, begun in half], [mib for _, mib, _ in half])
