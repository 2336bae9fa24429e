"""Suite `scale`: N calls at once."""

from rich.console import Console

from benchmarks.load.results import Result
from benchmarks.load.scale import LEVELS, scale
from benchmarks.load_suites.runs import carry_out, options_of
from benchmarks.results import SuiteResult
from benchmarks.suites import Options

_SECONDS = 30.0
_QUICK_LEVELS, _QUICK_SECONDS = (1, 10), 5.0


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    asked = options_of(options, 1, ("relay", "turnkit"))
    levels, seconds = (_QUICK_LEVELS, _QUICK_SECONDS) if options.quick else (LEVELS, _SECONDS)

    async def measure(console: Console) -> Result:
        return await scale(
            asked,
            console,
            levels=options.calls or levels,
            seconds=options.seconds or seconds,
            command=options.command,
        )

    return carry_out(measure, "Scale: what N calls at once cost", console)
