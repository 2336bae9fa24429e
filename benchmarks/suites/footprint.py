"""Suite `footprint`: what turnkit costs before the first call: imports, the start, what is there.

Imports and the server are those of the interpreter that runs this; each time is a new process. What
is installed is looked at in an environment that has turnkit without an extra, and nothing else
(`turnkit bench --install footprint` makes it).
"""

import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import msgspec
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
from rich.console import Console

from benchmarks.load.environments import ENVIRONMENTS, Installed
from benchmarks.results import Cell, Metric, SuiteResult, Table, metric
from benchmarks.suites import Options
from benchmarks.terminal import bar
from turnkit.errors import TurnkitError

IMPORTS = {"turnkit": "import turnkit", "agent": "from turnkit import Agent"}
_BASE = "turnkit-base"
_TIMES, _QUICK_TIMES = 20, 4
_LARGEST = 12
_READY_LIMIT_S = 30.0
_LOOK_S = 0.002
_TIMED = """
import sys, time
wall, cpu, before = time.perf_counter(), time.process_time(), len(sys.modules)
{statement}
print([1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu),
       len(sys.modules) - before])
"""
_SERVE = "import sys; from turnkit.cli import main; sys.argv[0] = 'turnkit'; main()"
_AGENT = """
from turnkit import Agent


class Echo(Agent):
    async def reply(self, turn):
        yield turn.text
"""
_CAVEATS = [
    "Files are in the page cache: the first start after the machine's own takes longer.",
    "Imports are timed within a process, so without the start of Python itself.",
    "The server is timed from its process's start to the first connection that it takes.",
    "Installed is what pip leaves behind: the packages' files, and the bytecode that it compiles.",
]


@dataclass(frozen=True, slots=True)
class Start:
    """A start of the server."""

    ready_ms: float
    mib: float


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises TurnkitError where turnkit itself cannot be imported or started."""
    times = options.rounds or (_QUICK_TIMES if options.quick else _TIMES)
    imports: dict[str, list[tuple[float, float, int]]] = {name: [] for name in IMPORTS}
    starts = list[Start]()
    with (
        TemporaryDirectory() as folder,
        bar("footprint", times * (len(IMPORTS) + 1), console) as progress,
    ):
        Path(folder, "agent.py").write_text(_AGENT, encoding="utf-8")
        for number in range(times + 1):  # the first time, files are read and bytecode is written
            for name, statement in IMPORTS.items():
                taken = _import(statement)
                if number:
                    imports[name].append(taken)
                    progress.advance(1)
            started = _start(Path(folder))
            if number:
                starts.append(started)
                progress.advance(1)
    environment = ENVIRONMENTS[_BASE]
    installed = environment.packages() if environment.ready else []
    caveats = list(_CAVEATS)
    if not installed:
        caveats.insert(0, "What is installed was not looked at: turnkit bench --install footprint.")
    return SuiteResult(
        name="footprint",
        title="Footprint: before the first call",
        metrics=[*_times(imports, starts), *_sizes(installed)],
        tables=[_time_table(imports, starts), *([_size_table(installed)] if installed else [])],
        caveats=caveats,
        detail={"installed": msgspec.to_builtins(installed)},
    )


def _import(statement: str) -> tuple[float, float, int]:
    """Return milliseconds, those of processor time, and modules."""
    command = [sys.executable, "-c", _TIMED.format(statement=statement)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, text=True)
    if done.returncode:
        raise TurnkitError(f"`{statement}` failed: {done.stderr[-400:]}")
    return msgspec.json.decode(done.stdout, type=tuple[float, float, int])


def _start(folder: Path) -> Start:
    """Start `turnkit serve`, and end it once it takes connections."""
    port = _free_port()
    command = [sys.executable, "-c", _SERVE, "serve", "agent.py", "--port", str(port)]
    log = Path(folder, "log")
    began_at = monotonic()
    with (
        log.open("wb") as said,
        subprocess.Popen(command, cwd=folder, stdout=said, stderr=said) as process,
    ):
        try:
            while not _accepts(port):
                if process.poll() is not None or monotonic() > began_at + _READY_LIMIT_S:
                    raise TurnkitError(
                        f"turnkit serve took no connection: {log.read_text()[-400:]}"
                    )
                sleep(_LOOK_S)
            ready_ms = (monotonic() - began_at) * 1000
            return Start(ready_ms, psutil.Process(process.pid).memory_info().rss / (1 << 20))
        finally:
            process.kill()


def _accepts(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _times(
    imports: dict[str, list[tuple[float, float, int]]], starts: list[Start]
) -> Iterator[Metric]:
    for name, taken in imports.items():
        yield metric(f"footprint.import.{name}", "ms", [[wall for wall, _, _ in taken]])
        yield metric(f"footprint.import.{name}.cpu", "ms", [[cpu for _, cpu, _ in taken]])
    yield metric("footprint.serve.ready", "ms", [[start.ready_ms for start in starts]])
    yield metric("footprint.serve.memory", "MiB", [[start.mib for start in starts]])


def _sizes(installed: list[Installed]) -> Iterator[Metric]:
    if installed:
        total, shipped = _totals(installed)
        yield metric("footprint.installed.total", "MB", [[total]], exact=True)
        yield metric("footprint.installed.shipped", "MB", [[shipped]], exact=True)


def _totals(installed: list[Installed]) -> tuple[float, float]:
    """Return megabytes with bytecode, and without."""
    sums = Counter[str]()
    for one in installed:
        sums.update(shipped=one.shipped_bytes, bytecode=one.bytecode_bytes)
    return (sums["shipped"] + sums["bytecode"]) / 1e6, sums["shipped"] / 1e6


def _time_table(imports: dict[str, list[tuple[float, float, int]]], starts: list[Start]) -> Table:
    rows: list[list[Cell]] = []
    for name, taken in imports.items():
        wall, cpu = (sorted(one[place] for one in taken) for place in (0, 1))
        middle = len(taken) // 2
        figures = [f"{wall[middle]:.0f}", f"{wall[-1]:.0f}", f"{cpu[middle]:.0f}"]
        rows.append([IMPORTS[name], *figures, str(taken[0][2]), "-"])
    ready = sorted(start.ready_ms for start in starts)
    mib = sorted(start.mib for start in starts)[len(starts) // 2]
    shown = [f"{ready[len(ready) // 2]:.0f}", f"{ready[-1]:.0f}"]
    rows.append(["turnkit serve, ready", *shown, "-", "-", f"{mib:.0f}"])
    columns = ["what", "median ms", "slowest", "CPU ms", "modules", "MiB then"]
    return Table(f"Starting, {len(starts)} times", columns, rows)


def _size_table(installed: list[Installed]) -> Table:
    ordered = sorted(installed, key=lambda one: -one.bytes)
    rows: list[list[Cell]] = [
        [one.name, one.version, _mb(one.bytes), _mb(one.shipped_bytes), _mb(one.bytecode_bytes)]
        for one in ordered[:_LARGEST]
    ]
    rest = ordered[_LARGEST:]
    total, shipped = _totals(installed)
    if rest:
        more, bare = _totals(rest)
        shown = [f"{value:.1f}" for value in (more, bare, more - bare)]
        rows.append([f"{len(rest)} others", "", *shown])
    shown = [f"{value:.1f}" for value in (total, shipped, total - shipped)]
    rows.append([f"all {len(installed)}", "", *shown])
    columns = ["package", "version", "MB", "as shipped", "bytecode"]
    return Table("The base installation: pip install turnkit", columns, rows)


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f}"
