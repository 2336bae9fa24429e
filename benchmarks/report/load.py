"""The report's sections on the suites of a load: overhead, scale, soak and peers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import msgspec
import numpy as np

from benchmarks.load.plan import CASES
from benchmarks.load.results import Row
from benchmarks.load_suites.adapter import is_noisy
from benchmarks.report.charts import Axes, Bar, Segment, Series, bars, lines, percentiles
from benchmarks.report.html import Section, Tile, figure, for_both, key, panels, tables
from benchmarks.report.scales import number
from benchmarks.report.svg import element, text
from benchmarks.results import Metric, SuiteResult

_COLOURS = ("turnkit", "relay", "pipecat", "livekit")
_OURS, _LIMIT = _BOTH = "turnkit", "relay"
_STAGES = ("request", "synthesis", "delivery")
_WATERFALL = "plain"
_WORSE_MS = 50.0
_CUTS = {
    "clear": "the order to be silent is with the caller",
    "silence": "the last audible byte",
    "model_cancelled": "the model is told",
    "voice_cancelled": "the voice is told",
}


def section(suite: SuiteResult) -> Section:
    """Write the section of a suite whose detail is a load's result."""
    found = _Found(suite)
    drawn = ""
    if suite.name == "peers":
        drawn += _beside(found)
    if found.cases:
        drawn += _waterfall(found) + _stages(found) + _percentiles(found) + _barge_in(found)
    if len(found.levels) > 1:
        drawn += _curves(found)
    if suite.name == "soak":
        drawn += _memory(found)
    return Section(
        suite.name, suite.title, drawn + tables(suite.tables), tuple(_tiles(found, suite))
    )


def colour(subject: str) -> str:
    """Return the colour that stands for a subject, whatever its variant."""
    return next((name for name in _COLOURS if subject.startswith(name)), "other")


class _Found:
    """A load's figures, by place."""

    def __init__(self, suite: SuiteResult) -> None:
        self.suite = suite.name
        self.detail: dict[str, Any] = suite.detail
        self.rows: list[dict[str, Any]] = suite.detail["summaries"]
        self._metrics: dict[str, Metric] = {metric.name: metric for metric in suite.metrics}

    @property
    def noisy(self) -> bool:
        return is_noisy(msgspec.convert(self.rows, list[Row]))

    @property
    def subjects(self) -> list[str]:
        return list(dict.fromkeys(row["subject"] for row in self.rows))

    @property
    def levels(self) -> list[int]:
        return sorted({row["calls"] for row in self.rows})

    @property
    def cases(self) -> list[str]:
        """Those whose samples are among the metrics."""
        return [
            case
            for case in CASES
            if any(self.samples(subject, case, "overhead") for subject in self.subjects)
        ]

    def samples(self, subject: str, case: str, measure: str) -> list[float]:
        """Return a kind of turn's samples, with as few calls as there were."""
        place = f"{subject}.{self.levels[0]}" if self.suite == "peers" else subject
        metric = self._metrics.get(f"{self.suite}.{place}.{case}.{measure}")
        return metric.samples if metric is not None else []

    def p50(self, subject: str, case: str, measure: str) -> float:
        samples = self.samples(subject, case, measure)
        return float(np.median(samples)) if samples else 0.0

    def whole(self, subject: str) -> dict[str, float] | None:
        row = next((row for row in self.rows if row["subject"] == subject), None)
        return row["overhead"] if row is not None else None


def _tiles(found: _Found, suite: SuiteResult) -> Iterator[Tile]:
    command = str(found.detail.get("command") or f"turnkit bench {suite.name}")
    whole, limit = found.whole(_OURS), found.whole(_LIMIT)
    if suite.name in ("overhead", "peers") and whole is not None:
        beside = f"; a bare relay adds {number(limit['p50'])}" if limit is not None else ""
        tail = (
            "the machine was too busy for a p99" if found.noisy else f"p99 {number(whole['p99'])}"
        )
        said = f"added by turnkit to a turn, median; {tail}{beside}"
        yield Tile(number(whole["p50"]), "ms", said, command)
    capacity = found.detail.get("capacity", {}).get(_OURS, {})
    if capacity.get("calls"):
        beyond = capacity.get("next")
        said = "at once in one process on one core, before p99 rises by 50 ms"
        said += f" (it does at {beyond:.0f})" if beyond else "; more were not tried"
        yield Tile(f"{capacity['calls']:.0f}", "calls", said, command)
    if "kib_per_call" in capacity:
        said = "of memory that a call leaves behind, over the second half of the soak"
        yield Tile(number(capacity["kib_per_call"]), "KiB", said, command)


