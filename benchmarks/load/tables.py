"""A load's figures as people read them. Pure."""

from collections.abc import Sequence

from benchmarks.load.plan import CASES, COLUMNS
from benchmarks.load.results import LoadResult, Ratio, Row
from benchmarks.load.stats import Summary
from benchmarks.load.summaries import EARLY, LATE, TURNS, asked_early
from benchmarks.results import Cell, Table

STAGES = ("request", "synthesis", "delivery")
CUTS = {
    "clear": "clear",
    "silence": "silence",
    "model_cancelled": "model",
    "voice_cancelled": "voice",
}
_OVERHEAD_NOTE = (
    "Overhead: the caller's first audio against the ideal, max(EndOfTurn, trigger + model + "
    "voice), where the services' times are those of that very turn. x relay: ratio of the "
    "medians, 95 %."
)
_STAGES_NOTE = (
    "request: from Flux's message to the model's receipt of the request; synthesis: from the first "
    "sentence's last token to the voice's receipt of the sentence; delivery: from the voice's "
    "first byte, or EndOfTurn if later, to the caller's first audio."
)
_CUTS_NOTE = (
    "From StartOfTurn over an answer. clear: the order to be silent is with the caller; silence: "
    "the last audible byte; model, voice: the provider sees the end of what it was streaming; "
    "resumed: the same, of a draft's model, from TurnResumed."
)
_LINKS_NOTE = (
    "Of answers right after a cancelled one: waited is how many had to wait for a new connection "
    "to the model and to the voice; opened is how many connections to the model were opened for "
    "each answer that was cut short (over HTTP/1.1 a cancelled answer costs its connection). "
    "asked early: requests before EndOfTurn, in turns that end 200 and 400 ms later."
)
_LOAD_NOTE = (
    "answered: of all turns; wrong: turns with audio that was not theirs; CPU s: processor seconds "
    "a call-minute; MiB: a call, beyond a first one; jitter: p99 of how far outgoing frames are "
    "behind their reply's own beat; late: frames more than 20 ms behind all before them."
)
_GROWTH_NOTE = (
    "By the number of the turn in its call; ms, median/p99. What grows with a "
    "conversation's length would do so from left to right."
)
_FOOTPRINT_NOTE = (
    "import: processor time; ready: from the start of the process to its first connection; MiB: "
    "what it takes then."
)
_CAPACITY_NOTE = (
    "Calls until p99 of the overhead is 50 ms above its base, the lowest of the levels; of the "
    "levels that were run. Slope: of a core, for each call more."
)


def tables_of(result: LoadResult) -> list[Table]:
    """Return the tables of a load's result, in the order in which they are read."""
    found: list[Table | None] = []
    main = [row for row in result.rows if result.calls in (0, row.calls)]
    if result.suite in ("overhead", "peers"):
        for calls in sorted({row.calls for row in main}):
            rows = [row for row in main if row.calls == calls]
            found += [
                _overheads(calls, rows),
                _stages(calls, rows),
                _cuts(calls, rows),
                _links(result, calls, rows),
            ]
    if result.suite == "overhead":
        found += [_by_calls(result.rows), _growth(main)]
    if result.suite == "soak":
        found.append(_memory(result))
    found.append(_under_load(result))
    if any("calls" in one for one in result.capacity.values()):
        found.append(_capacity(result))
    if result.footprints:
        found.append(_footprints(result))
    return [table for table in found if table is not None and table.rows]


