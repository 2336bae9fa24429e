"""Suite `overhead`: what a turn costs beyond its model and its voice, stage by stage.

Three parts, of which `--parts` names some:

- `turns`: all kinds of turns in calls of 110 turns, each column (`plan.COLUMNS`) a thousand times;
  what grows with the length of a call, and what happens to work that is cancelled, is seen there
- `levels`: the columns alone, with 1 to 100 calls at a time
- `http2`: cancelled work once more, with the model over HTTP/2 and TLS
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil

import msgspec
from rich.console import Console

from benchmarks.load.entries import Entry, entries
from benchmarks.load.figures import suite_of
from benchmarks.load.plan import COLUMNS, Pace, Plan
from benchmarks.load.run import Spec
from benchmarks.load.series import Series, carry_out, interleaved
from benchmarks.results import SuiteResult
from benchmarks.suites import Options
from turnkit.errors import ConfigError

TURNS, CALLS = 1000, 20
LEVELS = (1, 10, 20, 50, 100)
PARTS = ("turns", "levels", "http2")
SUBJECTS = ("relay", "turnkit")

CASES = (*COLUMNS, "barge", "after", *COLUMNS, "resumed", *COLUMNS)
"""A turn that is interrupted comes before one that is heard to its end."""
CALL_TURNS = 110
WARM_TURNS = 2
_COLUMN_TURNS = (CALL_TURNS - WARM_TURNS) * CASES.count(COLUMNS[0]) // len(CASES)
"""Of each column, in a call of that length."""

_CANCELLING = ("eager200", "barge", "after", "resumed")
_CANCELLING_TURNS = 40
_LEVEL_TURNS = 100
_LEVEL_S = (45.0, 150.0)
"""At the least, and at the most: of one call at a time a hundred turns would take five minutes."""
_GAP_S = 0.05
_QUICK_PACE = Pace(sentence_s=0.4)
_QUICK_CALLS = 12
_QUICK_LEVELS = (1, 20)
_QUICK_LEVEL_S = 8.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is to be done, the defaults put in."""

    options: Options
    calls: int
    entries: list[Entry]

    def spec(self, entry: Entry, plan: Plan, calls: int, round_: int = 0) -> Spec:
        return Spec(
            entry=entry,
            plan=plan,
            calls=calls,
            gap_s=_GAP_S,
            call_s=plan.call_s,
            realtime=self.options.realtime,
            round=round_,
            warm_turns=1 if self.options.quick else WARM_TURNS,
            folder=self.options.logs,
        )


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    parts = options.parts or PARTS
    for name in parts:
        if name not in PARTS:
            raise ConfigError(f"there is no part {name!r}; choose from {', '.join(PARTS)}")
    calls = options.calls[0] if options.calls else _QUICK_CALLS if options.quick else CALLS
    found = entries(options.subjects or SUBJECTS, options.ends, options.workers)
    asked = _Asked(options, calls, found)
    made = {"turns": _turns, "levels": _levels, "http2": _http2}
    specs = [spec for name in PARTS if name in parts for spec in made[name](asked)]
    if not specs:
        raise ConfigError("none of these subjects speaks HTTP/2 to its model: choose other --parts")
    series = Series(
        suite="overhead",
        plan=max((spec.plan for spec in specs), key=lambda plan: plan.turns),
        specs=specs,
        calls=calls,
    )
    result = carry_out(series, console)
    return suite_of(result, "Overhead: what the framework adds to a turn")


def plan_of(turns: int, calls: int, rounds: int | None = None) -> tuple[Plan, int]:
    """Return a plan in which each column comes so often in all, and how many rounds that takes.

    Calls have 110 turns, so that what grows is seen, unless fewer are wanted than of a full run.

    Args:
        turns: of each column.
        calls: at a time.
        rounds: unless as many are wanted as calls of 110 turns take.
    """
    rounds = rounds or ceil(turns / (calls * _COLUMN_TURNS))
    each = ceil(turns / (calls * rounds))
    # A call begins anywhere in the cycle: whole ones have the same number of each kind.
    needed = WARM_TURNS + ceil(each / CASES.count(COLUMNS[0])) * len(CASES)
    return Plan(cases=CASES, turns=max(needed, CALL_TURNS if turns >= TURNS else 0)), rounds


def _turns(asked: _Asked) -> Iterator[Spec]:
    options = asked.options
    if options.quick:
        plan = Plan(cases=CASES, turns=7, normal_s=2.0, lead_in_s=0.2, pace=_QUICK_PACE)
        rounds = options.rounds or 1
    else:
        plan, rounds = plan_of(options.turns or TURNS, asked.calls, options.rounds)
    for entry, calls, round_ in interleaved(asked.entries, [asked.calls], rounds):
        yield asked.spec(entry, plan, calls, round_)


def _levels(asked: _Asked) -> Iterator[Spec]:
    quick = asked.options.quick
    for calls in _QUICK_LEVELS if quick else LEVELS:
        if calls == asked.calls and "turns" in (asked.options.parts or PARTS):
            continue  # they are among the turns of that part
        seconds = asked.options.seconds or (_QUICK_LEVEL_S if quick else _level_s(calls))
        plan = Plan(cases=COLUMNS, pace=_QUICK_PACE) if quick else Plan(cases=COLUMNS)
        turns = WARM_TURNS + max(1, round(seconds / plan.normal_s))
        for entry, _, _ in interleaved(asked.entries, [calls], 1):
            yield asked.spec(entry, msgspec.structs.replace(plan, turns=turns), calls)


def _level_s(calls: int) -> float:
    shortest, longest = _LEVEL_S
    return min(longest, max(shortest, _LEVEL_TURNS * Plan().normal_s / calls))


def _http2(asked: _Asked) -> Iterator[Spec]:
    plan = Plan(cases=_CANCELLING, turns=_CANCELLING_TURNS)
    if asked.options.quick:
        plan = Plan(cases=_CANCELLING, turns=5, normal_s=2.0, lead_in_s=0.2, pace=_QUICK_PACE)
    able = [replace(entry, http2=True) for entry in asked.entries if entry.subject.http2]
    for entry in able:
        yield asked.spec(entry, plan, asked.calls)
