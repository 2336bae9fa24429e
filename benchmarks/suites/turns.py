"""Suite `turns`: how well turns are heard, on labelled speech. `benchmarks.turns` does the work."""

from math import isfinite

import msgspec
import numpy as np
from rich.console import Console

from benchmarks.results import Better, Cell, Metric, SuiteResult, Table
from benchmarks.suites import Options
from benchmarks.terminal import bar
from benchmarks.turns import report, scoring
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.packs import chosen
from benchmarks.turns.score import EAGER_EOT_THRESHOLD
from benchmarks.turns.tasks import LOCAL, Spec, Task, carry_out_all
from turnkit.errors import ConfigError
from turnkit.sources.flux_query import EOT_THRESHOLD, EOT_TIMEOUT_MS, ListenParameters

_QUICK_RECORDINGS = 6
_HIGHER = ("eager lead", "eager precision", "eager recall")
_CAVEATS = [
    (
        "The embedded engine, on the speech it was given. Intervals are 95 % bootstrap intervals "
        "over turns: with a hundred pauses a rate carries some ten points to either side."
    ),
    "For other endpoints and for plots: python -m benchmarks.turns score.",
]


def run(options: Options, console: Console) -> SuiteResult:
    """Score the embedded engine on packs of speech. Raises ConfigError."""
    if not options.audio:
        raise ConfigError(
            "suite turns needs labelled speech: --audio FOLDER with a manifest.json "
            "(benchmarks/turns/README.md says what is in one)"
        )
    recordings = chosen(options.audio, None, None)
    recordings = recordings[:_QUICK_RECORDINGS] if options.quick else recordings
    asked = ListenParameters(
        "flux-general-en",
        "linear16",
        RATE_HZ,
        eager_eot_threshold=EAGER_EOT_THRESHOLD,
        eot_threshold=EOT_THRESHOLD,
        eot_timeout_ms=EOT_TIMEOUT_MS,
    )
    spec, heard = Spec(LOCAL), []
    tasks = [Task(spec, recording, asked, 0, traced=not options.quick) for recording in recordings]
    with bar("turns", len(tasks), console) as progress:
        for one in carry_out_all(tasks):
            heard.append(one)
            progress.advance(1)
    packs = [str(pack) for pack in options.audio]
    given = scoring.report(spec.open().name, asked, packs, 1, heard)
    figures = dict(report.estimates(given.groups[scoring.ALL]))
    return SuiteResult(
        name="turns",
        title="Turns: how well the embedded engine hears where they end",
        metrics=[_metric(name, one) for name, one in figures.items() if isfinite(one.value)],
        tables=[_table(figures)],
        caveats=list(_CAVEATS),
        detail={
            "report": msgspec.json.decode(msgspec.json.encode(given, enc_hook=_arrays)),
        },
    )


def _metric(name: str, figure: Estimate) -> Metric:
    better: Better = "higher" if name.startswith(_HIGHER) else "lower"
    slug = name.replace(" ", "_").replace(",", "")
    return Metric(f"turns.{slug}", _unit(name), [[figure.value]], better, exact=True)


def _unit(name: str) -> str:
    """Return the unit of a figure, as the report writes it; times are kept in seconds."""
    written = report.told(name, Estimate(1.0, 1.0, 1.0, 1))
    return {" %": "share", " ms": "s"}.get(written.lstrip("0123456789."), "")


def _table(figures: dict[str, Estimate]) -> Table:
    rows: list[list[Cell]] = [
        [name, report.told(name, one), report.interval(name, one), str(one.count)]
        for name, one in figures.items()
    ]
    return Table("All recordings", ["figure", "value", "95 %", "of"], rows)


def _arrays(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise NotImplementedError(type(value).__name__)
