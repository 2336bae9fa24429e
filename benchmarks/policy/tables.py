"""The policies side by side, a table for each model and voice. Pure."""

from collections.abc import Iterable, Sequence
from statistics import fmean

import numpy as np

from benchmarks.policy.cases import Outcome
from benchmarks.results import Cell, Table

_COLUMNS = [
    "policy",
    "p50",
    "p95",
    "parts",
    "gain",
    "drafts",
    "waste",
    "$/1000",
    "cut",
]
_NOTES = [
    (
        "p50, p95: from the end of speech to the first sound, in ms. Parts: the means of "
        "detection, preparation and delivery, whose sum is its mean. Gain: how much later it would "
        "have come on average without a guess. Drafts: a turn. Waste: the share of the cost. "
        "$/1000: a thousand turns. Cut: turns that Flux ended too soon."
    )
]


def tables(outcomes: Sequence[Outcome]) -> list[Table]:
    """Return a table for each conversation and profile, in their order."""
    places = dict.fromkeys((outcome.conversation, outcome.profile) for outcome in outcomes)
    return [_table(*place, [o for o in outcomes if _place(o) == place]) for place in places]


def _place(outcome: Outcome) -> tuple[str, str]:
    return outcome.conversation, outcome.profile


def _table(conversation: str, profile: str, outcomes: Iterable[Outcome]) -> Table:
    rows = [_row(outcome) for outcome in outcomes if outcome.parts]
    return Table(f"{conversation} conversations, {profile} model and voice", _COLUMNS, rows, _NOTES)


def _row(outcome: Outcome) -> list[Cell]:
    parts = outcome.parts
    responses = [one.response / 1000 for one in parts]
    p50, p95 = np.percentile(responses, [50, 95])
    means = [
        fmean(getattr(one, part) for one in parts) / 1000
        for part in ("detection", "preparation", "delivery")
    ]
    return [
        outcome.policy,
        f"{p50:.0f}",
        f"{p95:.0f}",
        "+".join(f"{mean:.0f}" for mean in means),
        f"{fmean(one.head_start for one in parts) / 1000:.0f}",
        f"{outcome.drafts / outcome.utterances:.2f}",
        f"{outcome.cost_wasted / (outcome.cost or 1):.0%}",
        f"{outcome.cost / outcome.utterances * 1000:.2f}",
        str(outcome.cut_off),
    ]
