"""Whether one run is worse than another, beyond chance. Pure.

A rule is `PATTERN.STAT>LIMIT`: it is broken where a metric's figure has got worse by more than the
limit, and chance does not explain it.

    overhead.turnkit.p99>5%        every metric that begins with overhead.turnkit, its p99, by 5 %
    policy.*.response.mean>2ms     by 2 in the metric's own unit, whatever it is called
    micro>10%                      the median, where no figure is named

Worse is up, or down for metrics of which more is better (capacity). The interval of the change
comes from a two-stage bootstrap: runs are resampled, then samples within each (Davison and Hinkley,
Bootstrap Methods and Their Application, 1997, section 3.8), on the logarithm of the ratio. So that
many rules do not make a false alarm likely, it is as wide as Bonferroni's correction asks for.
Metrics without chance (`exact`) have no interval: any change is one.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from math import copysign, inf, isfinite
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from rich import box
from rich.table import Table
from rich.text import Text

from benchmarks.results import Better, Metric, Result
from turnkit.errors import ConfigError

Floats = npt.NDArray[np.float64]
Statistic = Callable[..., Floats]

STATISTICS: dict[str, Statistic] = {
    **{f"p{p:g}".replace(".", ""): partial(np.percentile, q=p) for p in (50, 90, 95, 99, 99.9)},
    "mean": np.mean,
    "max": np.max,
}
_DEFAULT = "p50"
_RULE = re.compile(
    r"(?P<pattern>[^<>\s]+)\s*>\s*(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>%|[^\d\s%]\S*)?"
)
_RESAMPLES = 1000
_CONFIDENCE = 0.95
_FEWEST = 5
"""Samples of a metric, below which there is no interval and nothing is said of chance."""
_MOST = 5000
"""Of more samples of a run, evenly spread ones stand for all: the interval is narrow as it is."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Rule:
    """What may not get worse, and by how much."""

    text: str
    pattern: str
    statistic: str
    limit: float
    relative: bool

    def covers(self, name: str) -> bool:
        """Tell whether a metric is meant: by its beginning, or by a pattern for all of its name."""
        return name == self.pattern or any(
            fnmatchcase(name, pattern) for pattern in (self.pattern, f"{self.pattern}.*")
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a metric's figure, from the base to now."""

    metric: str
    statistic: str
    unit: str
    base: float
    now: float
    low: float
    """The interval of the change, in the unit; equal ends where there is no chance."""
    high: float
    better: Better
    rule: Rule | None = None
    """Which it was held against; None: it is only shown."""
    failed: bool = False
    sure: bool = True
    """Whether there were samples enough for an interval."""

    @property
    def change(self) -> float:
        """Now against the base, as a share; more than 0 is more."""
        if self.now == self.base:
            return 0.0
        return (self.now - self.base) / abs(self.base) if self.base else copysign(inf, self.now)

    @property
    def differs(self) -> bool:
        """Whether there is a change, beyond chance."""
        return self.sure and (self.low > 0 or self.high < 0)


def parse_rule(text: str) -> Rule:
    """Read a rule. Raises ConfigError."""
    found = _RULE.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"--fail-on {text}: write PATTERN.STAT>LIMIT, such as overhead.turnkit.p99>5% or "
            f"micro>0.2us; STAT is one of {', '.join(STATISTICS)}"
        )
    pattern, _, last = found["pattern"].rpartition(".")
    statistic = last.replace(".", "")
    if found["pattern"].endswith(".p99.9"):
        pattern, statistic = found["pattern"].removesuffix(".p99.9"), "p999"
    if statistic not in STATISTICS:
        pattern, statistic = found["pattern"], _DEFAULT
    relative = found["unit"] == "%"
    limit = float(found["limit"]) / (100 if relative else 1)
    return Rule(text, pattern, statistic, limit, relative)


def compare(base: Result, now: Result, rules: Sequence[Rule]) -> list[Verdict]:
    """Judge every metric that both have and a rule covers; without rules all, failing none.

    Raises ConfigError where a rule covers nothing, or the results cannot be compared.
    """
    before, after = base.metrics, now.metrics
    both = [name for name in after if name in before]
    if not both:
        raise ConfigError("the base has no figure in common with this run: run the same suites")
    if base.quick != now.quick:
        raise ConfigError("one run is --quick and the other is not: their figures differ by that")
    pairs = list(_pairs(rules, both)) if rules else [(None, name) for name in both]
    level = 1 - (1 - _CONFIDENCE) / max(1, sum(not after[name].exact for _, name in pairs))
    return [_judge(before[name], after[name], rule, level) for rule, name in pairs]


def _pairs(rules: Iterable[Rule], names: Sequence[str]) -> Iterable[tuple[Rule, str]]:
    for rule in rules:
        covered = [name for name in names if rule.covers(name)]
        if not covered:
            raise ConfigError(
                f"--fail-on {rule.text}: no metric of both runs is called {rule.pattern}; "
                f"there are {', '.join(names[:5])}, ..."
            )
        for name in covered:
            yield rule, name


