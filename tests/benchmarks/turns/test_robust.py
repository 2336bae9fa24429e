"""Scores over other lines: the same pause is found again, and what it moved is measured."""

import numpy as np
import pytest

from benchmarks.turns.crossval import Folds, by_clip
from benchmarks.turns.fitting import Timing
from benchmarks.turns.lines import AS_RECORDED
from benchmarks.turns.observed import Moment, Observed
from benchmarks.turns.robust import _moved, _scores, _weights
from turnkit.engine.holds import HoldLengths
from turnkit.engine.model import Cue, Prior
from turnkit.engine.prosody import Cues


def numbers(weight):
    prior = Prior(0.0, {"steadiness": Cue(mean=0.0, scale=1.0, weight=weight)})
    return prior, Timing(HoldLengths(-1.0, 0.9), -1.0)


FOLDS = Folds(by_clip, {"clip": numbers(1.0), "other": numbers(0.5)})


@pytest.fixture
def pause(recording, turn):
    clip = recording(turn(0.0, 3.0, holds=[(1.0, 1.6)]))

    def heard(began_s, steadiness, *, over=False, recording=clip, shift=0):
        cues = Cues(steadiness, 0.0, 0.0, 0.0, 0.0, 0.0)
        silences = np.arange(0.12, 4.0 if over else 0.6, 0.08)
        moments = tuple(Moment(began_s + s, float(s), cues, 0.0, 0, 0.0) for s in silences)
        length_s = np.inf if over else 0.6
        return Observed(recording, shift, over, length_s, moments)

    return heard


def test_a_pause_that_sounds_alike_has_not_moved(pause):
    assert _moved(FOLDS, [pause(1.0, 0.4)], [pause(1.1, 0.4)]) == 0


def test_what_moved_is_the_prior_of_the_nearest_pause_of_the_same_hearing(pause):
    before = [pause(1.0, 0.0), pause(1.12, 2.0), pause(1.05, 5.0, shift=1), pause(2.0, 5.0)]
    moved = _moved(FOLDS, before, [pause(1.02, 1.0)])
    assert moved == pytest.approx(1 / (1 + np.exp(-1.0)) - 0.5)


def test_pauses_that_are_new_or_of_nobody_who_was_left_out_do_not_count(pause, recording):
    stranger = recording(name="stranger")
    before = [pause(1.0, 0.0), pause(1.0, 0.0, recording=stranger)]
    after = [pause(1.0, 0.0), pause(1.5, 3.0), pause(1.0, 3.0, recording=stranger)]
    assert _moved(FOLDS, before, after) == 0


def test_each_line_has_its_row(pause):
    as_it_is = [pause(1.0, -2.0), pause(3.0, 2.0, over=True)]
    alike = [pause(1.0, 0.0), pause(3.0, 0.0, over=True)]
    _, first, second = _scores(FOLDS, {AS_RECORDED: as_it_is, "a bad line": alike})
    assert first.startswith(AS_RECORDED)
    assert first.endswith("0.00")
    assert second.startswith("a bad line")
    assert float(first.split()[-2]) < float(second.split()[-2])  # Brier's score


def test_weights_are_told_from_the_least_to_the_most():
    (row,) = _weights(FOLDS, ["steadiness"])
    assert row.split() == ["steadiness", "0.50", "0.75", "1.00"]
