"""Where turns begin and end, frame by frame."""

import pytest

from turnkit.engine.confidence import in_pause
from turnkit.engine.endpointer import (
    AwaitingEnd,
    Endpointer,
    Heard,
    Quiet,
    TurnOngoing,
)
from turnkit.sources.flux_query import ListenParameters

NOTHING = Heard("", 9.0, settled=True)


def endpointer(**asked):
    return Endpointer(ListenParameters("flux-general-en", "linear16", 16000, **asked))


def speaking(text):
    return Heard(text, 0.0, settled=False)


def silent(silence_s, text="yes", *, settled=True):
    return Heard(text, silence_s, settled)


def course(ends, *frames):
    """What is reported, by number of the frame."""
    reports = [(n, ends.hear(heard)) for n, heard in enumerate(frames, start=1)]
    return [(n, report.event, report.transcript) for n, report in reports if report]


def in_turn(**asked):
    ends = endpointer(**asked)
    ends.hear(speaking("yes"))
    return ends


def test_every_third_frame_without_news_is_an_update():
    assert course(endpointer(), *[NOTHING] * 7) == [(3, "Update", ""), (6, "Update", "")]


def test_text_opens_a_turn_at_once():
    ends = endpointer()
    assert course(ends, NOTHING, speaking("yes"), speaking("yes")) == [
        (2, "StartOfTurn", "yes"),
        (3, "Update", "yes"),
    ]
    assert ends.state == TurnOngoing()


def test_a_frame_with_an_event_has_no_update_besides():
    assert course(endpointer(), NOTHING, NOTHING, speaking("yes")) == [(3, "StartOfTurn", "yes")]


def test_a_word_made_out_after_it_was_spoken_opens_a_turn_too():
    assert course(endpointer(), NOTHING, silent(0.3)) == [(2, "StartOfTurn", "yes")]


def test_without_an_eager_threshold_the_end_comes_unannounced():
    ends = in_turn()
    assert course(ends, silent(0.53), silent(0.94), silent(0.96)) == [
        (2, "Update", "yes"),
        (3, "EndOfTurn", "yes"),
    ]
    assert ends.state == Quiet()


def test_the_end_is_announced_and_stands():
    ends = in_turn(eager_eot_threshold=0.5)
    assert course(ends, silent(0.54), silent(0.6), silent(0.96)) == [
        (1, "EagerEndOfTurn", "yes"),
        (2, "Update", "yes"),
        (3, "EndOfTurn", "yes"),
    ]


def test_confidence_may_jump_past_both_thresholds():
    ends = in_turn(eager_eot_threshold=0.5)
    assert course(ends, silent(0.96)) == [(1, "EndOfTurn", "yes")]


def test_an_eager_threshold_as_high_as_the_final_one_announces_nothing():
    ends = in_turn(eager_eot_threshold=0.7)
    assert course(ends, silent(0.6), silent(0.96)) == [(2, "EndOfTurn", "yes")]


def test_speech_takes_an_announced_end_back_before_it_has_words():
    ends = in_turn(eager_eot_threshold=0.5)
    assert course(ends, silent(0.54), speaking("yes"), silent(0.54)) == [
        (1, "EagerEndOfTurn", "yes"),
        (2, "TurnResumed", "yes"),
        (3, "EagerEndOfTurn", "yes"),
    ]


def test_other_words_take_an_announced_end_back_even_if_the_turn_is_over_by_now():
    ends = in_turn(eager_eot_threshold=0.5)
    assert course(ends, silent(0.54), silent(0.96, "yes please"), silent(1.0, "yes please")) == [
        (1, "EagerEndOfTurn", "yes"),
        (2, "TurnResumed", "yes please"),
        (3, "EndOfTurn", "yes please"),
    ]


def test_words_that_may_still_change_end_nothing():
    ends = in_turn(eager_eot_threshold=0.3, eot_timeout_ms=500)
    frame = silent(2.0, settled=False)
    assert course(ends, frame, frame) == [(2, "Update", "yes")]


def test_a_threshold_of_one_ends_nothing_by_itself():
    ends = in_turn(eot_threshold=1.0, eot_timeout_ms=60000)
    assert course(ends, silent(59.9)) == []


@pytest.mark.parametrize("eot", [0.9, 1.0])
def test_silence_ends_a_turn_in_time(eot):
    ends = in_turn(eot_threshold=eot, eot_timeout_ms=1000)
    ends.hear(silent(0.99))
    report = ends.hear(silent(1.0))
    assert (report.event, report.trigger) == ("EndOfTurn", "timeout")


def test_the_model_ends_a_turn_before_a_timeout_of_the_same_moment():
    assert in_turn(eot_timeout_ms=1000).hear(silent(1.0)).trigger == "model"


def test_silence_without_a_turn_times_nothing_out():
    assert {report[1] for report in course(endpointer(), *[NOTHING] * 100)} == {"Update"}


def test_the_next_turn_begins_where_the_last_one_ended():
    ends = in_turn()
    end = ends.hear(silent(0.96))
    assert (end.turn, end.window_start, end.window_end) == (0, 0, 2)
    ends.hear(NOTHING)
    ends.hear(NOTHING)
    update = ends.hear(NOTHING)
    assert (update.turn, update.window_start, update.window_end) == (1, 2, 5)
    assert update.transcript == ""


def test_a_forced_end_has_the_latest_words():
    ends = in_turn(eager_eot_threshold=0.5)
    ends.hear(silent(0.54))
    assert ends.state == AwaitingEnd("yes")
    report = ends.force_end()
    assert (report.event, report.trigger, report.transcript) == ("EndOfTurn", "manual", "yes")
    assert ends.state == Quiet()


def test_without_a_turn_nothing_can_be_forced():
    assert endpointer().force_end() is None


def test_new_thresholds_hold_from_the_next_frame_on():
    ends = in_turn(eot_threshold=0.9)
    ends.hear(silent(0.96))
    ends.parameters = ListenParameters("flux-general-en", "linear16", 16000, eot_threshold=0.6)
    assert ends.hear(silent(0.97)).event == "EndOfTurn"


def test_at_the_close_an_open_turn_tells_words_that_are_news():
    ends = in_turn()
    assert ends.close("yes please").event == "Update"
    assert in_turn().close("yes") is None
    assert endpointer().close("") is None


def test_confidence_is_told_as_it_is():
    assert in_turn().hear(silent(0.96)).confidence == in_pause(0.96)


def test_what_was_heard_of_a_pause_counts_before_its_length():
    ends = in_turn(eager_eot_threshold=0.5)
    report = ends.hear(Heard("yes", 0.16, settled=True, over=0.8))
    assert (report.event, report.confidence) == ("EndOfTurn", 0.8)
    ends = in_turn(eager_eot_threshold=0.5)
    assert ends.hear(Heard("yes", 0.96, settled=True, over=0.2)) is None


def test_speech_is_no_pause_whatever_was_heard():
    ends = in_turn(eager_eot_threshold=0.3)
    assert ends.hear(Heard("yes", 0.0, settled=True, over=0.9)) is None
