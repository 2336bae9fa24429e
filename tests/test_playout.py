"""What was staged, sent and heard are three different things."""

from math import inf

import pytest

from turnkit.playout import Playout

RATE = 8000
FRAME = b"\x00\x10" * 160
SECOND = b"\x00\x10" * RATE


def playing(seconds=1.0, *, text="one two three four five", reported=False, at=0.0):
    """A playout with all its audio staged, whose first frames left at `at`."""
    playout = Playout(RATE, 0.2, reported=reported)
    playout.open_clause(text)
    playout.stage(b"\x00\x10" * round(RATE * seconds))
    playout.close_clause()
    playout.end()
    playout.due(at)
    return playout


def run(playout, until):
    """Send what falls due until then."""
    now = playout.next_at()
    while now <= until and not playout.finished(now):
        playout.due(now)
        now = playout.next_at()


def test_the_first_frames_leave_at_once_as_far_as_the_lead_allows():
    playout = Playout(RATE, 0.2)
    playout.stage(SECOND)
    assert playout.due(5.0) == [FRAME] * 10
    assert playout.due(5.0) == []
    assert playout.due(5.02) == [FRAME]


def test_frames_leave_by_threes_where_the_lead_allows_it():
    playout = Playout(RATE, 0.2)
    playout.stage(FRAME * 15)
    assert playout.due(5.0) == [FRAME] * 10
    assert playout.next_at() == pytest.approx(5.06)
    assert playout.due(5.06) == [FRAME] * 3
    assert playout.next_at() == pytest.approx(5.10)  # no more than two are left


def test_frames_leave_one_by_one_where_the_lead_is_short():
    playout = Playout(RATE, 0.04)
    playout.stage(FRAME * 15)
    assert playout.due(5.0) == [FRAME] * 2
    assert playout.next_at() == pytest.approx(5.02)


def test_nothing_staged_is_nothing_due():
    playout = Playout(RATE, 0.2)
    assert playout.due(1.0) == []
    assert playout.next_at() == inf


def test_a_frame_waits_until_it_is_full_or_late():
    playout = Playout(RATE, 0.2)
    playout.stage(FRAME[:100])
    assert playout.due(0.0) == []
    playout.stage(FRAME[100:] + FRAME[:100])
    assert playout.due(0.0) == [FRAME]
    assert playout.due(0.03) == []
    assert playout.due(0.04) == [FRAME[:100].ljust(320, b"\0")]


def test_all_is_heard_when_the_clock_says_so():
    playout = playing(0.1)
    assert not playout.finished(0.09)
    assert playout.finished(0.1)


def test_what_is_heard_is_what_was_sent_and_is_not_still_in_the_buffer():
    playout = playing(1.0)
    run(playout, until=0.5)
    assert playout.heard_s(0.5) == pytest.approx(0.5)


def test_a_gap_in_the_supply_is_not_heard_as_words():
    playout = Playout(RATE, 0.2)
    playout.open_clause("one two")
    playout.stage(FRAME)
    playout.due(0.0)
    playout.stage(FRAME)
    playout.due(3.0)
    assert playout.heard_s(3.01) == pytest.approx(0.03)


def test_only_words_heard_to_their_end_count():
    playout = playing(1.0, text="one two three four five")
    run(playout, until=0.5)
    assert playout.heard_text(0.5) == ("one two ", "three four five")
    assert playout.heard_is_estimate(0.5)
    assert playout.heard_text(0.0) == ("", "one two three four five")
    run(playout, until=2.0)
    assert playout.heard_text(2.0) == ("one two three four five", "")


def test_clauses_are_mapped_to_their_own_audio():
    playout = Playout(RATE, 0.2)
    for text, seconds in (("Short. ", 0.1), ("A long one.", 0.9)):
        playout.open_clause(text)
        playout.stage(b"\x00\x10" * round(RATE * seconds))
        playout.close_clause()
    playout.due(0.0)
    assert playout.heard_text(0.1) == ("Short. ", "A long one.")


def test_a_clause_whose_audio_is_still_coming_counts_by_the_usual_pace():
    playout = Playout(RATE, 0.2)
    playout.open_clause("fifteen letters and fifteen more")
    playout.stage(SECOND)
    run(playout, until=0.9)
    assert playout.heard_text(1.0)[0] == "fifteen "


def test_a_clause_without_audio_is_not_heard_before_there_is_any():
    playout = Playout(RATE, 0.2)
    playout.open_clause("never spoken")
    playout.end()
    assert playout.heard_text(9.0) == ("", "never spoken")


def test_what_the_far_end_reports_counts_for_less_than_the_clock():
    playout = playing(1.0, reported=True)
    run(playout, until=0.5)
    playout.acknowledge(0.2, at=0.45)
    assert playout.heard_s(0.5) == pytest.approx(0.25)
    assert playout.heard_s(0.45) == pytest.approx(0.2)


def test_a_far_end_cannot_have_played_more_than_was_sent():
    playout = playing(1.0, reported=True)
    playout.acknowledge(99.0, at=0.0)
    assert playout.heard_s(0.0) == pytest.approx(0.0)


def test_a_far_end_that_reports_has_the_last_word_for_a_while():
    playout = playing(0.1, reported=True)
    assert not playout.finished(0.5)
    playout.acknowledge(0.1, at=0.3)
    assert playout.finished(0.3)
    assert playing(0.1, reported=True).finished(1.1)


def test_a_far_end_that_reports_too_much_ends_nothing_early():
    playout = playing(0.1, reported=True)
    playout.acknowledge(0.1, at=0.01)
    assert not playout.finished(0.05)
    assert playout.finished(0.1)


def test_what_was_sent_and_not_heard_is_sent_again_after_a_pause():
    playout = playing(1.0)
    run(playout, until=0.5)
    playout.rewind(0.5)
    assert playout.heard_s(0.5) == pytest.approx(0.5)
    assert playout.heard_s(9.0) == pytest.approx(0.5)
    assert len(playout.due(9.0)) == 10
    run(playout, until=20.0)
    assert playout.finished(9.5)


def test_a_frame_heard_in_part_is_sent_again_whole():
    playout = playing(1.0)
    run(playout, until=0.51)
    playout.rewind(0.51)
    assert playout.heard_s(0.51) == pytest.approx(0.5)


def test_marks_tell_where_the_words_are():
    playout = Playout(RATE, 0.2)
    playout.open_clause("slow quick")
    playout.mark(0.0)
    playout.stage(b"\x00\x10" * round(RATE * 0.9))
    playout.mark(0.5)
    playout.stage(b"\x00\x10" * round(RATE * 0.1))
    playout.close_clause()
    playout.end()
    playout.due(0.0)
    run(playout, until=0.7)
    assert playout.heard_text(0.8) == ("", "slow quick")
    run(playout, until=2.0)
    assert playout.heard_text(0.95) == ("slow ", "quick")
    assert not playout.heard_is_estimate(0.95)
    assert playout.heard_text(1.0) == ("slow quick", "")
