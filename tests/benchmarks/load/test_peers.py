"""What the comparison runs, and what it makes of it; the peers themselves are not run here."""

from collections import Counter
from dataclasses import dataclass, replace
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks.load.__main__ import app
from benchmarks.load.environments import ENVIRONMENTS, NotInstalled
from benchmarks.load.footprint import sized
from benchmarks.load.peers import asked_early, plan_of, require, warm_turns_of
from benchmarks.load.peers_tables import show_peers, undecided
from benchmarks.load.plan import DEFAULT_CASES, Plan
from benchmarks.load.results import Counts, Frames, Harness, Machine, Process, Result, Run
from benchmarks.load.subjects import SUBJECTS
from benchmarks.load.summaries import rows


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
    with pytest.raises(NotInstalled, match=r"pipecat is not installed.*peers --install"):
        require(["relay", "pipecat"])
    require(["relay"])


def test_a_subject_without_its_environment_is_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(
        SUBJECTS, "pipecat", replace(SUBJECTS["pipecat"], python=str(tmp_path / "x"))
    )
    said = CliRunner().invoke(app, ["peers", "--subjects", "pipecat"])
    assert said.exit_code == 2
    assert "peers --install" in said.output


def result_of(*subjects):
    runs = [run(subject) for subject in subjects]
    return Result(
        suite="peers",
        command="python -m benchmarks.load peers",
        began="2026-11-20T12:00:00+00:00",
        seconds=1.0,
        machine=Machine("a", 2, 1024, "Linux", "3.11", 0.5),
        placement="",
        plan=Plan(),
        subjects=dict.fromkeys(subjects, "a subject"),
        versions={subject: {"python": "3.11"} for subject in subjects},
        runs=runs,
        summaries=rows(runs),
        footprints=[sized("some[extra]", (5_000_000, 2))],
    )


def run(subject):
    parts = {"request": [2.0], "synthesis": [1.0], "delivery": [0.5], "overhead": [3.5]}
    return Run(
        subject=subject,
        calls=10,
        at_once=10,
        round=0,
        end="twilio",
        samples={"eager200": parts, "barge": {"clear": [0.7]}},
        by_turn={},
        counts=Counts(10, 0, 6, 6, 0, 0, 1, 6, 1, 1, 1, 0, 0),
        frames=Frames(100, 0.0, 0, 0.0, None),
        process=Process(1.0, 10.0, 50.0, 60.0),
        harness=Harness(None, 0.1, 0.1, 0.0),
    )


def test_the_tables_hold_every_subject_its_figures_and_its_size():
    said = StringIO()
    show_peers(result_of("relay", "pipecat"), Console(file=said, width=200))
    text = said.getvalue()
    for wanted in ("3.5 / 3.5 / 3.5 (1)", "2.0 / 1.0 / 0.5", "0.7 / 0.7", "some[extra]", "100%"):
        assert wanted in text
    assert text.count("pipecat") >= 5


def test_environments_are_made_of_what_the_subjects_run_in():
    for name in ("pipecat", "livekit"):
        assert SUBJECTS[name].python == ENVIRONMENTS[name].python


def test_where_the_control_is_stopped_no_capacity_is_read():
    result = result_of("relay", "pipecat")
    result.capacity = {"relay": {"next": 25.0}, "pipecat": {"next": 50.0}}
    assert "the relay, too, was over at 25 calls" in undecided(result)


def test_where_the_load_was_late_it_says_for_whom():
    result = result_of("relay", "pipecat")
    assert undecided(result) == "the load was late itself: relay at 10, pipecat at 10"
    for row in result.summaries:
        row.harness_sound = True
    assert not undecided(result)
