"""Suite `policy`: every policy with every model and voice, on people and on recordings."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median_low

from rich.console import Console

from benchmarks.policy.cases import Case, Outcome, Parts
from benchmarks.policy.cases import run as run_case
from benchmarks.policy.policies import (
    CHARACTER_PRICE,
    DEFAULT,
    POLICIES,
    QUICK,
    RECORDED,
    TOKEN_PRICE,
)
from benchmarks.policy.services import PROFILES
from benchmarks.policy.tables import tables
from benchmarks.results import Metric, SuiteResult, metric
from benchmarks.suites import Options
from benchmarks.terminal import bar
from benchmarks.turns.pool import carried_out, processes
from turnkit.errors import ConfigError

TURNS = 100
_QUICK_TURNS = 40
_SEED = 1
_TIMES = 4
"""How often each recording is played, with other draws of the model and the voice."""

SHARED = Path(os.environ.get("SHARED_FOLDER", Path(__file__).resolve().parents[3] / "shared"))
"""Where recordings are looked for: beside the checkout."""

_CAVEATS = [
    "Virtual time: no code takes any. What turnkit's own adds is measured by the suite overhead.",
    "The people are random, made to fit what is published of Flux; recordings are real, and few.",
    (
        "Flux looks every 80 ms and tells of updates every 240: eager ends of recordings, found "
        "in their updates, come up to 160 ms late."
    ),
    (
        "How fast models and voices are is assumed (benchmarks/policy/services.py), and so are "
        f"prices: {TOKEN_PRICE:g} dollars a million tokens, {CHARACTER_PRICE:g} a million "
        "characters."
    ),
]


def run(options: Options, console: Console) -> SuiteResult:
    """Play all cases. Raises ConfigError."""
    cases = list(cases_of(options))
    found: dict[Case, Outcome] = {}
    with bar("policy", len(cases), console) as progress:
        for case, outcome in carried_out(_run, cases, processes()):
            found[case] = outcome
            progress.advance(1)
    return suite_of([found[case] for case in cases])


def suite_of(outcomes: Sequence[Outcome]) -> SuiteResult:
    """Make a result of what came of the cases."""
    return SuiteResult(
        name="policy",
        title="Policy: how long a person waits, and what that costs",
        metrics=[figure for outcome in outcomes for figure in metrics_of(outcome)],
        tables=tables(outcomes),
        failures=list(_failures(outcomes)),
        caveats=list(_CAVEATS),
        detail={
            "outcomes": [_without_samples(outcome) for outcome in outcomes],
            "timelines": list(_timelines(outcomes)),
        },
    )


def cases_of(options: Options) -> Iterator[Case]:
    """Give what is to be played. Raises ConfigError where a folder asked for is not there."""
    turns = options.turns or (_QUICK_TURNS if options.quick else TURNS)
    policies = QUICK if options.quick else POLICIES
    for profile in PROFILES:
        for policy in policies:
            yield Case(policy, profile, turns, _SEED)
    recordings = options.recordings or SHARED / "recordings"
    if options.recordings is not None and not any(recordings.glob("*.flux.json")):
        raise ConfigError(f"no recordings (NAME.flux.json) in {recordings}")
    if any(recordings.glob("*.flux.json")):
        for profile in PROFILES:
            for policy in policies:
                if policy in RECORDED:
                    yield Case(policy, profile, _TIMES, _SEED, recordings)


def metrics_of(outcome: Outcome) -> list[Metric]:
    """Return what a case came to, as metrics without chance in them."""
    name = f"policy.{outcome.conversation}.{outcome.profile}.{outcome.policy}"
    by_part: dict[str, list[float]] = defaultdict(list)
    for parts in outcome.parts:
        for part, us in asdict(parts).items():
            by_part[part].append(us / 1000)
        by_part["after_end"].append((parts.response - parts.detection) / 1000)
    found = [
        metric(
            f"{name}.{part}",
            "ms",
            [samples],
            better="higher" if part == "head_start" else "lower",
            exact=True,
        )
        for part, samples in by_part.items()
    ]
    said = outcome.utterances
    for what, unit, value in (
        ("drafts", "a turn", outcome.drafts / said),
        ("cost", "$/1000 turns", outcome.cost / said * 1000),
        ("waste", "$/1000 turns", outcome.cost_wasted / said * 1000),
        ("false_starts", "count", float(outcome.false_starts)),
    ):
        found.append(metric(f"{name}.{what}", unit, [[value]], exact=True))
    return found


def _run(case: Case) -> tuple[Case, Outcome]:
    return case, run_case(case)


def _failures(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """Give what must not be: a promise broken, and above all a false start that was heard."""
    for outcome in outcomes:
        name = f"{outcome.conversation}, {outcome.profile}, {outcome.policy}"
        if outcome.false_starts:
            yield f"{name}: {outcome.false_starts} false starts were heard"
        for breach in outcome.broken[:3]:
            yield f"{name}: {breach}"


def _without_samples(outcome: Outcome) -> dict[str, object]:
    """Return an outcome as JSON; its samples are in the metrics, and its means go here."""
    shown = {k: v for k, v in asdict(outcome).items() if k not in ("parts", "marks")}
    return shown | {"means_ms": means(outcome.parts)}


def _timelines(outcomes: Sequence[Outcome]) -> Iterator[dict[str, object]]:
    """Give one utterance's answer under each policy: that which a guess helped as the median one.

    Instants are in milliseconds since the end of speech.
    """
    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        groups[outcome.conversation, outcome.profile].append(outcome)
    for (conversation, profile), group in groups.items():
        default = next(outcome for outcome in group if outcome.policy == DEFAULT)
        chosen = _telling(default)
        if chosen is None:
            continue
        yield {
            "conversation": conversation,
            "profile": profile,
            "answers": {
                outcome.policy: {
                    name: None if us is None else us / 1000
                    for name, us in asdict(marks).items()
                    if name != "utterance"
                }
                for outcome in group
                for marks in outcome.marks
                if marks.utterance == chosen
            },
        }


def _telling(outcome: Outcome) -> int | None:
    """Return the utterance whose gain, and then whose response, is nearest the median."""
    both = zip(outcome.parts, outcome.marks, strict=True)
    gained = [(p.head_start, p.response, m.utterance) for p, m in both if p.head_start]
    if not gained:
        return None
    usual = median_low(gain for gain, _, _ in gained)
    wait = median_low(parts.response for parts in outcome.parts)
    return min(gained, key=lambda one: (abs(one[0] - usual), abs(one[1] - wait)))[2]


def means(parts: Sequence[Parts]) -> dict[str, float]:
    """Return the mean of each part in milliseconds: they add up as the parts do."""
    if not parts:
        return {}
    names = ("detection", "preparation", "delivery", "response", "head_start")
    return {name: sum(getattr(p, name) for p in parts) / len(parts) / 1000 for name in names}