def _waterfall(found: _Found) -> str:
    """Draw one median turn of each subject, model and voice included."""
    case = _WATERFALL if _WATERFALL in found.cases else found.cases[0]
    voice_ms = float(found.detail["plan"]["pace"]["first_audio_s"]) * 1000
    rows = []
    for subject in found.subjects:
        request, synthesis, delivery = (found.p50(subject, case, s) for s in _STAGES)
        added = request + synthesis + delivery
        model_ms = max(0.0, found.p50(subject, case, "response") - added - voice_ms)
        names = ("request", "model", "synthesis", "voice", "delivery")
        lengths = (request, model_ms, synthesis, voice_ms, delivery)
        at, pieces = 0.0, []
        for name, length in zip(names, lengths, strict=True):
            tint = name if name in ("model", "voice") else colour(subject)
            pieces.append(Segment(at, at + length, tint, f"{name}: {number(length)} ms"))
            at += length
        rows.append(
            Bar(
                subject,
                pieces,
                f"{at:.1f} ms, {number(found.p50(subject, case, 'overhead'))} added",
            )
        )
    ours = found.p50(_OURS, case, "overhead")
    title = f"Of a turn's milliseconds, {number(ours)} are turnkit's; the others are the services'"
    return figure(
        title,
        f"A median turn ({CASES[case].title}), from EndOfTurn to the caller's first audio: "
        "request, model, synthesis, voice, delivery. Model and voice take the same for all; what "
        "is in the subject's own colour is added.",
        key([("model", "model: to the end of its first sentence"), ("voice", "voice: first byte")])
        + for_both(lambda width: bars(rows, "ms since EndOfTurn", width, says=title)),
    )


def _beside(found: _Found) -> str:
    """Draw the overhead of all subjects, kind of turn by kind of turn: median to p99."""
    drawn = list[tuple[str, list[Bar]]]()
    for case in found.cases:
        rows = []
        for subject in found.subjects:
            samples = found.samples(subject, case, "overhead")
            if samples:
                p50, p99 = np.percentile(samples, [50, 99])
                tip = f"{subject}: p50 {number(p50)}, p99 {number(p99)} ms"
                piece = Segment(max(p50, 0.05), max(p99, 0.05), colour(subject), tip)
                said = f"{number(p50)} / {number(p99)}"
                rows.append(Bar(subject, [piece], said, [(max(p50, 0.05), "p50")]))
        drawn.append((CASES[case].title, rows))
    reach = [s.end for _, rows in drawn for row in rows for s in row.segments]
    reach += [s.start for _, rows in drawn for row in rows for s in row.segments]
    groups = [element("h4", text(t)) + for_both(_drawn(rows, reach)) for t, rows in drawn]
    calls = found.levels[0]
    ours = found.p50(_OURS, found.cases[0], "overhead")
    others = [found.p50(s, found.cases[0], "overhead") for s in found.subjects if s not in _BOTH]
    title = f"turnkit adds {number(ours)} ms to a turn"
    if others:
        title += f", its peers {' and '.join(number(other) for other in others)}"
    return figure(
        f"{title} ({CASES[found.cases[0]].title})",
        f"Overhead of a turn at {calls} calls: the line is the median, the bar ends at p99; "
        "milliseconds are logarithmic.",
        "".join(groups),
    )


def _drawn(rows: Sequence[Bar], reach: Sequence[float]) -> Callable[[float], str]:
    return lambda width: bars(
        rows, "ms", width, kind="log", says="overhead of all subjects", reach=reach
    )


def _stages(found: _Found) -> str:
    """Draw what is added, stage by stage, without what the services take."""
    case = _WATERFALL if _WATERFALL in found.cases else found.cases[0]
    rows = []
    for subject in found.subjects:
        at, pieces = 0.0, []
        for stage, tint in zip(_STAGES, ("model", "voice", colour(subject)), strict=True):
            length = found.p50(subject, case, stage)
            pieces.append(Segment(at, at + length, tint, f"{stage}: {number(length)} ms"))
            at += length
        rows.append(Bar(subject, pieces, f"{number(found.p50(subject, case, 'overhead'))} ms"))
    slowest = max(_STAGES, key=lambda stage: found.p50(_OURS, case, stage))
    title = f"Most of what turnkit adds is added before {_BEFORE[slowest]}"
    return figure(
        title,
        "Medians, at the end that of the sum. Request: from Flux's message to the model's "
        "receipt of the request. Synthesis: "
        "from the first sentence's last token to the voice's receipt of the sentence. Delivery: "
        "from the voice's first byte, or EndOfTurn if later, to the caller's first audio.",
        key([("model", "request"), ("voice", "synthesis"), ("turnkit", "delivery")])
        + for_both(lambda width: bars(rows, "ms added", width, says=title)),
    )


