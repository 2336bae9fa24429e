"""The report's section on suite `policy`."""

from collections.abc import Callable
from statistics import fmean, median
from typing import Any

from benchmarks.policy.policies import DEFAULT
from benchmarks.report.charts import (
    Axes,
    Bar,
    Point,
    Segment,
    Series,
    bars,
    lines,
    lower_left,
    percentiles,
    scatter,
)
from benchmarks.report.html import Section, Tile, figure, for_both, key, panels, tables
from benchmarks.report.svg import element, text
from benchmarks.results import SuiteResult

_SHOWN = "typical"
_PLAIN = "off"
_NAMED = (_PLAIN, "llm", DEFAULT, "llm+tts@0.3", "llm+tts@0.3/hold")
_HAIR_MS = 0.05
_DRAWN = ("fast", _SHOWN)
_POLICIES = (_PLAIN, "llm", DEFAULT, "llm+tts@0.3")
_KEY = [
    ("detection", "Flux decides that the turn is over"),
    ("model", "the model's first clause"),
    ("voice", "the voice's first sound"),
    ("wait", "ready, and silent until the turn is final"),
]


def section(suite: SuiteResult) -> Section:
    """Write it."""
    found = _Found(suite)
    body = _timeline(found) + _frontier(found) + _distributions(found) + _parts(found)
    return Section("policy", suite.title, body + tables(suite.tables), _tiles(found, suite))


class _Found:
    """A policy suite's figures, by place."""

    def __init__(self, suite: SuiteResult) -> None:
        self.outcomes: list[dict[str, Any]] = suite.detail["outcomes"]
        self.timelines: list[dict[str, Any]] = suite.detail["timelines"]
        self._metrics = {metric.name: metric for metric in suite.metrics}

    def samples(self, conversation: str, profile: str, policy: str, figure: str) -> list[float]:
        metric = self._metrics.get(f"policy.{conversation}.{profile}.{policy}.{figure}")
        return metric.samples if metric is not None else []

    def of(self, conversation: str, profile: str) -> list[dict[str, Any]]:
        return [
            outcome
            for outcome in self.outcomes
            if (outcome["conversation"], outcome["profile"]) == (conversation, profile)
            and outcome["means_ms"]
        ]

    @property
    def profiles(self) -> list[str]:
        return list(dict.fromkeys(outcome["profile"] for outcome in self.outcomes))

    def mean(self, policy: str, figure: str = "response", profile: str = _SHOWN) -> float:
        samples = self.samples("scripted", profile, policy, figure)
        return fmean(samples) if samples else 0.0


def _tiles(found: _Found, suite: SuiteResult) -> tuple[Tile, ...]:
    command = f"turnkit bench {suite.name}"
    default = found.samples("scripted", _SHOWN, DEFAULT, "response")
    plain = found.samples("scripted", _SHOWN, _PLAIN, "response")
    false_starts = sum(outcome["false_starts"] for outcome in found.outcomes)
    turns = sum(outcome["utterances"] for outcome in found.outcomes)
    return (
        Tile(
            f"{median(default):.0f}",
            "ms",
            f"from the end of speech to the first sound, median, by default; {median(plain):.0f} "
            "without a guess (typical model and voice)",
            command,
        ),
        Tile(
            f"{false_starts}",
            f"of {turns:,} turns",
            "in which something was heard that should not have been",
            command,
        ),
    )


def _timeline(found: _Found) -> str:
    """Draw one turn under several policies, with two models and voices."""
    answers = {
        line["profile"]: line["answers"]
        for line in found.timelines
        if line["conversation"] == "scripted" and line["profile"] in _DRAWN
    }
    if _SHOWN not in answers:
        return ""
    drawn = [
        element("h4", text(f"{profile} model and voice")) + for_both(_rows(answers[profile]))
        for profile in _DRAWN
        if profile in answers
    ]
    sooner = [
        f"{_sounded(by_policy[_PLAIN]) - _sounded(by_policy[DEFAULT]):.0f}"
        for by_policy in answers.values()
    ]
    return figure(
        f"An answer begun on a guess is heard {' to '.join(dict.fromkeys(sooner))} ms sooner",
        "A turn that a guess helps as much as the median one; time since the last word was out. "
        "@0.3 is a lower threshold for the eager end.",
        key(_KEY, "EndOfTurn, and the first sound") + "".join(drawn),
    )


def _rows(answers: dict[str, Any]) -> Callable[[float], str]:
    rows = [
        Bar(
            name,
            _stretches(answers[name]),
            f"{_sounded(answers[name]):.0f} ms",
            [(answers[name]["final"], "EndOfTurn"), (_sounded(answers[name]), "first sound")],
        )
        for name in _POLICIES
        if name in answers
    ]
    return lambda width: bars(
        rows, "ms since the end of speech", width, says="One turn under several policies"
    )


def _sounded(marks: dict[str, Any]) -> float:
    return float(marks["sounded"])


