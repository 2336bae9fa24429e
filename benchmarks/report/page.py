"""The whole report as one HTML file: no script, no font, no picture from anywhere else. Pure."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from benchmarks.comparison import COLUMNS, Verdict, cells
from benchmarks.report import footprint, load, micro, policy
from benchmarks.report.html import Section, caveats, figure, tables, tile
from benchmarks.report.svg import element, text
from benchmarks.results import Result, SuiteResult
from benchmarks.targets import Standing, table_of

_SECTIONS: dict[str, Callable[[SuiteResult], Section]] = {
    "policy": policy.section,
    "micro": micro.section,
    "overhead": load.section,
    "scale": load.section,
    "soak": load.section,
    "peers": load.section,
    "footprint": footprint.section,
}
_ORDER = ("policy", "overhead", "peers", "scale", "soak", "footprint", "micro", "turns")
_NOTHING_FROM_ELSEWHERE = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_MOST_VERDICTS = 60


def page(
    result: Result,
    base: Result | None = None,
    verdicts: Sequence[Verdict] = (),
    reached: Sequence[Standing] = (),
) -> str:
    """Write the report of a result, and how it stands against the targets and a base, if any."""
    suites = sorted(result.suites, key=lambda suite: _place(suite.name))
    sections = [_section(suite) for suite in suites]
    body = (
        _head(result, sections, targets=bool(reached))
        + _alarm(result)
        + element("div", *(tile(t) for s in sections for t in s.tiles), class_="tiles")
        + _targets(reached)
        + (_compared(base, verdicts) if base is not None else "")
        + "".join(_whole(one, suite) for one, suite in zip(sections, suites, strict=True))
        + _environment(result)
    )
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_NOTHING_FROM_ELSEWHERE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        "<title>turnkit bench</title>"
        f"<style>{_style()}</style>"
    )
    return (
        '<!doctype html>\n<html lang="en">\n'
        f"<head>{head}</head>\n<body>\n<main>{body}</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return Path(__file__).with_name("style.css").read_text(encoding="utf-8")


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _section(suite: SuiteResult) -> Section:
    write = _SECTIONS.get(suite.name)
    if write is not None and suite.detail is not None:
        return write(suite)
    return Section(
        suite.name, suite.title, tables(suite.tables).replace("<details>", "<details open>")
    )


def _head(result: Result, sections: Sequence[Section], *, targets: bool) -> str:
    rough = " A rough run (--quick): not to be quoted." if result.quick else ""
    said = f"turnkit {result.versions.get('turnkit', '')}, {result.began[:10]}.{rough}"
    links = [element("a", text(s.title.split(":")[0]), href=f"#{s.name}") for s in sections]
    if targets:
        links.insert(0, element("a", "Targets", href="#targets"))
    links.append(element("a", "Environment", href="#environment"))
    return (
        element("h1", "How long a person waits for an answer, and what it costs")
        + element("p", text(said), class_="soft")
        + element("nav", *links)
    )


def _alarm(result: Result) -> str:
    if not result.failures:
        return ""
    items = [element("li", text(failure)) for failure in result.failures]
    return element(
        "div",
        element("strong", "This run failed: what must never happen did."),
        element("ul", *items),
        class_="alarm",
    )


def _whole(section: Section, suite: SuiteResult) -> str:
    doubts = caveats(suite.caveats) if suite.caveats else ""
    return element(
        "section",
        element("h2", text(section.title), id=section.name),
        element(
            "p", text(f"{suite.began[:16].replace('T', ' ')}, {suite.seconds:.0f} s"), class_="soft"
        ),
        section.body,
        doubts,
    )


def _targets(reached: Sequence[Standing]) -> str:
    """Write which targets are held: what is missed first, and never by colour alone."""
    if not reached:
        return ""
    ordered = sorted(reached, key=lambda one: one.held)
    given = table_of(ordered)
    rows = [
        element(
            "tr",
            element("td", text(standing), class_="words"),
            element("td", text(says), element("small", text(one.figure)), class_="words"),
            element("td", text(limit)),
            element("td", text(found)),
            class_="held" if one.held else "missed",
        )
        for (standing, says, limit, found), one in zip(given.rows, ordered, strict=True)
    ]
    head = [
        element("th", text(name), class_=None if place in (2, 3) else "words")
        for place, name in enumerate(given.columns)
    ]
    body = element("table", element("thead", element("tr", *head)), element("tbody", *rows))
    held = sum(one.held for one in reached)
    return element("h2", "Targets", id="targets") + figure(
        f"{held} of {len(reached)} targets are held"
        + ("" if held == len(reached) else f", {len(reached) - held} missed"),
        " ".join(given.notes),
        element("div", body, class_="scroll targets"),
    )


def _compared(base: Result, verdicts: Sequence[Verdict]) -> str:
    """Write how this run stands against another one."""
    failed = [v for v in verdicts if v.failed]
    changed = [v for v in verdicts if v.differs and not v.failed]
    shown = [*failed, *changed][:_MOST_VERDICTS]
    rows = [
        element(
            "tr",
            *(
                element("td", text(c), class_=None if n else "words")
                for n, c in enumerate(cells(v))
            ),
            class_="bad" if v.failed else None,
        )
        for v in shown
    ]
    head = [element("th", text(n), class_=None if i else "words") for i, n in enumerate(COLUMNS)]
    body = element("table", element("thead", element("tr", *head)), element("tbody", *rows))
    title = (
        f"{len(failed)} of {len(verdicts)} figures are worse than allowed"
        if failed
        else (f"None of {len(verdicts)} figures is worse than allowed")
    )
    return element("h2", "Against the base", id="base") + figure(
        title,
        f"The base is of {base.began[:16].replace('T', ' ')}, turnkit "
        f"{base.versions.get('turnkit', '?')}: {base.command}. Intervals come from a two-stage "
        f"bootstrap and are as wide as so many comparisons ask for. {len(changed)} others changed "
        "beyond chance.",
        element("div", body if rows else "", class_="scroll"),
    )


def _environment(result: Result) -> str:
    machine = result.machine
    facts = [
        ("command", result.command),
        ("began", result.began),
        ("took", f"{result.seconds:.0f} s"),
        ("processor", f"{machine.cpu}, {machine.cores} cores for this run"),
        ("memory", f"{machine.memory_mib:,} MiB"),
        ("system", machine.system),
        ("Python", machine.python),
        ("load before", f"{machine.loadavg:.2f}"),
        *((name, version) for name, version in result.versions.items()),
    ]
    pairs = [element("dt", text(name)) + element("dd", text(value)) for name, value in facts]
    commands = "\n".join(
        dict.fromkeys(suite.command or f"turnkit bench {suite.name}" for suite in result.suites)
    )
    return (
        element("h2", "Environment", id="environment")
        + element("dl", *pairs)
        + element("h3", "To measure it again")
        + element("pre", text(f"pip install 'turnkit[bench]'\n{commands}"))
    )
