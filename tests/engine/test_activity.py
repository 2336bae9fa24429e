"""From probabilities to speech and silence."""

import pytest

from turnkit.audio.vad import WINDOW_S
from turnkit.engine.activity import Activity

TAIL_S = 0.06


def after(*probabilities):
    activity = Activity()
    for probability in probabilities:
        activity.hear(probability)
    return activity


def test_at_first_nobody_speaks():
    assert (after().speaking, after().speech_s) == (False, 0.0)


@pytest.mark.parametrize(("probability", "windows"), [(1.0, 2), (0.9, 4), (0.8, 8), (0.7, 19)])
def test_the_likelier_speech_is_the_sooner_it_has_begun(probability, windows):
    assert not after(*[probability] * (windows - 1)).speaking
    assert after(*[probability] * windows).speaking


@pytest.mark.parametrize("course", [[0.6] * 1000, [1.0, 0.0] * 100, [0.9, 0.9, 0.2] * 100])
def test_what_may_be_anything_is_no_speech(course):
    assert not after(*course).speaking


def test_a_doubtful_window_among_sure_ones_does_not_matter():
    assert after(0.95, 0.95, 0.5, 0.95, 0.95).speaking


def test_speech_counts_from_its_first_window():
    assert after(0.0, 0.0, 0.95, 0.5, 0.95, 0.95, 0.95).speech_s == 5 * WINDOW_S


def test_speech_goes_on_while_it_is_not_clearly_over():
    assert after(1.0, 1.0, 0.4, 0.35).speaking


def test_speech_is_over_for_now_at_the_first_window_without():
    assert not after(*[1.0] * 50, 0.3).speaking


def test_after_a_dip_speech_goes_on_at_once():
    activity = after(*[1.0] * 50, 0.3, 1.0)
    assert activity.speaking
    assert activity.speech_s == 52 * WINDOW_S


def test_silence_counts_from_the_first_window_without_speech_and_the_tail_of_the_last():
    activity = after(1.0, 1.0, 1.0, 0.34, 0.0)
    assert activity.silence_s == pytest.approx(2 * WINDOW_S + TAIL_S)


def test_there_is_no_silence_while_somebody_speaks():
    assert after(0.0, 1.0, 1.0).silence_s == 0.0


def test_a_click_does_not_break_the_silence():
    assert after(1, 1, 1, 0, 0, 0, 1, 0, 0).silence_s == pytest.approx(6 * WINDOW_S + TAIL_S)


def test_who_speaks_on_after_it_was_forgotten_has_just_begun():
    activity = after(1.0, 1.0, 1.0, 1.0)
    activity.forget()
    assert (activity.speaking, activity.speech_s) == (False, 0.0)
    activity.hear(1.0)
    activity.hear(1.0)
    assert (activity.speaking, activity.speech_s) == (True, 2 * WINDOW_S)
