"""Suite `soak`: calls coming and going."""

from rich.console import Console

from benchmarks.load.results import Result
from benchmarks.load.soak import soak
from benchmarks.load_suites.runs import carry_out, options_of
from benchmarks.results import SuiteResult
from benchmarks.suites import Options

_CALLS, _TOGETHER = 1000, 50
_QUICK_CALLS, _QUICK_TOGETHER = 60, 20


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    asked = options_of(options, 1, ("turnkit",))
    calls, together = (_QUICK_CALLS, _QUICK_TOGETHER) if options.quick else (_CALLS, _TOGETHER)

    async def measure(console: Console) -> Result:
        return await soak(
            asked,
            console,
            calls=options.calls[0] if options.calls else calls,
            together=together,
            command=options.command,
        )

    return carry_out(measure, "Soak: calls coming and going", console)
