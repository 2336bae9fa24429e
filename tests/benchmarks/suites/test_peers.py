"""What the comparison runs, and what it makes of it; the peers themselves are not run here."""

from collections import Counter
from dataclasses import dataclass

import pytest

from benchmarks.load.environments import ENVIRONMENTS
from benchmarks.load.plan import DEFAULT_CASES
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.summaries import asked_early
from benchmarks.suites.peers import plan_of, require, warm_turns_of
from turnkit.errors import ConfigError


@dataclass
class Samples:
    samples: dict[str, dict[str, list[float]]]


def test_each_kind_of_turn_comes_as_often_as_was_asked_for():
    plan = plan_of(calls=25, turns=100, rounds=2)
    warm = warm_turns_of(25)
    counts = Counter()
    for call in range(25):
        counts.update(plan.order(call)[warm:])
    assert counts == dict.fromkeys(DEFAULT_CASES, 50)


def test_turns_while_other_calls_are_being_set_up_do_not_count():
    assert warm_turns_of(1) < warm_turns_of(50) < warm_turns_of(200)


def test_who_asks_before_the_turn_is_final_speculates():
    runs = [Samples({"eager200": {"request": [3.0, 4.0]}}), Samples({"eager200": {"request": [5]}})]
    assert asked_early(runs, "eager200") == 1.0
    assert asked_early([Samples({"eager400": {"request": [403.0, 3.0]}})], "eager400") == 0.5


def test_a_turn_that_is_final_at_once_cannot_be_asked_about_early():
    assert asked_early([Samples({"plain": {"request": [3.0]}})], "plain") == 0.0


def test_of_no_turns_nothing_is_said():
    assert asked_early([], "eager200") is None


def test_a_missing_environment_is_named_with_what_to_run(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.load.environments.FOLDER", tmp_path)
    with pytest.raises(ConfigError, match=r"pipecat is not installed.*turnkit bench --install"):
        require(["relay", "pipecat"])
    require(["relay"])


def test_environments_are_made_of_what_the_subjects_run_in():
    for name in ("pipecat", "livekit"):
        assert SUBJECTS[name].python == ENVIRONMENTS[name].python


def test_the_tables_hold_every_subject_its_figures_and_its_size(loaded):
    subjects = ("relay", "turnkit", "pipecat", "livekit")
    tables = {one.title: one for one in loaded("peers", subjects=subjects).tables}
    for title in ("Overhead of a turn, 10 calls: ms", "Interrupted, 10 calls: ms, p50/p99"):
        assert set(subjects) <= {cell for row in tables[title].rows for cell in row}
    assert [row[0] for row in tables["Capacity"].rows] == list(subjects)
    assert tables["Before the first call"].rows[0][:3] == ["turnkit", "88", "30"]
