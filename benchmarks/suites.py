"""Which suites there are, and what each is given. A new one is a line in `SUITES` and a module."""

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
    """Of each case, subject or conversation."""
    calls: tuple[int, ...] | None = None
    """At a time."""
    seconds: float | None = None
    """For each level of `scale`."""
    subjects: tuple[str, ...] | None = None
    rounds: int | None = None
    end: str = "twilio"
    """The far end of the calls: twilio or ws."""
    realtime: bool = False
    """Real-time priority for all processes of a load; needs the right to it."""
    audio: tuple[Path, ...] = ()
    """Packs of labelled speech, for `turns`."""
    recordings: Path | None = None
    """A folder of recorded Flux sessions, for `policy`."""
    logs: Path = Path(".cache/bench-logs")
    command: str = "turnkit bench"
    """What to write down as the way to get this result."""


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

    def open(self) -> Run:
        """Return what runs it. Raises ConfigError where something has to be installed."""
        if importlib.util.find_spec(self.module.rpartition(".")[0]) is None:
            raise ConfigError(f"suite {self.name} is not part of this installation of turnkit")
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
            "benchmarks.policy.suite",
            "1 min, quick 10 s",
        ),
        Suite(
            "micro",
            "what single steps of the call path cost: events, frames, clauses, requests",
            "benchmarks.micro.suite",
            "1 min, quick 15 s",
            ("pytest", "pytest_benchmark", "openai"),
        ),
        Suite(
            "overhead",
            "what turnkit adds to a turn, stage by stage, beside a bare relay: real sockets",
            "benchmarks.load_suites.overhead",
            "11 min, quick 1 min",
            _LOAD,
        ),
        Suite(
            "scale",
            "N calls at once: processor time, memory, jitter, and how many a process carries",
            "benchmarks.load_suites.scale",
            "9 min, quick 1 min",
            _LOAD,
        ),
        Suite(
            "soak",
            "a thousand calls coming and going: whether memory stays flat",
            "benchmarks.load_suites.soak",
            "3 min, quick 20 s",
            _LOAD,
        ),
        Suite(
            "peers",
            "the same load on other frameworks, side by side, each in an environment of its own",
            "benchmarks.load_suites.peers",
            "30 min, quick 3 min",
            _LOAD,
        ),
        Suite(
            "turns",
            "how well turns are heard, on labelled speech given with --audio",
            "benchmarks.turns_suite",
            "as long as the speech",
            ("jiwer", "matplotlib"),
        ),
    )
}

DEFAULT = ("policy", "micro", "overhead")
"""What runs where no suite is named: those that need nothing but the extra."""


def chosen(names: Sequence[str]) -> list[Suite]:
    """Return the suites of these names, each once. Raises ConfigError."""
    strange = [name for name in names if name not in SUITES]
    if strange:
        raise ConfigError(f"there is no suite {strange[0]!r}; choose from {', '.join(SUITES)}")
    return [SUITES[name] for name in dict.fromkeys(names or DEFAULT)]
