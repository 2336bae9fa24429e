"""Suite `peers`: pipecat and LiveKit Agents under the same load as turnkit and the relay.

All subjects get the same callers and the same providers in one run, in turn. Each peer is set up as
well as its documentation allows, for this work: `load.subjects.pipecat_subject` and
`load.subjects.livekit_subject` say how, and what that flatters. What cannot be compared is in
`CAVEATS`, and so in the report.
"""

from collections.abc import Iterable
from math import ceil

from rich.console import Console

from benchmarks.load.capacity import capacities, passed, undecided
from benchmarks.load.entries import entries
from benchmarks.load.environments import ENVIRONMENTS, missing
from benchmarks.load.figures import suite_of
from benchmarks.load.plan import DEFAULT_CASES, Pace, Plan
from benchmarks.load.run import Spec
from benchmarks.load.series import Series, carry_out, interleaved
from benchmarks.results import SuiteResult
from benchmarks.suites import Options
from turnkit.errors import ConfigError

SUBJECTS = ("relay", "turnkit", "pipecat", "livekit")
LEVELS = (10, 25, 50, 100, 200)
"""A subject whose capacity is passed is not run with more."""
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

_ROUNDS = 2
_TIMES = 5
_GAP_S = 0.15
"""Between two calls: setting up a call takes pipecat some 100 ms of its event loop."""
_QUICK = Plan(turns=7, normal_s=2.0, lead_in_s=0.2, pace=Pace(sentence_s=0.4))
_QUICK_CALLS = 12
_QUICK_TIMES = 2


def run(options: Options, console: Console) -> SuiteResult:
    """Run it. Raises ConfigError, and TurnkitError where the load could not be run."""
    subjects = options.subjects or SUBJECTS
    rounds = options.rounds or (1 if options.quick else _ROUNDS)
    found = entries(subjects)
    require(subjects)
    levels = sorted(options.calls or LEVELS)
    plans = {calls: plan_of(calls, options.turns or TURNS, rounds) for calls in levels}
    if options.quick:
        plans = {_QUICK_CALLS: _QUICK}
    specs = [
        Spec(
            entry=entry,
            plan=plans[calls],
            calls=calls,
            gap_s=_GAP_S,
            call_s=plans[calls].call_s,
            realtime=options.realtime,
            round=round_,
            warm_turns=1 if options.quick else warm_turns_of(calls),
            folder=options.logs,
        )
        for entry, calls, round_ in interleaved(found, plans, rounds)
    ]
    series = Series(
        suite="peers",
        plan=max(plans.values(), key=lambda plan: plan.turns),
        specs=specs,
        enough=passed,
        footprints_of=subjects,
        times=_QUICK_TIMES if options.quick else _TIMES,
        caveats=CAVEATS,
    )
    result = carry_out(series, console)
    result.capacity = capacities(result.rows)
    if doubt := undecided(result):
        result.caveats.insert(0, f"No capacity can be read from this run: {doubt}.")
    return suite_of(result, "Peers: the same load on other frameworks")


def require(names: Iterable[str]) -> None:
    """Raise ConfigError if an environment that these subjects need is not there."""
    wanted = {"pipecat": ["pipecat"], "livekit": ["livekit"]}
    wanted["turnkit"] = ["turnkit-base", "turnkit-openai"]
    for name in names:
        for environment in wanted.get(name, ()):
            if not ENVIRONMENTS[environment].ready:
                raise ConfigError(missing(environment))


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
