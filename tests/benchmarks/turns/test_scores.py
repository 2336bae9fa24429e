"""Metrics of turns: labels and events made by hand, with known answers."""

import pytest

from benchmarks.turns.scores import eager_ends, quiet, summary, turn_scores

TIMEOUT_S = 5.0


def scores(run):
    return turn_scores(run, TIMEOUT_S)


@pytest.fixture
def told(recording, turn, run):
    """Score one turn from 1 to 4 s, with a hold from 2 to 3 s, on these events."""

    def score(*events, next_speech=None, unscored=()):
        given = turn(1, 4, holds=[(2, 3)], next_speech=next_speech)
        return scores(run(recording(given, unscored=unscored), *events))[0]

    return score


def test_a_turn_that_was_heard_well(told):
    score = told(
        ("StartOfTurn", 0, 1.2, "yes"),
        ("EagerEndOfTurn", 0, 4.4, "yes please"),
        ("EndOfTurn", 0, 4.9, "yes please"),
    )
    assert score.onset_delay_s == pytest.approx(0.2)
    assert score.end_latency_s == pytest.approx(0.9)
    assert score.eager_lead_s == pytest.approx(0.5)
    assert (score.cut, score.holds, score.holds_cut) == (False, 1, 0)
    assert (score.drafts, score.drafts_stood) == (1, 1)


def test_a_turn_that_was_cut_in_its_pause(told):
    score = told(
        ("StartOfTurn", 0, 1.2),
        ("EndOfTurn", 0, 2.8),
        ("StartOfTurn", 1, 3.2),
        ("EndOfTurn", 1, 5.0),
    )
    assert (score.cut, score.holds_cut) == (True, 1)
    assert score.end_latency_s == pytest.approx(1.0)


def test_an_end_that_is_early_by_no_more_than_labels_are_wrong_is_right(told):
    score = told(("StartOfTurn", 0, 1.2), ("EndOfTurn", 0, 3.96))
    assert not score.cut
    assert score.end_latency_s == pytest.approx(-0.04)


@pytest.mark.parametrize(("at", "next_speech"), [(10.1, None), (6.2, 6.0)])
def test_an_end_after_its_window_is_missed(told, at, next_speech):
    score = told(("StartOfTurn", 0, 1.2), ("EndOfTurn", 0, at), next_speech=next_speech)
    assert score.end_scored
    assert score.end_latency_s is None


def test_an_end_followed_by_unscored_sound_is_neither_heard_nor_missed(told):
    score = told(("StartOfTurn", 0, 1.2), ("EndOfTurn", 0, 4.9), unscored=[(4.3, 8.0)])
    assert not score.end_scored
    assert score.end_latency_s is None


def test_events_in_unscored_ranges_are_ignored(told):
    score = told(("StartOfTurn", 0, 1.2), ("EndOfTurn", 0, 2.6), unscored=[(2.5, 2.7)])
    assert not score.cut


def test_drafts_that_were_taken_back_are_wasted(told):
    score = told(
        ("StartOfTurn", 0, 1.2),
        ("EagerEndOfTurn", 0, 2.5),
        ("TurnResumed", 0, 3.1),
        ("EagerEndOfTurn", 0, 4.3),
        ("EndOfTurn", 0, 4.6),
    )
    assert (score.drafts, score.drafts_stood) == (2, 1)
    assert score.eager_lead_s == pytest.approx(0.3)


def test_a_turn_nobody_noticed_is_a_missed_onset_unless_one_was_open(told):
    assert told().onset_missed
    assert told(("StartOfTurn", 0, 4.6)).onset_missed
    still_open = told(("StartOfTurn", 0, 0.2))
    assert not still_open.onset_missed
    assert still_open.onset_delay_s is None


def test_what_became_of_each_eager_end(recording, turn, run):
    given = run(
        recording(turn(1, 9)),
        ("StartOfTurn", 0, 1.2),
        ("EagerEndOfTurn", 0, 2.5, "i"),
        ("TurnResumed", 0, 3.1, "i"),
        ("EagerEndOfTurn", 0, 4.3, "i am"),
        ("EndOfTurn", 0, 4.6, "i am"),
        ("StartOfTurn", 1, 5.0, "so"),
        ("EagerEndOfTurn", 1, 9.3, "so"),
        ("EndOfTurn", 1, 9.6, "so so"),
        ("StartOfTurn", 2, 11.0, "oh"),
        ("EagerEndOfTurn", 2, 12.0, "oh"),
    )
    assert [(e.stood, e.drifted) for e in eager_ends(given)] == [
        (False, False),
        (True, False),
        (True, True),
        (False, False),
    ]


def test_starts_where_nobody_speaks_are_false(recording, turn, run):
    given = run(
        recording(turn(2, 4), duration=20.0, unscored=[(10, 12)]),
        ("StartOfTurn", 0, 0.5),
        ("StartOfTurn", 1, 2.2),
        ("StartOfTurn", 2, 4.4),  # of the last word, which was short
        ("StartOfTurn", 3, 8.0),
        ("StartOfTurn", 4, 11.0),  # unscored
    )
    found = quiet(given)
    assert found.starts == 2
    assert found.seconds == pytest.approx(20 - 2.6 - 2)
    assert not found.noise


def test_noise_is_all_quiet_and_what_nobody_labelled_is_not_counted(recording, run):
    noise = quiet(run(recording(duration=5.0, speech=()), ("StartOfTurn", 0, 1.0)))
    assert (noise.noise, noise.seconds, noise.starts) == (True, 5.0, 1)


def test_the_summary_counts_turns_pauses_drafts_and_clips(recording, turn, run):
    heard = run(
        recording(turn(1, 4, holds=[(2, 3), (3.2, 3.5)]), name="a"),
        ("StartOfTurn", 0, 1.1),
        ("EndOfTurn", 0, 2.9),
        ("StartOfTurn", 1, 3.6),
        ("EagerEndOfTurn", 1, 4.2),
        ("EndOfTurn", 1, 4.5),
    )
    missed = run(recording(turn(1, 4), name="b"))
    noise = run(recording(name="c", duration=6.0, speech=()), ("StartOfTurn", 0, 1.0))
    runs = [heard, missed, noise]
    figures = summary(
        [score for r in runs for score in scores(r)],
        [eager for r in runs for eager in eager_ends(r)],
        [found for r in runs if (found := quiet(r))],
    )
    values = {name: figure.value for name, figure in figures.items()}
    assert values["cut-offs per pause"] == 0.5
    assert values["cut turns"] == 0.5
    assert values["missed ends"] == 0.5
    assert values["missed onsets"] == 0.5
    assert values["end of turn p50"] == pytest.approx(0.5)
    assert values["onset delay p95"] == pytest.approx(0.1)
    assert values["eager lead p50"] == pytest.approx(0.3)
    assert values["eager precision"] == 1
    assert values["eager recall"] == 0.5
    assert values["wasted drafts per turn"] == 0
    assert values["transcript drift"] == 0
    assert values["noise clips with a start"] == 1
    assert values["false starts per minute"] == pytest.approx(1 / ((2 * 16.4 + 6) / 60))
