"""The report's sections on the suites of a load: overhead, scale, soak and peers."""

from collections.abc import Iterator

from benchmarks.load.results import BASE, OURS
from benchmarks.report import load_calls, load_turns
from benchmarks.report.html import Section, Tile, tables
from benchmarks.report.load_data import Found
from benchmarks.report.scales import number
from benchmarks.results import SuiteResult


def section(suite: SuiteResult) -> Section:
    """Write the section of a suite whose detail is a load's result."""
    found = Found(suite)
    drawn = ""
    if suite.name == "peers":
        drawn += load_turns.beside(found)
    if found.cases:
        drawn += load_turns.waterfall(found) + load_turns.stages(found)
        drawn += load_turns.distributions(found) + load_turns.barge_in(found)
    if suite.name == "overhead":
        drawn += load_turns.growth(found)
    if len(found.levels) > 1:
        overhead = suite.name == "overhead"
        drawn += load_calls.by_calls(found) if overhead else load_calls.curves(found)
    if suite.name == "soak":
        drawn += load_calls.memory(found)
    if suite.name == "peers":
        drawn += load_turns.footprints(found)
    return Section(
        suite.name, suite.title, drawn + tables(suite.tables), tuple(_tiles(found, suite))
    )


def _tiles(found: Found, suite: SuiteResult) -> Iterator[Tile]:
    ours, limit = found.row(OURS), found.row(BASE)
    if suite.name in ("overhead", "peers") and ours is not None and ours.overhead is not None:
        beside = ""
        if limit is not None and limit.overhead is not None:
            beside = f"; a bare relay adds {number(limit.overhead.p50)}"
        p99 = f"p99 {number(ours.overhead.p99)}"
        tail = "the machine was too busy for a p99" if found.noisy else p99
        said = f"added by turnkit to a turn, median; {tail}{beside}"
        yield Tile(number(ours.overhead.p50), "ms", said, found.command)
    capacity = found.capacity(OURS)
    if capacity.get("calls"):
        beyond = capacity.get("next")
        said = "at once in one process on one core, before p99 rises by 50 ms"
        said += f" (it does at {beyond:.0f})" if beyond else "; more were not tried"
        yield Tile(f"{capacity['calls']:.0f}", "calls", said, found.command)
    if "kib_per_call" in capacity:
        said = "of memory that a call leaves behind, over the second half of the soak"
        yield Tile(number(capacity["kib_per_call"]), "KiB", said, found.command)