_BEFORE = {
    "request": "the model is asked",
    "synthesis": "the voice is given the words",
    "delivery": "the sound leaves",
}


def _percentiles(found: _Found) -> str:
    """Draw the overhead by percentile, case by case."""
    drawings = [
        _by_percentile(found, case, "overhead", CASES[case].title)
        for case in found.cases
        if case != "barge"
    ]
    whole = found.whole(_OURS)
    title = (
        f"Half of the turns are {number(found.p50(_OURS, found.cases[0], 'overhead'))} ms or less"
    )
    if whole is not None and not found.noisy:
        title = f"Ninety-nine of a hundred turns are {number(whole['p99'])} ms or less"
    return figure(
        f"{title} behind the ideal",
        "Overhead by percentile: how much later than ideal the caller's first audio comes. The "
        "axis is stretched towards the slowest turns, and goes no further than there are samples; "
        "milliseconds are logarithmic.",
        panels(drawings),
    )


def _barge_in(found: _Found) -> str:
    """Draw how soon all is quiet after the user begins to speak."""
    measures = [m for m in _CUTS if any(found.samples(s, "barge", m) for s in found.subjects)]
    if not measures:
        return ""
    drawings = [_by_percentile(found, "barge", m, _CUTS[m]) for m in measures]
    clear = found.p50(_OURS, "barge", "clear")
    return figure(
        f"When the user speaks, the order to be silent is with the caller in {number(clear)} ms",
        "From StartOfTurn to the order that clears what is playing, the last audible byte, and the "
        "model's and the voice's learning that nobody wants more.",
        panels(drawings),
    )


def _by_percentile(found: _Found, case: str, measure: str, title: str) -> str:
    series = [
        Series(subject, colour(subject), percentiles(samples))
        for subject in found.subjects
        if (samples := found.samples(subject, case, measure))
    ]
    count = max((len(found.samples(s, case, measure)) for s in found.subjects), default=0)
    axes = Axes("share of turns", "ms", f"{title} ({count})", x_kind="nines", y_kind="log")
    return lines(axes, series)


def _curves(found: _Found) -> str:
    """Draw what each call costs as there are more of them."""
    wanted: tuple[tuple[str, str, Literal["linear", "log"], Any], ...] = (
        ("p99 of the overhead", "ms", "log", lambda row: (row["overhead"] or {}).get("p99")),
        ("processor time", "s a call-minute", "linear", lambda row: row["cpu_s_per_call_minute"]),
        ("memory", "MiB a call", "linear", lambda row: row["mib_per_call"]),
        ("frames over 20 ms late", "%", "linear", lambda row: row["late_share"] * 100),
    )
    drawings = []
    for title, unit, kind, of in wanted:
        series = [
            Series(subject, colour(subject), points)
            for subject in found.subjects
            if (points := _by_calls(found.rows, subject, of))
        ]
        axes = Axes("calls at once", unit, title, x_kind="log", y_kind=kind)
        drawings.append(lines(axes, series, dots=True))
    slope = found.detail.get("capacity", {}).get(_OURS, {}).get("cpu_share_per_call", 0.0)
    reached = found.detail.get("capacity", {}).get(_OURS, {}).get("calls", 0)
    return figure(
        f"One process carries {reached:.0f} calls; each takes {slope:.2%} of a core",
        f"Capacity ends where p99 is {_WORSE_MS:.0f} ms above its lowest. Each dot is a run of all "
        "calls at once, 20 ms frames both ways.",
        panels(drawings),
    )


def _by_calls(rows: Sequence[dict[str, Any]], subject: str, of: Any) -> list[tuple[float, float]]:
    found = [(float(row["calls"]), of(row)) for row in rows if row["subject"] == subject]
    return [(calls, float(value)) for calls, value in sorted(found) if value is not None]


def _memory(found: _Found) -> str:
    """Draw memory over the calls of a soak."""
    series = [
        Series(
            run["subject"], colour(run["subject"]), [(c, mib) for _, mib, c in run["memory_mib"]]
        )
        for run in found.detail["runs"]
        if run["memory_mib"]
    ]
    if not series:
        return ""
    kib = found.detail["capacity"].get(_OURS, {}).get("kib_per_call", 0.0)
    return figure(
        f"A call leaves {number(kib)} KiB behind",
        "Resident memory of the process as calls come and go.",
        for_both(
            lambda width: lines(
                Axes("calls so far", "MiB", "memory", width=width, height=280.0), series
            )
        ),
    )
