"""The report's section on suite `micro`."""

from statistics import median

from benchmarks.report.charts import Bar, Segment, bars
from benchmarks.report.html import Section, Tile, figure, for_both, tables
from benchmarks.report.scales import number
from benchmarks.results import SuiteResult

_TILE = "machine.event"


def section(suite: SuiteResult) -> Section:
    """Write it."""
    times = {
        metric.name.removeprefix("micro."): median(metric.samples)
        for metric in suite.metrics
        if metric.unit == "us" and metric.samples
    }
    ratios = {
        metric.name.removeprefix("micro.").removesuffix(".ratio"): median(metric.samples)
        for metric in suite.metrics
        if metric.unit == "x" and metric.samples
    }
    rows = [
        Bar(
            name,
            [Segment(0.0, us, "relay" if name not in ratios else "turnkit", f"{us:.3g} us")],
            f"{number(us)} us" + (f", {number(ratios[name])} x" if name in ratios else ""),
        )
        for name, us in sorted(times.items(), key=lambda item: item[1])
    ]
    if not rows:
        return Section("micro", suite.title, tables(suite.tables))
    frames = sum(us for name, us in times.items() if name.startswith("frame.twilio"))
    body = figure(
        f"A 20 ms frame of a call takes {number(frames)} us, in and out: "
        f"{frames / 20_000:.2%} of its own length",
        "Medians; x is against the reference operation of the same run, which travels better "
        "between machines than microseconds do.",
        for_both(lambda width: bars(rows, "us", width, says="What single steps cost")),
    )
    tile = (
        (
            Tile(
                number(times[_TILE]),
                "us",
                "an event takes to become commands",
                "turnkit bench micro",
            ),
        )
        if _TILE in times
        else ()
    )
    return Section("micro", suite.title, body + tables(suite.tables), tile)
