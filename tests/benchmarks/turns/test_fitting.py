"""The engine's numbers are got back from pauses they made themselves."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.turns.crossval import by_clip, choose_ridge, cross_validated, fit, folds, scored_by
from benchmarks.turns.fit import _toml
from benchmarks.turns.fitting import (
    ENDS,
    PROSODY,
    PROSODY_RANGE,
    RIDGES,
    TOWARDS_END,
    counts,
    errors,
    fit_prior,
    fit_timing,
    scores,
)
from benchmarks.turns.observed import SHIFTS_S, Moment, Observed
from turnkit.engine.holds import HoldLengths
from turnkit.engine.model import FILE, OPINION, load_model
from turnkit.engine.prosody import Cues

FRAME_S = 0.08
HOLDS = HoldLengths(mu=-1.0, sigma=0.9)


def moments(length_s, steadiness, noise, began_s=0.0):
    silences = np.arange(0.12, min(length_s, 1.5) + 1e-9, FRAME_S)
    cues = Cues(steadiness, 0.0, 0.0, 0.0, 0.0, noise)
    return tuple(Moment(began_s + s, float(s), cues, 0.0, 0, 0.0) for s in silences)


@pytest.fixture(scope="module")
def observed(recording):
    """240 pauses in 4 clips: holds are lognormal, before ends the sound changes by 1 more.

    A third of them are ends, which is what is taken for granted.
    """
    random = np.random.default_rng(5)
    found = []
    lengths = random.lognormal(HOLDS.mu, HOLDS.sigma, 400)
    for n, hold_s in enumerate(lengths[lengths > 0.12][:240]):
        over = bool(random.random() < 1 / 3)
        length_s = np.inf if over else hold_s
        steadiness = random.normal(1.0 if over else 0.0)
        heard = moments(length_s, steadiness, noise=random.normal())
        clip = recording(name=f"clip{n % 4}")
        found.append(Observed(clip, 0, over, float(length_s), heard))
    return found


def test_the_lengths_of_holds_are_got_back(observed):
    found = fit_timing(observed).lengths
    assert found.mu == pytest.approx(HOLDS.mu, abs=0.3)
    assert found.sigma == pytest.approx(HOLDS.sigma, abs=0.2)


def test_the_cue_that_tells_has_the_weight_and_noise_has_none(observed):
    prior = fit_prior(observed, fit_timing(observed), ["steadiness", "pitch_slope"], ridge=1.0)
    slope = prior.cues["steadiness"].weight / prior.cues["steadiness"].scale
    assert slope == pytest.approx(1.0, abs=0.3)  # of two normals one deviation apart
    assert prior.cues["pitch_slope"].weight == pytest.approx(0.0, abs=0.3)


def test_more_shrinkage_makes_weights_more_alike(observed):
    timing = fit_timing(observed)
    spreads = []
    for ridge in (1.0, 100.0, 1e6):
        cues = fit_prior(observed, timing, ["steadiness", "pitch_slope"], ridge).cues
        spreads.append(cues["steadiness"].weight - cues["pitch_slope"].weight)
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] == pytest.approx(0.0, abs=1e-3)


def test_a_cue_without_evidence_points_where_it_is_known_to(observed):
    timing = fit_timing(observed)
    cues = fit_prior(observed, timing, ["steadiness", "pitch_end"], ridge=1e6).cues
    assert cues["pitch_end"].weight == pytest.approx(-cues["steadiness"].weight, abs=1e-3)


def test_each_fitted_weight_has_the_sign_it_should_have():
    model = load_model()
    for prior in (model.prosody, model.with_smart_turn):
        assert all(TOWARDS_END[name] * cue.weight > 0 for name, cue in prior.cues.items())


def test_prosody_alone_is_never_surer_than_its_range(observed):
    prior = fit_prior(observed, fit_timing(observed), PROSODY, ridge=64.0)
    assert (prior.least, prior.most) == PROSODY_RANGE


def test_a_score_is_a_probability(observed):
    prior, timing = fit(observed * len(SHIFTS_S), ["steadiness"], 1.0)
    first = np.array([scores(pause, prior, timing)[0] for pause in observed])
    over = np.array([pause.over for pause in observed])
    for low, high in ((0.0, 0.35), (0.35, 0.6), (0.6, 1.0)):
        some = (first >= low) & (first < high)
        assert first[some].mean() == pytest.approx(over[some].mean(), abs=0.15)


def test_the_same_pauses_give_the_same_numbers(observed):
    assert fit(observed, PROSODY, 8.0) == fit(observed, PROSODY, 8.0)


def test_knowing_the_cue_is_better_than_not(observed):
    with_cue, without = (fit(observed, names, 4.0) for names in (["steadiness"], []))
    assert errors(observed, *with_cue).mean() < errors(observed, *without).mean() - 0.02


def test_shrinkage_is_chosen_on_what_was_left_out(observed):
    assert choose_ridge(observed, "utterance", ["steadiness"]) in RIDGES


def test_how_many_pauses_are_ends_is_not_learned_from_them(observed):
    ends = [pause for pause in observed if pause.over]
    for some in (observed, observed[:100] + ends):
        prior, _ = fit(some, ["steadiness"], 1.0)
        usual = prior.log_odds({"steadiness": prior.cues["steadiness"].mean})
        assert 1 / (1 + np.exp(-usual)) == pytest.approx(ENDS)


def test_another_model_counts_as_two_cues(observed):
    told = [replace(pause, moments=tuple(with_opinion(pause))) for pause in observed]
    cues = fit_prior(told, fit_timing(told), ["steadiness", OPINION], ridge=1e6).cues
    assert cues[OPINION].weight == pytest.approx(2 * cues["steadiness"].weight, rel=1e-3)


def with_opinion(pause):
    """Its moments, heard by another model that knows what the steadiness tells."""
    return [replace(moment, opinion=moment.cues.steadiness) for moment in pause.moments]


def test_numbers_fitted_without_a_clip_score_it_over_any_line(observed, recording, turn):
    fitted = folds(observed, "utterance", ["steadiness"], by_clip)
    assert set(fitted.fitted) == {f"clip{n}" for n in range(4)}
    assert fitted.without(recording(name="clip2")) is fitted.fitted["clip2"]
    assert fitted.without(recording(name="another")) is None
    clip = recording(turn(0.0, 3.0, holds=[(1.0, 1.6)]), name="clip2")

    def brier(hold_cue, end_cue):
        hold = Observed(clip, 0, False, 0.6, moments(0.6, hold_cue, 0.0, began_s=1.0))
        end = Observed(clip, 0, True, np.inf, moments(9.0, end_cue, 0.0, began_s=3.0))
        stranger = replace(hold, recording=recording(name="another"))
        return scored_by(fitted, [hold, end, stranger]).calibration.brier.value

    assert brier(hold_cue=-0.5, end_cue=1.5) < brier(0.3, 0.3) < brier(1.5, -0.5)


def test_what_is_scored_was_not_learned_from(observed, recording, monkeypatch):
    known = []

    def noting(observed, names, ridge):
        known.append({pause.recording.clip for pause in observed})
        return fit(observed, names, ridge)

    monkeypatch.setattr("benchmarks.turns.crossval.fit", noting)
    monkeypatch.setattr("benchmarks.turns.crossval.choose_ridge", lambda *_: 4.0)
    found = cross_validated(observed, "utterance", ["steadiness"], by_clip)
    assert len(known) == 4
    assert all(len(clips) == 3 for clips in known)
    assert found.points.cutoffs_at_300_ms.estimate.count >= 0


def test_each_pause_is_counted_once(observed):
    holds, ends = counts(observed)
    assert holds + ends == 240


def test_what_is_written_is_what_the_engine_reads(observed, tmp_path):
    prior, timing = fit(observed, PROSODY, 8.0)
    file = tmp_path / "model.toml"
    file.write_text(_toml(["how good it is"], prior, prior, timing))
    read = load_model(file)
    assert read.prosody.intercept == pytest.approx(prior.intercept, abs=1e-4)
    assert read.prosody.cues["steadiness"].weight == pytest.approx(
        prior.cues["steadiness"].weight, abs=1e-4
    )
    assert read.holds.mu == pytest.approx(timing.lengths.mu, abs=1e-4)


def test_the_engines_own_numbers_say_where_they_come_from():
    assert "python -m benchmarks.turns.fit" in FILE.read_text()
