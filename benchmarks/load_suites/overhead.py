"""Suite `overhead`: what turnkit adds to a turn, stage by stage."""

from rich.console import Console

from benchmarks.load.overhead import overhead
from benchmarks.load.results import Result
from benchmarks.load_suites.runs import carry_out, options_of
from benchmarks.results import SuiteResult
from benchmarks.suites import Options

_TURNS, _CALLS, _ROUNDS = 1000, 10, 2


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    asked = options_of(options, 1 if options.quick else _ROUNDS, ("relay", "turnkit"))

    async def measure(console: Console) -> Result:
        return await overhead(
            asked,
            console,
            turns=options.turns or _TURNS,
            calls=options.calls[0] if options.calls else _CALLS,
            quick=options.quick,
            command=options.command,
        )

    return carry_out(measure, "Overhead: what the framework adds to a turn", console)
