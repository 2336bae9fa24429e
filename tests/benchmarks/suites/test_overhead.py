"""How many turns of what the suite has, and who takes part in which part."""

from collections import Counter
from io import StringIO

import pytest
from rich.console import Console

from benchmarks.load.plan import COLUMNS
from benchmarks.suites import Options
from benchmarks.suites.overhead import CASES, TURNS, WARM_TURNS, plan_of, run
from turnkit.errors import ConfigError


@pytest.mark.parametrize("calls", [1, 10, 20, 50, 100])
def test_each_column_comes_a_thousand_times(calls):
    plan, rounds = plan_of(TURNS, calls)
    counts = Counter()
    for call in range(calls):
        counts.update(plan.order(call)[WARM_TURNS:])
    assert all(counts[case] * rounds >= TURNS for case in COLUMNS)


@pytest.mark.parametrize("calls", [10, 20, 50])
def test_calls_are_so_long_that_what_grows_is_seen(calls):
    plan, _ = plan_of(TURNS, calls)
    assert plan.turns >= 110


def test_what_comes_after_a_barge_in_is_heard_to_its_end():
    both = zip(CASES, (*CASES[1:], CASES[0]), strict=True)
    assert all(second == "after" for first, second in both if first == "barge")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"parts": ("turn",)}, "no part 'turn'; choose from turns, levels, http2"),
        ({"parts": ("http2",), "subjects": ("relay",)}, "speaks HTTP/2"),
    ],
)
def test_a_mistake_is_named(given, said):
    with pytest.raises(ConfigError, match=said):
        run(Options(**given), Console(file=StringIO()))
