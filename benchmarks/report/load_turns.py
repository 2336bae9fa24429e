"""Charts of turns under a load: where their milliseconds go, and how they are distributed."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.load.plan import CASES
from benchmarks.load.results import BASE, OURS
from benchmarks.load.summaries import EARLY, LATE, TURNS
from benchmarks.report.charts import Axes, Bar, Segment, bars, lines, percentiles
from benchmarks.report.html import figure, for_both, key, panels
from benchmarks.report.load_data import Found, colour
from benchmarks.report.scales import number
from benchmarks.report.svg import element, text

_BOTH = OURS, BASE
_STAGES = ("request", "synthesis", "delivery")
_WATERFALL = "plain"
_OTHERS = {"model": "detection", "voice": "wait"}
"""What is not the subject's is grey, so that the rest stands out."""
_CUTS = {
    "clear": "the order to be silent is with the caller",
    "silence": "the last audible byte",
    "model_cancelled": "the model is told",
    "voice_cancelled": "the voice is told",
}


def waterfall(found: Found) -> str:
    """Draw one median turn of each subject, model and voice included."""
    case = _WATERFALL if _WATERFALL in found.cases else found.cases[0]
    voice_ms = found.load.plan.pace.first_audio_s * 1000
    rows = []
    for subject in found.of_case(case):
        request, synthesis, delivery = (found.p50(subject, case, s) for s in _STAGES)
        added = request + synthesis + delivery
        model_ms = max(0.0, found.p50(subject, case, "response") - added - voice_ms)
        names = ("request", "model", "synthesis", "voice", "delivery")
        lengths = (request, model_ms, synthesis, voice_ms, delivery)
        at, pieces = 0.0, []
        for name, length in zip(names, lengths, strict=True):
            tint = _OTHERS.get(name) or colour(subject)
            pieces.append(Segment(at, at + length, tint, f"{name}: {number(length)} ms"))
            at += length
        rows.append(
            Bar(
                subject,
                pieces,
                f"{at:.1f} ms, {number(found.p50(subject, case, 'overhead'))} added",
            )
        )
    ours = found.p50(OURS, case, "overhead")
    title = f"Of a turn's milliseconds, {number(ours)} are turnkit's; the others are the services'"
    return figure(
        title,
        f"A median turn ({CASES[case].title}), from EndOfTurn to the caller's first audio: "
        "request, model, synthesis, voice, delivery. Model and voice take the same for all; what "
        "is in the subject's own colour is added.",
        key(
            [
                ("detection", "model: to the end of its first sentence"),
                ("wait", "voice: first byte"),
            ]
        )
        + for_both(lambda width: bars(rows, "ms since EndOfTurn", width, says=title)),
    )


def beside(found: Found) -> str:
    """Draw the overhead of all subjects, kind of turn by kind of turn: median to p99."""
    drawn = list[tuple[str, list[Bar]]]()
    for case in found.cases:
        rows = []
        for subject in found.entries:
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
    ours = found.p50(OURS, found.cases[0], "overhead")
    others = [found.p50(s, found.cases[0], "overhead") for s in found.entries if s not in _BOTH]
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


def stages(found: Found) -> str:
    """Draw what is added, stage by stage, without what the services take."""
    case = _WATERFALL if _WATERFALL in found.cases else found.cases[0]
    rows = []
    for subject in found.of_case(case):
        at, pieces = 0.0, []
        for stage, tint in zip(_STAGES, ("model", "voice", "other"), strict=True):
            length = found.p50(subject, case, stage)
            pieces.append(Segment(at, at + length, tint, f"{stage}: {number(length)} ms"))
            at += length
        rows.append(Bar(subject, pieces, f"{number(found.p50(subject, case, 'overhead'))} ms"))
    slowest = max(_STAGES, key=lambda stage: found.p50(OURS, case, stage))
    title = f"Most of what turnkit adds is added before {_BEFORE[slowest]}"
    return figure(
        title,
        "Medians, at the end that of the sum. Request: from Flux's message to the model's "
        "receipt of the request. Synthesis: "
        "from the first sentence's last token to the voice's receipt of the sentence. Delivery: "
        "from the voice's first byte, or EndOfTurn if later, to the caller's first audio.",
        key([("model", "request"), ("voice", "synthesis"), ("other", "delivery")])
        + for_both(lambda width: bars(rows, "ms added", width, says=title)),
    )


