"""Suite `soak`: calls come and go, a thousand and more; memory is to be flat."""

from rich.console import Console

from benchmarks.load.bench import Spec
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.results import Result, Run
from benchmarks.load.stats import slope
from benchmarks.load.suite import Options, interleaved, play

_PLAN = Plan(
    cases=("eager200", "barge", "after"),
    turns=3,
    normal_s=2.0,
    lead_in_s=0.2,
    pace=Pace(sentence_s=0.4),
)


async def soak(
    options: Options,
    console: Console,
    *,
    calls: int = 1000,
    together: int = 50,
    command: str = "",
) -> Result:
    """Have so many calls come and go. Raises LoadFailed.

    Args:
        options: which subjects, and how.
        console: where progress is shown.
        calls: in all.
        together: at a time.
        command: what to write down as the way to get this result.
    """
    specs = [
        Spec(
            subject=subject,
            plan=_PLAN,
            calls=calls,
            gap_s=_PLAN.call_s / together,
            call_s=_PLAN.call_s,
            place=options.place(),
            end=options.end,
            http2=options.http2,
            round=round_,
            warm_turns=0,
            folder=options.logs,
        )
        for subject, calls, round_ in interleaved(options, [calls])
    ]
    result = await play("soak", command, options, _PLAN, specs, console)
    result.capacity = {run.subject: {"kib_per_call": kib_per_call(run)} for run in result.runs}
    return result


def kib_per_call(run: Run) -> float:
    """Return how much memory each call left behind, over the second half of the soak."""
    half = run.memory_mib[len(run.memory_mib) // 2 :]
    return 1024 * slope([begun for _, _, begun in half], [mib for _, mib, _ in half])
