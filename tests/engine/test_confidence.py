"""How sure the engine is that a turn is over."""

from itertools import pairwise

import pytest

from turnkit.engine.confidence import AVERAGE_PRIOR, Confidence, in_pause

FRAME_S = 0.08


@pytest.mark.parametrize(
    ("threshold", "silence_s"),
    [(0.3, 0.17), (0.4, 0.36), (0.5, 0.53), (0.6, 0.72), (0.7, 0.95), (0.8, 1.27), (0.9, 1.84)],
)
def test_with_the_average_prior_a_threshold_is_a_length_of_silence(threshold, silence_s):
    assert in_pause(silence_s - 0.01) < threshold < in_pause(silence_s + 0.01)


@pytest.mark.parametrize(
    ("prior", "threshold", "silence_s"), [(0.1, 0.5, 1.16), (0.5, 0.7, 0.46), (0.8, 0.9, 0.45)]
)
def test_a_cue_moves_the_prior_and_with_it_the_silence(prior, threshold, silence_s):
    assert in_pause(silence_s - 0.02, prior) < threshold < in_pause(silence_s + 0.02, prior)


def test_the_shortest_pause_is_worth_the_prior():
    assert in_pause(0.1) == pytest.approx(AVERAGE_PRIOR)


def test_it_rises_all_through_a_pause_from_nothing_to_certainty():
    course = [in_pause(n / 1000) for n in range(5000)]
    assert course[0] == 0.0
    assert all(earlier < later for earlier, later in pairwise(course))
    assert max(later - earlier for earlier, later in pairwise(course)) < 0.003
    assert in_pause(60.0) == pytest.approx(1.0, abs=1e-4)
    assert in_pause(1e9) <= 1.0


def test_it_falls_when_speech_goes_on():
    confidence = Confidence()
    assert confidence.in_turn(0.7, FRAME_S) == 0.7
    assert confidence.in_turn(None, FRAME_S) == pytest.approx(0.35)


def test_between_turns_it_decays_to_next_to_nothing():
    confidence = Confidence()
    confidence.in_turn(0.7, FRAME_S)
    course = [confidence.between_turns(FRAME_S) for _ in range(40)]
    assert course[2] == pytest.approx(0.35)
    assert sorted(course, reverse=True) == course
    assert course[-1] == 0.005


def test_a_connection_begins_as_uncertain_as_fluxs():
    confidence = Confidence()
    assert [round(confidence.between_turns(0.24), 2) for _ in range(3)] == [0.12, 0.06, 0.03]