def _judge(base: Metric, now: Metric, rule: Rule | None, level: float) -> Verdict:
    statistic = rule.statistic if rule else _DEFAULT
    if base.unit != now.unit:
        raise ConfigError(f"{now.name} is in {base.unit} in the base and in {now.unit} in this run")
    of = STATISTICS[statistic]
    before, after = (_value(one.samples, of) for one in (base, now))
    sure = now.exact or min(len(base.samples), len(now.samples)) >= _FEWEST
    low, high = _interval(base, now, of, level) if sure and not now.exact else (after - before,) * 2
    failed = False
    if rule is not None and sure and now.better != "neither" and isfinite(before):
        allowed = rule.limit * abs(before) if rule.relative else rule.limit
        worse_at_least = low if now.better == "lower" else -high
        failed = worse_at_least > allowed
    return Verdict(
        metric=now.name,
        statistic=statistic,
        unit=now.unit,
        base=before,
        now=after,
        low=low,
        high=high,
        better=now.better,
        rule=rule,
        failed=failed,
        sure=sure,
    )


def value_of(samples: Sequence[float], statistic: str) -> float:
    """Return a figure of samples: one of `STATISTICS`; not a number where there are none."""
    return _value(samples, STATISTICS[statistic])


def _value(samples: Sequence[float], of: Statistic) -> float:
    return float(of(np.asarray(samples, float))) if samples else float("nan")


def _interval(base: Metric, now: Metric, of: Statistic, level: float) -> tuple[float, float]:
    """Return between which the change lies, in the unit.

    Where all is positive it is found for the ratio, whose distribution is nearer the normal one.
    """
    before, after = _resampled(base.runs, of, seed=0), _resampled(now.runs, of, seed=1)
    was, is_ = _value(base.samples, of), _value(now.samples, of)
    ratio = bool(min(before.min(), after.min(), was, is_) > 0)
    changes = np.log(after / before) if ratio else after - before
    point = float(np.log(is_ / was)) if ratio else is_ - was
    reach = NormalDist().inv_cdf(0.5 + level / 2) * float(changes.std(ddof=1))
    tails = np.percentile(changes, [50 * (1 - _CONFIDENCE), 100 - 50 * (1 - _CONFIDENCE)])
    low, high = min(point - reach, float(tails[0])), max(point + reach, float(tails[1]))
    return (was * (np.exp(low) - 1), was * (np.exp(high) - 1)) if ratio else (low, high)


def _resampled(runs: Sequence[Sequence[float]], of: Statistic, seed: int) -> Floats:
    """Return the statistic of samples drawn anew: runs first, then samples within each."""
    values = [np.asarray(run, float)[:: -(-len(run) // _MOST)] for run in runs if run]
    chance = np.random.default_rng([seed, len(values)])
    found = np.empty(_RESAMPLES)
    for place in range(_RESAMPLES):
        drawn = [values[n] for n in chance.integers(len(values), size=len(values))]
        found[place] = of(np.concatenate([chance.choice(run, len(run)) for run in drawn]))
    return found


def headline(verdicts: Sequence[Verdict]) -> str:
    """Say in a line how many figures changed, and how many are worse than allowed."""
    changed = sum(verdict.failed or verdict.differs for verdict in verdicts)
    failed = sum(verdict.failed for verdict in verdicts)
    unsure = sum(not verdict.sure for verdict in verdicts)
    said = f"against the base: {len(verdicts)} figures, {changed} changed beyond chance"
    few = f", {unsure} of too few samples to tell" if unsure else ""
    return f"{said}, {failed} worse than allowed{few}"


def judged_table(verdicts: Sequence[Verdict]) -> Table:
    """Return the comparison as a table: what is worse than allowed, then what changed."""
    ordered = sorted(verdicts, key=lambda v: not v.failed)
    shown = [v for v in ordered if v.failed or v.differs]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in COLUMNS:
        words = name in ("metric", "")
        table.add_column(name, justify="left" if words else "right", overflow="fold")
    for verdict in shown[:_SHOWN]:
        style = "red" if verdict.failed else ""
        table.add_row(*(Text(cell, style=style) for cell in cells(verdict)))
    return table


COLUMNS = ("metric", "base", "now", "change", "interval of the change", "")


def cells(verdict: Verdict) -> list[str]:
    """Write a verdict: metric, base, now, change, interval, and what is to be said of it."""
    unit = verdict.unit
    interval = f"{verdict.low:+.3g} to {verdict.high:+.3g} {unit}"
    if verdict.low == verdict.high:
        interval = "exact"
    if not verdict.sure:
        interval = f"none: fewer than {_FEWEST} samples"
    said = "" if not verdict.differs else "changed"
    if verdict.failed and verdict.rule is not None:
        said = f"WORSE than {verdict.rule.text}"
    return [
        f"{verdict.metric}.{verdict.statistic}",
        f"{verdict.base:.4g} {unit}",
        f"{verdict.now:.4g} {unit}",
        f"{verdict.change:+.1%}" if isfinite(verdict.change) else "new",
        interval,
        said,
    ]