def _overheads(calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for case in CASES:
        for row in rows:
            whole = row.cases.get(case, {}).get("overhead")
            if whole is not None:
                figures = (whole.p50, whole.p90, whole.p99, whole.p999)
                ratio = _ratio(row.to_relay.get(case))
                shown = [short(ms) for ms in figures]
                found.append([CASES[case].short, row.subject, str(whole.n), *shown, ratio])
    columns = ["turn", "subject", "turns", "p50", "p90", "p99", "p99.9", "x relay"]
    return Table(f"Overhead of a turn, {calls} calls: ms", columns, found, [_OVERHEAD_NOTE])


def _stages(calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for case in CASES:
        for row in rows:
            measures = row.cases.get(case, {})
            if "overhead" in measures:
                stages = [pair(measures.get(stage)) for stage in STAGES]
                found.append([CASES[case].short, row.subject, *stages])
    columns = ["turn", "subject", *STAGES]
    return Table(f"Its stages, {calls} calls: ms, p50/p99", columns, found, [_STAGES_NOTE])


def _cuts(calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for row in rows:
        cuts = row.cases.get("barge", {})
        resumed = row.cases.get("resumed", {}).get("resume_cancelled")
        count = cuts["clear"].n if "clear" in cuts else 0
        figures = [pair(cuts.get(cut)) for cut in CUTS]
        found.append([row.subject, str(count), *figures, pair(resumed)])
    columns = ["subject", "times", *CUTS.values(), "resumed"]
    return Table(f"Interrupted, {calls} calls: ms, p50/p99", columns, found, [_CUTS_NOTE])


def _links(result: LoadResult, calls: int, rows: Sequence[Row]) -> Table:
    found: list[list[Cell]] = []
    for row in rows:
        links = row.links
        if not links.model_waited:
            continue
        waited = [_share(links.model_waited), _share(links.voice_waited)]
        opened = f"{links.model_opened / links.model_cuts:.2f}" if links.model_cuts else "-"
        mine = [run for run in result.runs if (run.subject, run.calls) == (row.subject, row.calls)]
        early = [asked_early(mine, case) for case in ("eager200", "eager400")]
        asked = " ".join("-" if share is None else f"{share:.0%}" for share in early)
        found.append([row.subject, str(len(links.model_waited)), *waited, opened, asked])
    columns = ["subject", "answers", "model waited", "voice waited", "opened", "asked early"]
    return Table(f"Connections after cancelled work, {calls} calls", columns, found, [_LINKS_NOTE])


def _share(flags: Sequence[float]) -> str:
    return f"{sum(flags) / len(flags):.1%}" if flags else "-"


def _by_calls(rows: Sequence[Row]) -> Table | None:
    if len({row.calls for row in rows}) < 2:
        return None
    found: list[list[Cell]] = []
    for row in sorted(rows, key=lambda row: (row.subject, row.calls)):
        cells = [row.cases.get(case, {}).get("overhead") for case in COLUMNS]
        if all(cells):
            found.append([row.subject, str(row.calls), *(_counted(cell) for cell in cells)])
    columns = ["subject", "calls", *(CASES[case].short for case in COLUMNS)]
    return Table("Overhead by calls at once: ms, p50/p99 (turns)", columns, found)


def _growth(rows: Sequence[Row]) -> Table | None:
    if not any(LATE in row.growth.get("request", {}) for row in rows):
        return None
    found: list[list[Cell]] = [
        [row.subject, measure, *(pair(row.growth[measure].get(name)) for name in TURNS)]
        for row in rows
        if row.growth.get("request")
        for measure in row.growth
    ]
    told = {EARLY: "turns 2 to 10", LATE: "90 to 110"}
    columns = ["subject", "of", *(told.get(name, name) for name in TURNS)]
    return Table("Growth over a long call", columns, found, [_GROWTH_NOTE])


def _under_load(result: LoadResult) -> Table:
    found: list[list[Cell]] = []
    for row in result.rows:
        found.append(
            [
                row.subject,
                str(row.calls),
                f"{row.turns * row.answered_share:.0f}/{row.turns}",
                str(row.stale_turns),
                pair(row.overhead),
                f"{row.cpu_s_per_call_minute:.3f}",
                f"{row.mib_per_call:.2f}",
                "-" if row.jitter is None else short(row.jitter.p99),
                f"{row.late_share:.3%}",
            ]
        )
    columns = ["subject", "calls", "answered", "wrong", "overhead", "CPU s", "MiB"]
    return Table("Under load; ms are p50/p99", [*columns, "jitter", "late"], found, [_LOAD_NOTE])


def _capacity(result: LoadResult) -> Table:
    rows: list[list[Cell]] = []
    for name, found in result.capacity.items():
        beyond = f"{found['next']:.0f}" if found["next"] else "-"
        share = f"{found['cpu_share_per_call']:.2%}" if found["cpu_share_per_call"] else "-"
        rows.append([name, f"{found['calls']:.0f}", beyond, f"{found['base_ms']:.1f}", share])
    columns = ["subject", "calls within", "not within", "base p99, ms", "slope"]
    return Table("Capacity", columns, rows, [_CAPACITY_NOTE])


def _memory(result: LoadResult) -> Table:
    rows: list[list[Cell]] = []
    for run in result.runs:
        memory = [mib for _, mib, _ in run.memory_mib]
        kib = result.capacity.get(run.subject, {}).get("kib_per_call", 0.0)
        ends = [f"{mib:.1f}" for mib in (memory[0], memory[-1])] if memory else ["-", "-"]
        failed = str(run.counts.failed_calls)
        rows.append([run.subject, str(run.calls), failed, *ends, f"{kib:.2f}"])
    columns = ["subject", "calls", "failed", "MiB at first", "at last", "KiB a call, 2nd half"]
    return Table("Memory", columns, rows)


def _footprints(result: LoadResult) -> Table:
    columns = ["installed", "MB", "packages", "import s", "ready s", "MiB"]
    rows: list[list[Cell]] = []
    for one in result.footprints:
        cells: list[Cell] = ["-"] * 3
        if one.ready_s:
            ready = [f"{one.ready_s:.2f}", f"{one.rss_mib:.0f}"]
            cells = [f"{one.import_s:.2f}", *ready]
        rows.append([one.subject, f"{one.installed_mb:.0f}", str(one.packages), *cells])
    return Table("Before the first call", columns, rows, [_FOOTPRINT_NOTE])


def _ratio(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{ratio.value:.1f} ({ratio.low:.1f}-{ratio.high:.1f})"


def _counted(summary: Summary | None) -> str:
    return "-" if summary is None else f"{pair(summary)} ({summary.n})"


def pair(summary: Summary | None) -> str:
    """Write the median and the 99th percentile."""
    return "-" if summary is None else f"{short(summary.p50)}/{short(summary.p99)}"


def short(value: float) -> str:
    """Write milliseconds with the digits they are worth."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"
