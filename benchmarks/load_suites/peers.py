"""Suite `peers`: other frameworks under the same load, side by side."""

from rich.console import Console

from benchmarks.load.environments import NotInstalled
from benchmarks.load.peers import LEVELS, PEERS, TURNS, peers, require
from benchmarks.load.results import Result
from benchmarks.load_suites.runs import carry_out, options_of
from benchmarks.results import SuiteResult
from benchmarks.suites import Options
from turnkit.errors import ConfigError

_ROUNDS = 2


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    asked = options_of(options, 1 if options.quick else _ROUNDS, PEERS)
    try:
        require(asked.subjects)
    except NotInstalled as exc:
        raise ConfigError(str(exc)) from exc

    async def measure(console: Console) -> Result:
        return await peers(
            asked,
            console,
            levels=options.calls or LEVELS,
            turns=options.turns or TURNS,
            quick=options.quick,
            command=options.command,
        )

    return carry_out(measure, "Peers: the same load on other frameworks", console)
