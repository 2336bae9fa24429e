"""Suite `overhead`: what a turn costs beyond its model and its voice, stage by stage."""

from math import ceil

import msgspec
from rich.console import Console

from benchmarks.load.bench import Spec
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.results import Result
from benchmarks.load.suite import Options, interleaved, play

_GAP_S = 0.05
_QUICK = Plan(
    cases=("eager200", "eager400", "plain", "barge", "after"),
    turns=6,
    normal_s=2.0,
    lead_in_s=0.2,
    pace=Pace(sentence_s=0.4),
)
_QUICK_CALLS = 12


async def overhead(  # noqa: PLR0913  # what can be asked for
    options: Options,
    console: Console,
    *,
    turns: int = 1000,
    calls: int = 10,
    quick: bool = False,
    plan: Plan | None = None,
    command: str = "",
) -> Result:
    """Measure the overhead of a turn. Raises LoadFailed.

    Args:
        options: which subjects, and how.
        console: where progress is shown.
        turns: measured of each subject, all rounds and cases together.
        calls: at a time.
        quick: some 30 s for two subjects, whatever else is asked for.
        plan: what the providers play; its number of turns follows from the others.
        command: what to write down as the way to get this result.
    """
    warm_turns = 1 if quick else 2
    if quick:
        plan, calls = plan or _QUICK, _QUICK_CALLS
    else:
        each = ceil(turns / calls / options.rounds) + warm_turns
        plan = msgspec.structs.replace(plan or Plan(), turns=each)
    specs = [
        Spec(
            subject=subject,
            plan=plan,
            calls=calls,
            gap_s=_GAP_S,
            call_s=plan.call_s,
            place=options.place(),
            end=options.end,
            http2=options.http2,
            round=round_,
            warm_turns=warm_turns,
            folder=options.logs,
        )
        for subject, calls, round_ in interleaved(options, [calls])
    ]
    return await play("overhead", command, options, plan, specs, console)
