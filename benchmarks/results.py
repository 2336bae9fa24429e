"""What `turnkit bench` writes down: one JSON schema for all suites. See docs/benchmarks.md.

A `Result` is the file. It holds a `SuiteResult` for each suite that ran; a suite's figures are its
`metrics`, each with the raw samples, so that another run can be held against them; its `tables` are
what is printed; its `detail` is what only that suite knows and the report draws.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from benchmarks.load.stats import Summary, summarise
from turnkit.errors import ConfigError

SCHEMA = "turnkit.bench/2"

Better: TypeAlias = Literal["lower", "higher", "neither"]
Cell: TypeAlias = str | float | None

_DIGITS = 4
"""Samples are rounded to so many places: a tenth of a microsecond, where they are milliseconds."""


class Metric(msgspec.Struct, frozen=True):
    """One figure, as measured."""

    name: str
    """Dotted, the suite first: `overhead.turnkit.plain.delivery`."""
    unit: str
    """Of the samples: ms, us, MiB, s/call-minute, calls, x (a ratio), share, or whatever it is."""
    runs: list[list[float]]
    """Samples, a list for each run: what differs from run to run is not in any one of them."""
    better: Better = "lower"
    exact: bool = False
    """Whether there is no chance in it: the same everywhere, so that any change is a change."""

    @property
    def samples(self) -> list[float]:
        """All of them."""
        return [sample for run in self.runs for sample in run]

    @property
    def summary(self) -> Summary | None:
        """Percentiles and their intervals; None of nothing."""
        return summarise(self.samples)


class Table(msgspec.Struct, frozen=True):
    """Figures as people read them: the first columns that are words are the rows' names."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    notes: list[str] = []


class SuiteResult(msgspec.Struct):
    """What one suite found out."""

    name: str
    title: str
    metrics: list[Metric]
    tables: list[Table] = []
    failures: list[str] = []
    """What must never be and was; the run fails over it."""
    caveats: list[str] = []
    detail: Any = None
    """What only this suite knows; of a load a `LoadResult` (`benchmarks.load.results`)."""
    command: str = ""
    """What measures it again, alone. This and the next two are filled in by who runs the suite."""
    began: str = ""
    """ISO 8601."""
    seconds: float = 0.0


class Machine(msgspec.Struct, frozen=True):
    """Where it was run."""

    cpu: str
    cores: int
    memory_mib: int
    system: str
    python: str
    loadavg: float
    """Of the minute before the run: what else the machine was doing."""


class Result(msgspec.Struct):
    """The file."""

    command: str
    began: str
    """ISO 8601."""
    seconds: float
    machine: Machine
    versions: dict[str, str]
    """Of turnkit and of the packages the figures depend on."""
    suites: list[SuiteResult]
    quick: bool = False
    """Whether it was a rough run, whose figures are not to be quoted."""
    schema: str = SCHEMA

    @property
    def metrics(self) -> dict[str, Metric]:
        """All metrics by name."""
        return {metric.name: metric for suite in self.suites for metric in suite.metrics}

    @property
    def failures(self) -> list[str]:
        """What must never be and was, in any suite."""
        return [f"{suite.name}: {failure}" for suite in self.suites for failure in suite.failures]


def metric(
    name: str,
    unit: str,
    runs: Iterable[Iterable[float]],
    *,
    better: Better = "lower",
    exact: bool = False,
) -> Metric:
    """Make a metric, its samples rounded to what they are worth."""
    rounded = [[round(float(sample), _DIGITS) for sample in run] for run in runs]
    return Metric(name, unit, rounded, better, exact)


def write(result: Result, path: Path) -> None:
    """Write the file, whole or not at all. Raises ConfigError."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(result) + b"\n")
        part.replace(path)
    except OSError as exc:
        raise ConfigError(f"cannot write {path}: {exc.strerror or exc}") from exc


def read(path: Path) -> Result:
    """Read a file that `write` wrote. Raises ConfigError."""
    try:
        result = msgspec.json.decode(path.read_bytes(), type=Result)
    except OSError as exc:
        raise ConfigError(f"cannot read {path}: {exc.strerror or exc}") from exc
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise ConfigError(f"{path} is not a result of `turnkit bench`: {exc}") from exc
    if result.schema != SCHEMA:
        raise ConfigError(
            f"{path} has schema {result.schema!r}; this turnkit reads {SCHEMA!r}: "
            "run `turnkit bench` with this version to get a base"
        )
    return result


def merged(results: Sequence[Result]) -> Result:
    """Return one result of several, for suites that were run apart; of one suite the last counts.

    Command, machine and versions are those of the first.
    """
    first = results[0]
    suites = {suite.name: suite for result in results for suite in result.suites}
    commands = list(dict.fromkeys(result.command for result in results))
    return msgspec.structs.replace(
        first,
        command="\n".join(commands),
        seconds=sum(result.seconds for result in results),
        suites=list(suites.values()),
        quick=any(result.quick for result in results),
    )
