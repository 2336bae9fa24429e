"""Which targets a result holds. Pure but for the reading of `targets.toml`, which says them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from benchmarks.comparison import STATISTICS, value_of
from benchmarks.results import Cell, Metric, Result, Table

_FILE = Path(__file__).with_name("targets.toml")
_FEW = 100
"""Samples, below which a tail is nearly the one slowest: that is said."""
_TAILS = ("p99", "p99.9")


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be reached; `targets.toml` says what the fields mean."""

    says: str
    metric: list[str]
    stat: str = "p50"
    at_most: float | None = None
    at_least: float | None = None
    against: tuple[str, str] | None = None
    times: float = 1.0
    plus: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        if self.stat.replace(".", "") not in STATISTICS:
            raise ValueError(f"{self.says}: there is no figure {self.stat}")
        if self.at_most is not None and self.at_least is not None:
            raise ValueError(f"{self.says}: at_most and at_least")
        if self.against is None and self.at_most is None and self.at_least is None:
            raise ValueError(f"{self.says}: without a limit")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a result stands to a target: its worst figure, and the limit of that."""

    target: Target
    metric: str
    value: float
    limit: float
    unit: str
    samples: int

    @property
    def figure(self) -> str:
        """Which it is."""
        return f"{self.metric}.{self.target.stat}"

    @property
    def held(self) -> bool:
        """Whether it is reached."""
        upward = self.target.at_least is not None
        return self.value >= self.limit if upward else self.value <= self.limit


def targets() -> list[Target]:
    """Return the targets of the project."""
    return msgspec.convert(tomllib.loads(_FILE.read_text("utf-8"))["target"], list[Target])


def standings(result: Result, wanted: Sequence[Target]) -> list[Standing]:
    """Return how a result stands to each target that it has figures for, in the targets' order."""
    metrics = result.metrics
    found = []
    for target in wanted:
        judged = list(_judged(target, metrics))
        if judged:
            upward = target.at_least is not None
            worst = min if upward else max
            found.append(worst(judged, key=_share))
    return found


def _judged(target: Target, metrics: Mapping[str, Metric]) -> Iterator[Standing]:
    stat = target.stat.replace(".", "")
    for name, metric in metrics.items():
        if not metric.samples or not any(fnmatchcase(name, one) for one in target.metric):
            continue
        limit = target.at_most if target.at_most is not None else target.at_least or 0.0
        if target.against is not None:
            other = metrics.get(name.replace(*target.against))
            if other is None or not other.samples:
                continue
            limit = value_of(other.samples, stat) * target.times + target.plus
        value = value_of(metric.samples, stat)
        yield Standing(target, name, value, limit, metric.unit, len(metric.samples))


def _share(one: Standing) -> float:
    """Return how near the limit a figure is, or how far beyond."""
    return one.value / one.limit if one.limit else one.value


def table_of(found: Sequence[Standing]) -> Table:
    """Return what is held and what is missed, for people; the figures' names are left to others."""
    rows: list[list[Cell]] = [
        [
            "held" if one.held else "MISSED",
            one.target.says,
            f"{_sign(one.target)} {_told(one.limit, one.unit)}",
            _told(one.value, one.unit),
        ]
        for one in found
    ]
    few = [one.target.says for one in found if _is_of_few(one)]
    notes = ["Of several figures the worst is shown. The targets are in benchmarks/targets.toml."]
    if few:
        notes.append(f"Of fewer than {_FEW} turns, so nearly their slowest: {'; '.join(few)}.")
    return Table("Targets", ["", "target", "limit", "found"], rows, notes)


def _is_of_few(one: Standing) -> bool:
    return one.target.stat in _TAILS and one.samples < _FEW


def _sign(target: Target) -> str:
    return "≥" if target.at_least is not None else "≤"


def _told(value: float, unit: str) -> str:
    if unit == "share":
        return f"{100 * value:.3g} %"
    return f"{value:.3g} {unit}" if abs(value) < 1000 else f"{value:,.0f} {unit}"
