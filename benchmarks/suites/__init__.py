"""The suites of `turnkit bench`: each is a module of this folder, and an entry in `SUITES` here.

A suite is a function `run(options, console) -> SuiteResult` (`benchmarks.results`). A new one is a
module beside the others with that function, and a `Suite` below; tables, the result file, the
comparison with a base and the report follow from what it returns. A section of its own in the
report is optional (`benchmarks.report`).
"""

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from benchmarks.results import SuiteResult
from turnkit.errors import ConfigError

EXTRA = "pip install 'turnkit[bench]'"


@dataclass(frozen=True, slots=True)
class Options:
    """What all suites are given; each takes what concerns it. None: the suite's own choice."""

    quick: bool = False
    turns: int | None = None
    """Of each kind and subject, or of each conversation."""
    calls: tuple[int, ...] | None = None
    """At a time."""
    seconds: float | None = None
    """For each number of calls, where several are tried."""
    subjects: tuple[str, ...] | None = None
    rounds: int | None = None
    parts: tuple[str, ...] | None = None
    """Of suite `overhead`."""
    ends: tuple[str, ...] = ("twilio",)
    """The far ends of the calls: twilio, ws."""
    workers: tuple[int, ...] = (1,)
    """Processes of a subject that can have several."""
    realtime: bool = False
    """Real-time priority for all processes of a load; needs the right to it."""
    audio: tuple[Path, ...] = ()
    """Packs of labelled speech, for `turns`."""
    recordings: Path | None = None
    """A folder of recorded Flux sessions, for `policy`."""
    logs: Path = Path(".cache/bench-logs")


Run: TypeAlias = Callable[[Options, Console], SuiteResult]
"""Runs a suite, with a progress bar on the console. Raises ConfigError or TurnkitError."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite, and where it is."""

    name: str
    what: str
    module: str
    """Has a function `run`, which is a `Run`."""
    takes: str
    """How long, as people say it: in full, and with --quick."""
    needs: tuple[str, ...] = ()
    """Modules it cannot do without, all of the extra `bench`."""
    environments: tuple[str, ...] = ()
    """Of `benchmarks.load.environments`, which `--install` makes."""

    def open(self) -> Run:
        """Return what runs it. Raises ConfigError where something has to be installed first."""
        missing = [name for name in self.needs if importlib.util.find_spec(name) is None]
        if missing:
            raise ConfigError(f"suite {self.name} needs {', '.join(missing)}: {EXTRA}")
        run: Run = importlib.import_module(self.module).run
        return run


_LOAD = ("picows", "psutil", "httptools", "openai", "trustme")

SUITES: dict[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            "policy",
            "how long a person waits and what that costs, by policy: virtual time, exact",
            "benchmarks.suites.policy",
            "1 min, quick 10 s",
        ),
        Suite(
            "micro",
            "what single steps of the call path cost: events, frames, clauses, requests",
            "benchmarks.suites.micro",
            "1 min, quick 15 s",
            ("pytest", "pytest_benchmark", "openai"),
        ),
        Suite(
            "overhead",
            "what turnkit adds to a turn, stage by stage, beside a bare relay: real sockets",
            "benchmarks.suites.overhead",
            "36 min, quick 3 min",
            _LOAD,
        ),
        Suite(
            "scale",
            "N calls at once: processor time, memory, jitter, and how many a process carries",
            "benchmarks.suites.scale",
            "9 min, quick 2 min",
            _LOAD,
        ),
        Suite(
            "soak",
            "a thousand calls coming and going: whether memory stays flat",
            "benchmarks.suites.soak",
            "3 min, quick 40 s",
            _LOAD,
        ),
        Suite(
            "footprint",
            "before the first call: imports, the start of the server, what is installed",
            "benchmarks.suites.footprint",
            "1 min, quick 15 s",
            ("psutil",),
            ("turnkit-base",),
        ),
        Suite(
            "peers",
            "the same load on other frameworks, side by side, each in an environment of its own",
            "benchmarks.suites.peers",
            "40 min, quick 3 min",
            _LOAD,
            ("pipecat", "livekit", "turnkit-base", "turnkit-openai"),
        ),
        Suite(
            "turns",
            "how well turns are heard, on labelled speech given with --audio",
            "benchmarks.suites.turns",
            "as long as the speech",
            ("jiwer", "matplotlib"),
        ),
    )
}

DEFAULT = ("policy", "micro", "overhead")
"""What runs where no suite is named: those that need nothing but the extra."""


def chosen(names: Sequence[str], default: Sequence[str] = DEFAULT) -> list[Suite]:
    """Return the suites of these names, each once. Raises ConfigError."""
    strange = [name for name in names if name not in SUITES]
    if strange:
        raise ConfigError(f"there is no suite {strange[0]!r}; choose from {', '.join(SUITES)}")
    return [SUITES[name] for name in dict.fromkeys(names or default)]
