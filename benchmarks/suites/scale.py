"""Suite `scale`: N calls at once. What each costs, and where the latency goes up."""

from rich.console import Console

from benchmarks.load.capacity import capacities, exhausted
from benchmarks.load.entries import entries
from benchmarks.load.figures import suite_of
from benchmarks.load.plan import Plan
from benchmarks.load.run import Spec
from benchmarks.load.series import Series, carry_out, interleaved
from benchmarks.results import SuiteResult
from benchmarks.suites import Options

LEVELS = (1, 10, 50, 100, 200, 400)
SUBJECTS = ("relay", "turnkit")

_SECONDS = 30.0
_QUICK_LEVELS, _QUICK_SECONDS = (1, 10), 12.0
_NORMAL_S = 4.0
_RAMP_S = 8.0
"""How long it takes at the most until all calls are up."""
_GAP_S = 0.05
_CAVEATS = (
    "A turn each four seconds, frames of 20 ms both ways all the time: dense talk.",
    "What has no processor time left, or leaves 5 % of its turns unanswered, gets no more calls.",
    (
        "Memory of several workers counts what they share once for each, and the first call warms "
        "up one of them: by few calls more seems to be taken than is."
    ),
)


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    levels = options.calls or (_QUICK_LEVELS if options.quick else LEVELS)
    seconds = options.seconds or (_QUICK_SECONDS if options.quick else _SECONDS)
    # More turns than there is time for: a call is over when the clock says so.
    plan = Plan(turns=2 * round((seconds + _RAMP_S + _NORMAL_S) / _NORMAL_S), normal_s=_NORMAL_S)
    found = entries(options.subjects or SUBJECTS, options.ends, options.workers)
    specs = []
    for entry, calls, round_ in interleaved(found, sorted(levels), options.rounds or 1):
        gap_s = min(_GAP_S, _RAMP_S / calls)
        specs.append(
            Spec(
                entry=entry,
                plan=plan,
                calls=calls,
                gap_s=gap_s,
                call_s=(calls - 1) * gap_s + seconds + 1.2,
                realtime=options.realtime,
                round=round_,
                warm_turns=1,
                folder=options.logs,
            )
        )
    result = carry_out(Series("scale", plan, specs, exhausted, caveats=_CAVEATS), console)
    result.capacity = capacities(result.rows)
    return suite_of(result, "Scale: what N calls at once cost")
