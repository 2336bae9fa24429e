"""Suite `soak`: calls come and go, a thousand and more; memory is to be flat."""

from rich.console import Console

from benchmarks.load.capacity import kib_per_call
from benchmarks.load.entries import entries
from benchmarks.load.figures import suite_of
from benchmarks.load.plan import Pace, Plan
from benchmarks.load.run import Spec
from benchmarks.load.series import Series, carry_out, interleaved
from benchmarks.results import SuiteResult
from benchmarks.suites import Options

SUBJECTS = ("turnkit",)

_CALLS, _TOGETHER = 1000, 50
_QUICK_CALLS, _QUICK_TOGETHER = 60, 20
_SAMPLE_S = 1.0
_PLAN = Plan(
    cases=("eager200", "barge", "after"),
    turns=3,
    normal_s=2.0,
    lead_in_s=0.2,
    pace=Pace(sentence_s=0.4),
)


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    in_all, together = (_QUICK_CALLS, _QUICK_TOGETHER) if options.quick else (_CALLS, _TOGETHER)
    in_all = options.calls[0] if options.calls else in_all
    found = entries(options.subjects or SUBJECTS, options.ends, options.workers)
    specs = [
        Spec(
            entry=entry,
            plan=_PLAN,
            calls=calls,
            gap_s=_PLAN.call_s / together,
            call_s=_PLAN.call_s,
            realtime=options.realtime,
            round=round_,
            warm_turns=0,
            folder=options.logs,
        )
        for entry, calls, round_ in interleaved(found, [in_all], options.rounds or 1)
    ]
    result = carry_out(Series("soak", _PLAN, specs, sample_s=_SAMPLE_S), console)
    result.capacity = {one.subject: {"kib_per_call": kib_per_call(one)} for one in result.runs}
    return suite_of(result, "Soak: calls coming and going")
