"""Calibration: scores that mean what they say have no error."""

from math import inf

import numpy as np
import pytest

from benchmarks.turns.calibration import calibration
from benchmarks.turns.manifest import Span
from benchmarks.turns.spans import Pause, ScoredPause


def pauses(*kinds, score):
    return [
        ScoredPause(
            Pause("clip", "clip", turn, kind, Span(5.0, 5.2 if kind == "hold" else inf)),
            np.array([0.05]),
            np.array([score]),
        )
        for turn, kind in enumerate(kinds)
    ]


def test_scores_that_say_the_share_of_ends_are_calibrated():
    # Two looks at each hold (0.1 and 0.2 s), twenty at each end.
    found = calibration(pauses(*["hold"] * 10, "end", score=0.5))
    assert found.expected_error.value == 0
    assert found.brier.value == pytest.approx(0.25)
    assert found.counts.sum() == 40


def test_scores_that_are_sure_and_wrong_are_as_bad_as_can_be():
    found = calibration(pauses("hold", "hold", score=1.0))
    assert found.expected_error.value == 1
    assert found.brier.value == 1


def test_each_bin_tells_its_mean_score_and_its_share_of_ends():
    found = calibration([*pauses("hold", score=0.15), *pauses("end", score=0.95)])
    assert (found.scores[1], found.shares[1]) == (pytest.approx(0.15), 0)
    assert (found.scores[9], found.shares[9]) == (pytest.approx(0.95), 1)
    assert np.isnan(found.scores[5])


def test_of_no_pauses_nothing_is_said():
    assert np.isnan(calibration([]).brier.value)
