"""The people of the policy suite are like those of whom figures are published."""

import numpy as np
import pytest

from benchmarks.policy.detector import Thresholds, detect
from benchmarks.policy.people import talk
from turnkit.testing.flux_rules import RULES
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

TURNS = 1500


@pytest.fixture(scope="module")
def people():
    return talk(TURNS)


def test_the_same_seed_says_the_same():
    assert talk(20, seed=3) == talk(20, seed=3)
    assert talk(20, seed=3) != talk(20, seed=4)


def test_the_end_is_known_as_soon_as_is_published_of_flux(people):
    turns = [turn for turn in detect(people, Thresholds()).turns if turn.complete]
    delays = [turn.final_at - people[turn.utterance].ended_at for turn in turns]
    assert 0.24 <= np.median(delays) <= 0.30
    assert np.percentile(delays, 95) <= 1.5
    assert min(delays) > 0


def test_one_in_eight_pauses_is_taken_for_an_end(people):
    cut = sum(not turn.complete for turn in detect(people, Thresholds()).turns)
    pauses = sum(
        b.speaking and not a.speaking and b.at < person.ended_at
        for person in people
        for a, b in zip(person.frames, person.frames[1:], strict=False)
    )
    assert 0.10 <= cut / pauses <= 0.16


def test_an_eager_end_leads_as_is_published_and_costs_half_as_much_again(people):
    detected = detect(people, Thresholds(0.3))
    announced, leads, eager = {}, [], 0
    for at, event in detected.events:
        match event:
            case EagerEndOfTurn(turn):
                announced[turn], eager = at, eager + 1
            case TurnResumed(turn):
                announced.pop(turn)
            case EndOfTurn(turn) if turn in announced:
                leads.append(at - announced[turn])
    assert 0.08 <= np.median(leads) <= 0.17
    assert 0.30 <= np.percentile(leads, 95) <= 0.40
    assert 1.4 <= eager / TURNS <= 1.7


def test_events_keep_fluxs_order(people):
    open_turn, announced, last_at = None, None, 0.0
    for at, event in detect(people, Thresholds(0.3)).events:
        assert at >= last_at, RULES["I14"]
        last_at = at
        match event:
            case StartOfTurn(turn):
                assert open_turn is None
                open_turn = turn
            case EagerEndOfTurn(turn, words):
                assert (turn, announced) == (open_turn, None)
                announced = words
            case TurnResumed(turn):
                assert turn == open_turn
                assert announced is not None
                announced = None
            case EndOfTurn(turn, words):
                assert turn == open_turn
                assert announced in (None, words)
                open_turn = announced = None


def test_without_an_eager_threshold_there_is_no_guess(people):
    events = [event for _, event in detect(people, Thresholds(None)).events]
    assert not any(isinstance(event, EagerEndOfTurn | TurnResumed) for event in events)
