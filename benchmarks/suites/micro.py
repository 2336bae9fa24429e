"""Suite `micro`: runs `benchmarks/micro` under pytest-benchmark, and reads what it wrote."""

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import msgspec
from rich.console import Console

from benchmarks.results import Cell, Metric, SuiteResult, Table, metric
from benchmarks.suites import Options
from benchmarks.terminal import bar
from turnkit.errors import TurnkitError

_ROOT = Path(__file__).resolve().parents[2]
_STEPS = _ROOT / "benchmarks" / "micro"
_REFERENCE = "reference"
_PASSES, _QUICK_PASSES = 5, 2
_SECONDS, _QUICK_SECONDS = 0.3, 0.1
"""Of each benchmark, in each pass."""
_COLLECTED = re.compile(r"collected (\d+) items")
_MOST_SAMPLES = 300
"""Of a pass: evenly spread ones of more."""
_LIMIT_S = 300.0

_CAVEATS = [
    "Each pass is a process of its own: what differs from process to process is between passes.",
    (
        "Microseconds are this machine's; ratios to the reference operation (a TurnInfo of "
        "eighteen words through the standard library's json, both ways) travel better."
    ),
    "Steps alone, with warm caches: a call in a busy process pays more. See overhead and scale.",
]


class _Stats(msgspec.Struct):
    data: list[float]


class _Benchmark(msgspec.Struct):
    name: str
    stats: _Stats
    extra_info: dict[str, float] = {}


class _File(msgspec.Struct):
    benchmarks: list[_Benchmark]


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises TurnkitError where the benchmarks themselves fail."""
    passes = options.rounds or (_QUICK_PASSES if options.quick else _PASSES)
    seconds = _QUICK_SECONDS if options.quick else _SECONDS
    runs: dict[str, list[list[float]]] = defaultdict(list)
    with bar("micro", passes, console) as progress:
        for number in range(passes):
            for name, samples in _pass(seconds, progress.advance).items():
                runs[name].append(samples)
            progress.reach(number + 1)
    return suite_of(runs)


def suite_of(runs: Mapping[str, Sequence[Sequence[float]]]) -> SuiteResult:
    """Make a result of each benchmark's seconds in each pass."""
    metrics = metrics_of(runs)
    return SuiteResult(
        name="micro",
        title="Micro: what single steps cost",
        metrics=metrics,
        tables=[_table(metrics)],
        caveats=list(_CAVEATS),
        detail={"reference": f"micro.{_REFERENCE}"},
    )


def metrics_of(runs: Mapping[str, Sequence[Sequence[float]]]) -> list[Metric]:
    """Return times in microseconds, and their ratios to the reference of the same pass.

    Args:
        runs: of each benchmark, the seconds of each pass.
    """
    references = [median(samples) for samples in runs[_REFERENCE]]
    found = []
    for name, passes in runs.items():
        found.append(metric(f"micro.{name}", "us", [[s * 1e6 for s in one] for one in passes]))
        if name != _REFERENCE:
            both = zip(passes, references, strict=True)
            ratios = [[s / reference for s in one] for one, reference in both]
            found.append(metric(f"micro.{name}.ratio", "x", ratios))
    return found


def _pass(seconds: float, advance: Callable[[float], None]) -> dict[str, list[float]]:
    """Run all benchmarks once, in a process of their own; return each one's samples in seconds."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "benchmarks.json"
        command = [sys.executable, "-m", "pytest", str(_STEPS), "-v", "--import-mode=importlib"]
        command += ["-c", os.devnull, f"--rootdir={_ROOT}", "-p", "no:cacheprovider"]
        command += ["-p", "no:turnkit_pytest", f"--benchmark-json={file}", "--benchmark-warmup=on"]
        command += [f"--benchmark-max-time={seconds}", "--benchmark-min-rounds=20"]
        said = list[str]()
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout is not None
            steps = 0
            for line in process.stdout:
                said.append(line)
                if collected := _COLLECTED.search(line):
                    steps = int(collected[1])
                if steps and "PASSED" in line:
                    advance(1 / steps)
            status = process.wait(_LIMIT_S)
        if status or not file.exists():
            raise TurnkitError(f"the micro benchmarks failed:\n{''.join(said[-15:])}")
        found = msgspec.json.decode(file.read_bytes(), type=_File).benchmarks
    return {_name(one.name): _samples(one) for one in found}


def _name(test: str) -> str:
    """Return a metric's name: `test_frame_twilio_in` is `frame.twilio_in`, `[2]` is `.2`."""
    family, _, rest = test.removeprefix("test_").partition("_")
    step = rest.replace("[", ".").removesuffix("]")
    return f"{family}.{step}" if step else family


def _samples(one: _Benchmark) -> list[float]:
    data, share = one.stats.data, one.extra_info.get("divide_by", 1)
    return [seconds / share for seconds in data[:: -(-len(data) // _MOST_SAMPLES)]]


def _table(metrics: Sequence[Metric]) -> Table:
    by_name = {one.name: one for one in metrics}
    rows: list[list[Cell]] = []
    for name, one in by_name.items():
        summary = one.summary
        if one.unit != "us" or summary is None:
            continue
        ratio = by_name.get(f"{name}.ratio")
        against = f"{median(ratio.samples):.2f}" if ratio is not None else "1"
        figures = [f"{value:.2f}" for value in (summary.p50, summary.p99)]
        rows.append([name.removeprefix("micro."), *figures, against])
    return Table("Microseconds, and against the reference", ["step", "p50", "p99", "x"], rows)
