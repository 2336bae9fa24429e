"""A load suite's figures, by place: what its section of the report draws. Pure."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from benchmarks.load.figures import is_noisy
from benchmarks.load.plan import CASES
from benchmarks.load.results import BASE, OURS, LoadResult, Row, subject_of
from benchmarks.report.charts import Series
from benchmarks.results import Metric, SuiteResult

COLOURS = (OURS, BASE, "pipecat", "livekit")


def colour(entry: str) -> str:
    """Return the colour that stands for a subject, however it is run."""
    subject = subject_of(entry)
    return subject if subject in COLOURS else "other"


class Found:
    """The figures."""

    def __init__(self, suite: SuiteResult) -> None:
        self.suite = suite.name
        self.command = suite.command or f"turnkit bench {suite.name}"
        self.load: LoadResult = msgspec.convert(suite.detail, LoadResult)
        self.rows: list[Row] = self.load.rows
        self._all = list(dict.fromkeys(row.subject for row in self.rows))
        self._metrics: dict[str, Metric] = {metric.name: metric for metric in suite.metrics}

    @property
    def noisy(self) -> bool:
        """Whether the machine was so busy that tails say nothing."""
        return is_noisy(self.rows)

    @property
    def entries(self) -> list[str]:
        """All that were run with as many calls as count most."""
        return list(dict.fromkeys(row.subject for row in self.rows if row.calls == self.calls))

    @property
    def levels(self) -> list[int]:
        """Numbers of calls."""
        return sorted({row.calls for row in self.rows})

    @property
    def calls(self) -> int:
        """Those that count most: what the suite says, or the fewest."""
        return self.load.calls if self.load.calls in self.levels else self.levels[0]

    @property
    def cases(self) -> list[str]:
        """Those whose samples are among the metrics."""
        return [
            case
            for case in CASES
            if any(self.samples(entry, case, "overhead") for entry in self.entries)
        ]

    def samples(self, entry: str, case: str, measure: str) -> list[float]:
        """Return a kind of turn's samples, with as many calls as count most."""
        return self.named(f"{entry}.{case}.{measure}") or self.named(
            f"{entry}.{self.calls}.{case}.{measure}"
        )

    def named(self, name: str) -> list[float]:
        """Return a metric's samples; none if it is not there."""
        metric = self._metrics.get(f"{self.suite}.{name}")
        return metric.samples if metric is not None else []

    def p50(self, entry: str, case: str, measure: str) -> float:
        """Return the median of such samples; 0 of none."""
        samples = self.samples(entry, case, measure)
        return float(np.median(samples)) if samples else 0.0

    def of_case(self, case: str) -> list[str]:
        """Return the entries that had turns of a kind."""
        return [entry for entry in self.entries if self.samples(entry, case, "overhead")]

    def row(self, entry: str) -> Row | None:
        """Return what an entry came to, with as many calls as count most."""
        place = entry, self.calls
        return next((row for row in self.rows if (row.subject, row.calls) == place), None)

    def capacity(self, entry: str) -> dict[str, Any]:
        """Return how far an entry goes; nothing if that was not looked at."""
        return self.load.capacity.get(entry, {})

    def series(self, entry: str, points: Sequence[tuple[float, float]]) -> Series:
        """Return an entry's points, in its subject's colour."""
        alike = [one for one in self._all if subject_of(one) == subject_of(entry)]
        return Series(entry, colour(entry), points, alike.index(entry))
