"""Suite `scale`: N calls at once. What each costs, and where the latency goes up."""

from collections.abc import Sequence

from rich.console import Console

from benchmarks.load.bench import Spec
from benchmarks.load.plan import Plan
from benchmarks.load.results import Result, Row
from benchmarks.load.stats import slope
from benchmarks.load.suite import Options, interleaved, play

LEVELS = (1, 10, 50, 100, 200, 400)
WORSE_MS = 50.0
"""Where p99 has risen by so much above its base, capacity is passed."""

_NORMAL_S = 4.0
_RAMP_S = 8.0
"""How long it takes at the most until all calls are up."""
_GAP_S = 0.05


async def scale(
    options: Options,
    console: Console,
    *,
    levels: Sequence[int] = LEVELS,
    seconds: float = 30.0,
    command: str = "",
) -> Result:
    """Measure each level. Raises LoadFailed.

    Args:
        options: which subjects, and how.
        console: where progress is shown.
        levels: how many calls.
        seconds: how long all calls of a level are up.
        command: what to write down as the way to get this result.
    """
    turns = 2 * round((seconds + _RAMP_S + _NORMAL_S) / _NORMAL_S)  # more than there is time for
    plan = Plan(turns=turns, normal_s=_NORMAL_S)
    specs = [
        Spec(
            subject=subject,
            plan=plan,
            calls=calls,
            gap_s=min(_GAP_S, _RAMP_S / calls),
            call_s=(calls - 1) * min(_GAP_S, _RAMP_S / calls) + seconds + 1.2,
            place=options.place(),
            end=options.end,
            http2=options.http2,
            round=round_,
            warm_turns=1,
            folder=options.logs,
        )
        for subject, calls, round_ in interleaved(options, levels)
    ]
    result = await play("scale", command, options, plan, specs, console)
    result.capacity = {name: capacity_of(result.summaries, name) for name in options.subjects}
    return result


def capacity_of(rows: Sequence[Row], subject: str) -> dict[str, float]:
    """Say how far a subject goes.

    `calls`: the highest level whose p99 overhead is within 50 ms of its base, all levels below
    being so too; `next`: the level that is not, 0 if none was; `base_ms`: the lowest p99 of the
    levels; `cpu_share_per_call`: the slope of the core's use by calls.
    """
    mine = sorted((row for row in rows if row.subject == subject), key=lambda row: row.calls)
    p99 = {row.calls: row.overhead.p99 for row in mine if row.overhead is not None}
    base = min(p99.values(), default=0.0)
    worse = [row.calls for row in mine if p99.get(row.calls, 1e9) > base + WORSE_MS]
    within = [calls for calls in p99 if not worse or calls < worse[0]]
    shares = [row.cpu_s_per_call_minute / 60 * row.calls for row in mine]
    return {
        "calls": max(within, default=0),
        "next": min(worse, default=0),
        "base_ms": base,
        "cpu_share_per_call": slope([row.calls for row in mine], shares),
    }
