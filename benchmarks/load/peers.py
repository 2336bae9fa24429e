"""Suite `peers`: pipecat and LiveKit Agents under the same load as turnkit and the relay.

All subjects get the same callers and the same providers in one run, in turn. Each peer is set up as
well as its documentation allows, for this work: `subjects.pipecat_subject` and
`subjects.livekit_subject` say how, and what that flatters. What cannot be compared is in `CAVEATS`,
and so in the file.
"""

from collections.abc import Iterable, Sequence
from math import ceil

from rich.console import Console

from benchmarks.load.bench import Spec
from benchmarks.load.environments import ENVIRONMENTS, NotInstalled, missing
from benchmarks.load.footprint import footprints
from benchmarks.load.plan import CASES, DEFAULT_CASES, Pace, Plan
from benchmarks.load.results import Result, Run
from benchmarks.load.scale import capacity_of
from benchmarks.load.suite import Options, interleaved, play
from benchmarks.load.summaries import merged

PEERS = ("relay", "turnkit", "pipecat", "livekit")
LEVELS = (10, 25, 50)
TURNS = 100
CAVEATS = """
pipecat: its words wait for EndOfTurn ahead of the voice, whatever is chosen; so the voice's first \
byte is waited for in every eager turn.
livekit: no WebRTC, no Opus, no media server, no frames of 50 ms, and all calls in one process, \
where its product starts one for each. All of that flatters it.
livekit: the bridge to Twilio is the benchmark's own; it sends audio as it comes, without pacing.
livekit: the voice learns of a barge-in when its connection is next asked for, in the next turn; \
until then it speaks to nobody, and is paid.
livekit: a draft is dropped once the words change, not at TurnResumed. Here they change 280 ms \
later; by then the draft is complete, and nothing is left to cancel ("-").
Both peers log warnings only and measure nothing of themselves; turnkit keeps its log, its metrics \
and its timeline, as they are by default.
At a real-time priority Linux keeps 5 % of a core back, so a subject near a whole core is stopped \
by that; turns in which its core stood still are left out, and such a subject has more of them.
What each knows of what was heard, and how each gets over a lost connection, is not compared.
A turn each three seconds is dense talk: of a real call the CPU is less, for all of them.
""".strip().splitlines()

_GAP_S = 0.15
"""Between two calls: setting up a call takes pipecat some 100 ms of its event loop."""
_QUICK = Plan(turns=7, normal_s=2.0, lead_in_s=0.2, pace=Pace(sentence_s=0.4))
_QUICK_CALLS = 12
_QUICK_TIMES = 2
_TIMES = 5


async def peers(
    options: Options,
    console: Console,
    *,
    levels: Sequence[int] = LEVELS,
    turns: int = TURNS,
    quick: bool = False,
    command: str = "",
) -> Result:
    """Measure all of it. Raises LoadFailed, NotInstalled.

    Args:
        options: which subjects, and how.
        console: where progress is shown.
        levels: how many calls at a time.
        turns: of each subject, level and kind of turn, all rounds together.
        quick: in some two minutes, one level, and roughly.
        command: what to write down as the way to get this result.
    """
    require(options.subjects)
    plans = {calls: plan_of(calls, turns, options.rounds) for calls in levels}
    if quick:
        plans = {_QUICK_CALLS: _QUICK}
    taken = await footprints(
        options.subjects,
        options.place(),
        options.logs,
        console,
        times=_QUICK_TIMES if quick else _TIMES,
    )
    specs = [
        Spec(
            subject=subject,
            plan=plans[calls],
            calls=calls,
            gap_s=_GAP_S,
            call_s=plans[calls].call_s,
            place=options.place(),
            end=options.end,
            http2=options.http2,
            round=round_,
            warm_turns=1 if quick else warm_turns_of(calls),
            folder=options.logs,
        )
        for subject, calls, round_ in interleaved(options, plans)
    ]
    longest = max(plans.values(), key=lambda plan: plan.turns)
    result = await play("peers", command, options, longest, specs, console)
    result.footprints = taken
    result.capacity = {name: capacity_of(result.summaries, name) for name in options.subjects}
    result.caveats = [*result.caveats, *CAVEATS]
    return result


def require(names: Iterable[str]) -> None:
    """Raise NotInstalled if an environment that these subjects need is not there."""
    wanted = {"pipecat": ["pipecat"], "livekit": ["livekit"]}
    wanted["turnkit"] = ["turnkit-base", "turnkit-openai"]
    for name in names:
        for environment in wanted.get(name, ()):
            if not ENVIRONMENTS[environment].ready:
                raise NotInstalled(missing(environment))


def plan_of(calls: int, turns: int, rounds: int) -> Plan:
    """Return a plan in which each kind of turn comes so often, over all calls and rounds.

    Args:
        calls: at a time.
        turns: of each kind.
        rounds: of each subject.
    """
    each = ceil(turns / calls / rounds)
    return Plan(turns=warm_turns_of(calls) + each * len(DEFAULT_CASES))


def warm_turns_of(calls: int) -> int:
    """Return how many turns of each call are left out: its first, and those while others begin."""
    shortest_s = sum(Plan().length_s(case) for case in DEFAULT_CASES) / len(DEFAULT_CASES)
    return 1 + ceil(calls * _GAP_S / shortest_s)


def asked_early(runs: Iterable[Run], case: str) -> float | None:
    """Return the share of turns whose request came before the turn was final; None of none.

    A subject whose eager mode is off asks at EndOfTurn, which is as long after the trigger as the
    case says.
    """
    steps = {step.event: step.at_s for step in CASES[case].steps}
    gap_ms = 1000 * (steps["EndOfTurn"] - steps.get("EagerEndOfTurn", steps["EndOfTurn"]))
    found = merged(runs, case, "request")
    return sum(ms < gap_ms for ms in found) / len(found) if found else None
