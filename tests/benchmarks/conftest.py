"""Synthetic results, so that no test has to measure anything."""

import numpy as np
import pytest

from benchmarks.load.figures import suite_of
from benchmarks.load.plan import Plan
from benchmarks.load.results import (
    Counts,
    Footprint,
    Frames,
    Harness,
    Links,
    LoadResult,
    Process,
    Run,
)
from benchmarks.load.stats import summarise
from benchmarks.load.summaries import rows
from benchmarks.results import Machine, Result, SuiteResult, metric

MACHINE = Machine("a processor", 2, 8000, "Linux", "CPython 3.11", 0.1)


def drawn(seed, median, runs=3, samples=300):
    """Log-normal samples of some runs, whose medians differ by a little."""
    chance = np.random.default_rng(seed)
    levels = median * np.exp(chance.normal(0, 0.01, runs))
    return [(level * np.exp(chance.normal(0, 0.2, samples))).tolist() for level in levels]


def result_of(*suites, quick=False):
    return Result(
        "turnkit bench", "2026-01-02T03:04:05+00:00", 1.0, MACHINE, {"turnkit": "0.1.0"},
        list(suites), quick,
    )  # fmt: skip


def suite(name, *metrics, **more):
    return SuiteResult(
        name, name.title(), list(metrics), began="2026-01-02T03:04:05+00:00", seconds=1.0, **more
    )


@pytest.fixture(scope="session")
def measured():
    """Make a result whose one metric has samples of this median, from a seed."""

    def make(seed, median=2.0, name="overhead.turnkit.plain.overhead", **more):
        return result_of(suite("overhead", metric(name, "ms", drawn(seed, median), **more)))

    return make


def _run(subject, calls, round_, factor):
    stages = {"request": 1.2, "synthesis": 0.5, "delivery": 0.4, "overhead": 2.1, "response": 252}
    samples = {
        case: {
            name: drawn(round_, ms * factor, runs=1, samples=60)[0] for name, ms in stages.items()
        }
        for case in ("eager200", "eager400", "plain")
    }
    cut = drawn(round_, 0.7 * factor, runs=1, samples=60)[0]
    cuts = ("clear", "silence", "model_cancelled", "voice_cancelled")
    samples["barge"] = dict.fromkeys(cuts, cut)
    samples["resumed"] = {"resume_cancelled": cut}
    return Run(
        subject=subject,
        calls=calls,
        at_once=float(calls),
        round=round_,
        samples=samples,
        by_turn={
            name: {turn: [2.0 * factor, 2.1 * factor] for turn in (2, 3, 50, 99)}
            for name in ("request", "overhead")
        },
        links=Links([0.0, 0.0, 1.0, 0.0], [0.0] * 4, 20, 5, 0),
        counts=Counts(calls, 0, 300, 300, 0, 0, 20, 300, 5, 5, 0, 0, calls, 1),
        frames=Frames(1000, 0.001, 0, 0.0, summarise([0.1, 0.2]), [0.1, 0.2]),
        process=Process(0.1 * calls * factor, 10.0, 60.0, 60.0 + 0.3 * calls),
        harness=Harness(summarise([0.1] * 10), 0.2, 0.2, 0.0),
        memory_mib=[(0.0, 60.0, 1.0), (5.0, 61.0, 50.0), (9.0, 61.0, 90.0)],
    )


@pytest.fixture(scope="session")
def load():
    """Make a load's result, as `benchmarks.load` does."""

    def make(name, subjects=("relay", "turnkit"), levels=(10,)):
        runs = [
            _run(subject, calls, round_, 0.2 if subject == "relay" else 1.0)
            for calls in levels
            for round_ in (0, 1)
            for subject in subjects
        ]
        return LoadResult(
            suite=name,
            plan=Plan(),
            placement="nothing is pinned",
            subjects={subject: f"what {subject} is" for subject in subjects},
            versions={subject: {"python": "3.11"} for subject in subjects},
            runs=runs,
            rows=rows(runs),
            calls=levels[0] if name == "overhead" else 0,
            capacity={
                s: {"calls": 50.0, "next": 100.0, "base_ms": 3.0, "cpu_share_per_call": 0.01,
                    "kib_per_call": 0.5}
                for s in subjects
            } if name != "overhead" else {},
            footprints=[Footprint("turnkit", 88.0, 30, 0.15, 500, 0.9, 60.0)]
            if name == "peers" else [],
        )  # fmt: skip

    return make


@pytest.fixture(scope="session")
def loaded(load):
    """Make a load's result into a suite's."""
    return lambda name, **more: suite_of(load(name, **more), name.title())
