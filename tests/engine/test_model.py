"""The fitted numbers: that they are there, and what is made of them."""

from math import log

import pytest

from turnkit.engine.model import OPINION, Cue, Prior, bounded, load_model
from turnkit.engine.prosody import Cues

PRIOR = Prior(-1.0, {"pitch_slope": Cue(mean=5.0, scale=10.0, weight=0.5)})


def test_the_numbers_are_at_hand_for_every_cue_with_and_without_the_other_model():
    model = load_model()
    assert set(model.prosody.cues) == set(Cues._fields)
    assert set(model.with_smart_turn.cues) == {*Cues._fields, OPINION}
    assert 0.2 < model.holds.longer_than(0.5) < 0.6


def test_what_sounds_finished_to_the_other_model_is_likelier_over():
    prior = load_model().with_smart_turn
    average = {name: cue.mean for name, cue in prior.cues.items()}
    assert prior.log_odds(average) == pytest.approx(prior.intercept)
    assert prior.log_odds({**average, OPINION: 3.0}) > prior.log_odds({**average, OPINION: -3.0})


@pytest.mark.parametrize(
    ("slope", "log_odds"), [(5.0, -1.0), (15.0, -0.5), (35.0, 0.5), (1e6, 0.5), (-1e6, -2.5)]
)
def test_a_cue_counts_in_scales_and_beyond_three_no_more(slope, log_odds):
    assert PRIOR.log_odds({"pitch_slope": slope}) == pytest.approx(log_odds)


def test_no_pause_is_surer_than_its_prior_may_be():
    prior = Prior(0.0, {"pitch_slope": Cue(mean=0.0, scale=1.0, weight=2.0)}, least=0.1, most=0.8)
    assert prior.log_odds({"pitch_slope": -3.0}) == pytest.approx(log(0.1 / 0.9))
    assert prior.log_odds({"pitch_slope": 3.0}) == pytest.approx(log(0.8 / 0.2))


def test_no_pause_is_certain_as_it_begins():
    assert bounded(99.0) == pytest.approx(log(0.97 / 0.03))
    assert bounded(-99.0) == pytest.approx(log(0.02 / 0.98))
    assert bounded(0.3) == 0.3
