"""A case's parts add up, and its outcome is the same each time."""

import pytest

from benchmarks.policy import cases
from benchmarks.policy.cases import Case, run
from benchmarks.policy.policies import DEFAULT, POLICIES
from benchmarks.policy.services import PROFILES

BY_NAME = {policy.name: policy for policy in POLICIES}
FAST, TYPICAL, _ = PROFILES
TURNS = 15


@pytest.fixture(scope="module")
def default():
    return run(Case(BY_NAME[DEFAULT], TYPICAL, TURNS, seed=1))


@pytest.fixture(scope="module")
def plain():
    return run(Case(BY_NAME["off"], TYPICAL, TURNS, seed=1))


def test_the_parts_of_every_response_add_up(default, plain):
    for outcome in (default, plain):
        assert len(outcome.parts) + outcome.unanswered == TURNS
        for parts in outcome.parts:
            whole = parts.detection + parts.preparation + parts.delivery
            assert whole == parts.response > 0
            assert min(parts.detection, parts.preparation, parts.delivery) >= 0


def test_nothing_is_heard_too_early_and_no_promise_is_broken(default, plain):
    assert (default.false_starts, default.broken) == (0, ())
    assert (plain.false_starts, plain.broken) == (0, ())


def test_a_case_is_exact(default):
    assert run(Case(BY_NAME[DEFAULT], TYPICAL, TURNS, seed=1)) == default


def test_a_guess_gains_what_the_same_turn_waits_longer_without_it(default, plain):
    without = {marks.utterance: marks.sounded for marks in plain.marks}
    for parts, marks in zip(default.parts, default.marks, strict=True):
        assert parts.head_start == without[marks.utterance] - marks.sounded
    assert sum(parts.head_start for parts in default.parts) > 0


def test_no_guess_costs_no_draft_and_wastes_no_guess(default, plain):
    assert (plain.drafts, plain.heard) == (0, 0)
    assert default.drafts >= default.heard > 0
    assert default.cost > plain.cost


def test_a_false_start_is_told(monkeypatch):
    breach = "silent before final: reply 1 sounded at 1.000 before its turn was final"
    monkeypatch.setattr(cases, "breaches", lambda heard: [breach])
    outcome = run(Case(BY_NAME["off"], FAST, 2, seed=1))
    assert outcome.false_starts == 1


def test_recordings_are_played_as_flux_heard_them(shared):
    outcome = run(Case(BY_NAME[DEFAULT], FAST, 1, 1, shared / "recordings"))
    assert (outcome.utterances, outcome.cut_off, outcome.false_starts) == (3, 0, 0)
    assert len(outcome.parts) == 3
    assert all(0 < parts.detection < 2_500_000 for parts in outcome.parts)
