"""A target is held or missed by the worst of its figures, and one without figures is not judged."""

import msgspec
import pytest

from benchmarks.results import metric
from benchmarks.targets import Target, standings, table_of, targets
from tests.benchmarks.conftest import result_of, suite


def result(**samples):
    names = {name.replace("__", "."): values for name, values in samples.items()}
    return result_of(suite("overhead", *(metric(name, "ms", [v]) for name, v in names.items())))


def judged(target, **samples):
    (found,) = standings(result(**samples), [target])
    return found


def test_what_is_at_most_the_limit_is_held():
    target = Target("it is fast", ["a.ours"], at_most=2.0)
    assert judged(target, a__ours=[1.0, 2.0, 3.0]).held
    assert not judged(target, a__ours=[1.0, 2.1, 3.0]).held


def test_of_several_figures_the_worst_counts():
    target = Target("all are fast", ["a.*"], at_most=2.0)
    found = judged(target, a__one=[1.0], a__two=[9.0], a__three=[3.0])
    assert (found.metric, found.value, found.held) == ("a.two", 9.0, False)


def test_what_more_is_better_of_is_held_from_the_limit_up():
    target = Target("it carries much", ["a.*"], at_least=200.0)
    assert judged(target, a__calls=[200.0]).held
    found = judged(target, a__calls=[400.0], a__fewer=[100.0])
    assert (found.value, found.held) == (100.0, False)


def test_a_figure_is_held_against_another_ones_multiple():
    target = Target("near", ["a.ours.*"], against=("ours", "base"), times=3.0, plus=0.3)
    assert judged(target, a__ours__x=[0.9], a__base__x=[0.2]).held
    found = judged(target, a__ours__x=[0.91], a__base__x=[0.2])
    assert (round(found.limit, 6), found.held) == (0.9, False)


def test_without_figures_nothing_is_said():
    target = Target("near", ["a.ours"], against=("ours", "base"))
    assert standings(result(a__ours=[1.0]), [target]) == []
    assert standings(result(b__ours=[1.0]), [Target("x", ["a.*"], at_most=1.0)]) == []


def test_a_tail_of_few_samples_is_marked_as_that():
    tail = Target("slowest", ["a.ours"], stat="p99", at_most=9.0)
    few = table_of([judged(tail, a__ours=[1.0] * 99)])
    many = table_of([judged(tail, a__ours=[1.0] * 100)])
    assert any("slowest" in note for note in few.notes)
    assert not any("slowest" in note for note in many.notes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": 1.0, "stat": "p98"},
        {"at_most": 1.0, "at_least": 1.0},
        {},
        {"at_most": 1.0, "limit": 2.0},
    ],
)
def test_a_target_that_says_nothing_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"says": "x", "metric": ["a"], **wrong}, Target)


def test_the_targets_of_the_project_are_about_figures_that_the_suites_have(loaded):
    suites = [
        loaded("overhead", subjects=("relay", "turnkit", "turnkit-http2"), levels=(20, 1, 100)),
        loaded("scale", levels=(50, 100, 200)),
        loaded("soak"),
        loaded("peers", subjects=("relay", "turnkit", "pipecat", "livekit"), levels=(10, 50)),
    ]
    wanted = [one for one in targets() if not one.metric[0].startswith("footprint.")]
    found = standings(result_of(*suites), wanted)
    assert [one.target.says for one in found] == [one.says for one in wanted]