_BEFORE = {
    "request": "the model is asked",
    "synthesis": "the voice is given the words",
    "delivery": "the sound leaves",
}


def distributions(found: Found) -> str:
    """Draw the overhead by percentile, case by case."""
    drawings = [
        _by_percentile(found, case, "overhead", CASES[case].title)
        for case in found.cases
        if case != "barge"
    ]
    row = found.row(OURS)
    title = (
        f"Half of the turns are {number(found.p50(OURS, found.cases[0], 'overhead'))} ms or less"
    )
    if row is not None and row.overhead is not None and not found.noisy:
        title = f"Ninety-nine of a hundred turns are {number(row.overhead.p99)} ms or less"
    return figure(
        f"{title} behind the ideal",
        "Overhead by percentile: how much later than ideal the caller's first audio comes. The "
        "axis is stretched towards the slowest turns, and goes no further than there are samples; "
        "milliseconds are logarithmic.",
        panels(drawings),
    )


def barge_in(found: Found) -> str:
    """Draw how soon all is quiet after the user begins to speak."""
    measures = [m for m in _CUTS if any(found.samples(s, "barge", m) for s in found.entries)]
    if not measures:
        return ""
    drawings = [_by_percentile(found, "barge", m, _CUTS[m]) for m in measures]
    clear = found.p50(OURS, "barge", "clear")
    return figure(
        f"When the user speaks, the order to be silent is with the caller in {number(clear)} ms",
        "From StartOfTurn to the order that clears what is playing, the last audible byte, and the "
        "model's and the voice's learning that nobody wants more.",
        panels(drawings),
    )


def _by_percentile(found: Found, case: str, measure: str, title: str) -> str:
    drawn = [
        found.series(subject, percentiles(samples))
        for subject in found.entries
        if (samples := found.samples(subject, case, measure))
    ]
    count = max((len(found.samples(s, case, measure)) for s in found.entries), default=0)
    axes = Axes("share of turns", "ms", f"{title} ({count})", x_kind="nines", y_kind="log")
    return lines(axes, drawn)


def growth(found: Found) -> str:
    """Draw what is added before the model is asked, by how long the call has lasted."""
    middle = {name: (low + high) / 2 for name, (low, high) in TURNS.items()}
    drawings = []
    for measure in ("request", "overhead"):
        drawn = []
        for entry in found.entries:
            row = found.row(entry)
            medians = row.growth.get(measure, {}) if row is not None else {}
            points = [(middle[name], summary.p50) for name, summary in medians.items()]
            drawn.append(found.series(entry, points))
        if any(len(one.points) > 1 for one in drawn):
            axes = Axes("turn of the call", "ms", f"{measure}, median")
            drawings.append(lines(axes, drawn, dots=True))
    if not drawings:
        return ""
    early, late = (found.named(f"{OURS}.growth.{name}.request") for name in (EARLY, LATE))
    title = "What a turn costs, as a call goes on"
    if early and late:
        first, last = (number(float(np.median(samples))) for samples in (early, late))
        title = f"The request takes {first} ms in turns 2 to 10, and {last} in turns 90 to 110"
    return figure(
        title,
        "From Flux's message to the model's receipt of the request, and the whole overhead, by the "
        "number of the turn in its call: what is rebuilt from the whole conversation each time "
        "grows with it.",
        panels(drawings),
    )


def footprints(found: Found) -> str:
    """Draw what each costs before the first call."""
    started = [one for one in found.load.footprints if one.ready_s]
    if not started:
        return ""
    drawings = []
    for title, unit, field in (
        ("installed", "MB", "installed_mb"),
        ("import, processor time", "s", "import_s"),
        ("from start to ready", "s", "ready_s"),
        ("memory then", "MiB", "rss_mib"),
    ):
        rows = []
        for one in started:
            name = one.subject.partition("[")[0].removesuffix("-agents").removesuffix("-ai")
            value = float(getattr(one, field))
            piece = Segment(0.0, value, colour(name), f"{one.subject}: {number(value)} {unit}")
            rows.append(Bar(name, [piece], f"{number(value)} {unit}"))
        drawings.append(element("h4", text(title)) + bars(rows, unit, 340.0, says=title))
    return figure(
        "Before the first call",
        "Each with what its documentation has one install for these services, in an environment of "
        "its own: "
        + ", ".join(one.subject for one in started)
        + ". Started is the program that the load suites run.",
        panels(drawings),
    )
