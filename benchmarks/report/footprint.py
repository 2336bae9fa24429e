"""The report's section on suite `footprint`."""

from statistics import median

from benchmarks.report.charts import Bar, Segment, bars
from benchmarks.report.html import Section, Tile, figure, for_both, key, tables
from benchmarks.report.scales import number
from benchmarks.results import SuiteResult

_LARGEST = 10


def section(suite: SuiteResult) -> Section:
    """Write it."""
    found = {metric.name: median(metric.samples) for metric in suite.metrics if metric.samples}
    tiles = (
        Tile(
            number(found["footprint.import.turnkit"]),
            "ms",
            f"to import turnkit; its server is ready in {found['footprint.serve.ready']:,.0f} ms",
            suite.command,
        ),
    )
    return Section("footprint", suite.title, _sizes(suite, found) + tables(suite.tables), tiles)


def _sizes(suite: SuiteResult, found: dict[str, float]) -> str:
    """Draw what is installed, package by package."""
    installed = sorted(
        suite.detail["installed"], key=lambda one: -one["shipped_bytes"] - one["bytecode_bytes"]
    )
    if not installed:
        return ""
    total, shipped = (found[f"footprint.installed.{name}"] for name in ("total", "shipped"))
    rest = installed[_LARGEST:]
    others = {
        "name": f"{len(rest)} others",
        "shipped_bytes": sum(one["shipped_bytes"] for one in rest),
        "bytecode_bytes": sum(one["bytecode_bytes"] for one in rest),
    }
    rows = []
    for one in [*installed[:_LARGEST], others]:
        bare, whole = one["shipped_bytes"] / 1e6, 0.0
        whole = bare + one["bytecode_bytes"] / 1e6
        pieces = [
            Segment(0.0, bare, "turnkit", f"as shipped: {bare:.1f} MB"),
            Segment(bare, whole, "wait", f"bytecode: {whole - bare:.1f} MB"),
        ]
        rows.append(Bar(one["name"], pieces, f"{whole:.1f} MB"))
    first = installed[0]
    share = (first["shipped_bytes"] + first["bytecode_bytes"]) / 1e6
    return figure(
        f"pip install turnkit takes {total:.0f} MB, of which {share:.0f} are {first['name']}",
        f"{shipped:.0f} MB come in packages; pip compiles the rest, bytecode, when it installs.",
        key([("turnkit", "as shipped"), ("wait", "bytecode")])
        + for_both(lambda width: bars(rows, "MB", width, says="What is installed")),
    )
