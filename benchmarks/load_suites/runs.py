"""What the suites of the load have in common: from options to a load's, and its errors to ours."""

from collections.abc import Awaitable, Callable

import anyio
from rich.console import Console

from benchmarks.load.ends import ENDS
from benchmarks.load.processes import LoadFailed
from benchmarks.load.results import Result
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.suite import Options as LoadOptions
from benchmarks.load_suites.adapter import suite_of
from benchmarks.results import SuiteResult
from benchmarks.suites import Options
from turnkit.errors import ConfigError, TurnkitError


def options_of(options: Options, rounds: int, subjects: tuple[str, ...]) -> LoadOptions:
    """Return a load's options; `rounds` and `subjects` unless others were asked for.

    Raises ConfigError.
    """
    subjects = options.subjects or subjects
    for name in subjects:
        if name not in SUBJECTS:
            raise ConfigError(f"there is no subject {name!r}; choose from {', '.join(SUBJECTS)}")
    if options.end not in ENDS:
        raise ConfigError(f"there is no far end {options.end!r}; choose from {', '.join(ENDS)}")
    options.logs.mkdir(parents=True, exist_ok=True)
    return LoadOptions(
        subjects=subjects,
        end=options.end,
        rounds=options.rounds or rounds,
        realtime=options.realtime,
        logs=options.logs.resolve(),
    )


def carry_out(
    load: Callable[[Console], Awaitable[Result]], title: str, console: Console
) -> SuiteResult:
    """Run a load. Raises TurnkitError where it could not be run."""
    try:
        result = anyio.run(load, console)
    except* LoadFailed as group:
        raise TurnkitError(str(_first(group))) from None
    return suite_of(result, title)


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