def _stretches(marks: dict[str, Any]) -> list[Segment]:
    """Return the stretches of one answer, in order of time."""
    started, final, sounded = marks["started"], marks["final"], marks["sounded"]
    voiced = marks["voiced"] if marks["voiced"] is not None else sounded
    ready = marks["ready"] if marks["ready"] is not None else sounded
    found = [Segment(0.0, min(started, final), "detection", "until the answer is begun")]
    found.append(Segment(started, voiced, "model", f"model: {voiced - started:.0f} ms"))
    if voiced < ready:
        found.append(Segment(voiced, ready, "voice", f"voice: {ready - voiced:.0f} ms"))
    if ready < sounded:
        found.append(Segment(ready, sounded, "wait", f"held: {sounded - ready:.0f} ms"))
    return [piece for piece in found if piece.end > piece.start]


def _frontier(found: _Found) -> str:
    """Draw latency against cost, for each model and voice."""
    drawings = []
    for profile in found.profiles:
        outcomes = [o for o in found.of("scripted", profile) if "/eot" not in o["policy"]]
        points = [
            (
                o["cost"] / o["utterances"] * 1000,
                o["means_ms"]["response"],
                o["policy"],
            )
            for o in outcomes
        ]
        edge = lower_left([(x, y) for x, y, _ in points])
        dots = [Point(x, y, name, _colour(name), name in _NAMED) for x, y, name in points]
        axes = Axes("$ per 1,000 turns", "mean response, ms", f"{profile} model and voice")
        drawings.append(scatter(axes, dots, edge))
    share = found.mean(DEFAULT, "cost") / (found.mean(_PLAIN, "cost") or 1) - 1
    sooner = found.mean(_PLAIN) - found.mean(DEFAULT)
    return figure(
        f"By default {sooner:.0f} ms on average are bought with {share:.0%} more for model and "
        "voice",
        "Each dot is a policy. No policy is both cheaper and faster than those on the dotted line. "
        "Response is from the end of speech to the first sound; eot_threshold is 0.7 for all.",
        key([("relay", "no guess"), ("model", "words ahead"), ("turnkit", "words and sound ahead")])
        + panels(drawings),
    )


def _colour(policy: str) -> str:
    if policy.startswith("off"):
        return "relay"
    return "turnkit" if policy.startswith("llm+tts") else "model"


def _distributions(found: _Found) -> str:
    """Draw response times by percentile, on each kind of conversation and with each model."""
    drawings = []
    for conversation in dict.fromkeys(o["conversation"] for o in found.outcomes):
        for profile in found.profiles:
            series = [
                Series(name, _colour(name), percentiles(samples))
                for name in (_PLAIN, DEFAULT)
                if (samples := found.samples(conversation, profile, name, "response"))
            ]
            count = len(found.samples(conversation, profile, DEFAULT, "response"))
            title = f"{conversation}, {profile} ({count} turns)"
            axes = Axes("share of turns", "ms", title, x_kind="nines")
            if series:
                drawings.append(lines(axes, series))
    plain, default = (
        median(found.samples("scripted", _SHOWN, policy, "response"))
        for policy in (_PLAIN, DEFAULT)
    )
    return figure(
        f"The median falls from {plain:.0f} to {default:.0f} ms; the slowest turns are those whose "
        "end is hard to tell",
        "From the end of speech to the first sound, by percentile; the axis is stretched towards "
        "the slowest turns. Recorded conversations are real Flux sessions, three of them, played "
        "again with other draws of model and voice.",
        panels(drawings),
    )


def _parts(found: _Found) -> str:
    """Draw what the mean response is made of, policy by policy."""
    outcomes = found.of("scripted", _SHOWN)

    def row(outcome: dict[str, Any]) -> Bar:
        means = outcome["means_ms"]
        detection, response = means["detection"], means["response"]
        prepared = detection + means["preparation"]
        pieces = [
            Segment(0.0, detection, "detection", f"detection: {detection:.0f} ms"),
            Segment(detection, prepared, "turnkit", f"preparation: {means['preparation']:.0f} ms"),
            Segment(prepared, response, "bad", f"delivery: {means['delivery']:.0f} ms"),
        ]
        drafts = outcome["drafts"] / outcome["utterances"]
        said = f"{response:.0f} ms, {drafts:.2f} drafts"
        return Bar(outcome["policy"], [p for p in pieces if p.end > p.start + _HAIR_MS], said)

    rows = [row(outcome) for outcome in sorted(outcomes, key=_response, reverse=True)]
    return figure(
        "What a person waits for: the end being noticed, then what is not prepared by then",
        "Mean of scripted turns with a typical model and voice. Delivery is nothing here: virtual "
        "time shows what a policy costs, and the other suites what the code does. A higher "
        "eot_threshold (eot0.8) is slower to notice and cuts fewer people off.",
        key([("detection", "detection"), ("turnkit", "preparation"), ("bad", "delivery")])
        + for_both(
            lambda width: bars(rows, "ms since the end of speech", width, says="Parts by policy")
        ),
    )


def _response(outcome: dict[str, Any]) -> float:
    return float(outcome["means_ms"]["response"])
