"""Who ends a turn that the server does not: every step, and every reason to take none."""

from dataclasses import replace

import pytest

from turnkit.sources.flux.endings import Endings, Progress

TIMEOUT_S = 5.0
PROGRESS = Progress(turn=3, heard_s=10.0, moved_s=4.0, spoken_s=4.0, sent_s=10.0, unconfirmed_s=0.0)
SPEAKING = replace(PROGRESS, sent_s=5.0, heard_s=5.0)


def step(endings, now=100.0, *, forces=True, progress=PROGRESS, **changes):
    changed = None if progress is None else replace(progress, **changes)
    return endings.next(changed, now, timeout_s=TIMEOUT_S, forces=forces)


# Because somebody asked.


def test_without_a_turn_there_is_nothing_to_do():
    assert step(Endings(), progress=None) is None
    assert step(Endings(), progress=SPEAKING) is None


def test_a_server_that_can_is_told_once_and_has_a_second():
    endings = Endings()
    endings.ask(3, 5.0)
    assert step(endings, 100.0, progress=SPEAKING) == "force"
    assert endings.forced == (3, "manual")
    assert step(endings, 100.99, progress=SPEAKING) is None
    assert step(endings, 101.0, progress=SPEAKING) == "manual"


def test_the_order_waits_for_the_audio_before_it():
    endings = Endings()
    endings.ask(3, 5.04)
    assert step(endings, progress=SPEAKING) is None
    assert step(endings, progress=SPEAKING, sent_s=5.08) == "force"


def test_a_server_that_cannot_is_listened_to_until_it_has_heard_it_all():
    endings = Endings()
    endings.ask(3, 5.0)
    late = {"progress": SPEAKING, "forces": False, "heard_s": 4.8}
    assert step(endings, 100.0, **late) is None
    assert step(endings, 100.9, **late) is None
    assert step(endings, 100.9, **late | {"heard_s": 5.04}) == "manual"


def test_but_not_for_longer_than_a_second():
    endings = Endings()
    endings.ask(3, 5.0)
    late = {"progress": SPEAKING, "forces": False, "heard_s": 4.8}
    assert [step(endings, now, **late) for now in (100.0, 101.0)] == [None, "manual"]


def test_asking_twice_changes_nothing():
    endings = Endings()
    endings.ask(3, 5.0)
    assert step(endings, 100.0, progress=SPEAKING) == "force"
    endings.ask(3, 6.0)
    assert step(endings, 100.5, progress=SPEAKING) is None


def test_an_order_for_a_turn_that_has_ended_is_void():
    endings = Endings()
    endings.ask(2, 5.0)
    assert step(endings, progress=SPEAKING) is None
    endings.ask(3, 5.0)
    step(endings, progress=None)
    assert step(endings, progress=SPEAKING) is None


def test_what_a_lost_connection_was_told_the_next_one_is_told_again():
    endings = Endings()
    endings.ask(3, 5.0)
    assert step(endings, progress=SPEAKING) == "force"
    endings.disconnected()
    assert step(endings, 200.0, progress=SPEAKING) == "force"


# Because nobody else does.


@pytest.mark.parametrize(
    ("moved_s", "spoken_s", "sent_s", "overdue"),
    [
        (4.0, 4.0, 9.92, False),
        (4.0, 4.0, 10.0, True),  # the time-out and a second
        (4.0, 6.0, 10.0, False),  # somebody still speaks
        (4.0, 99.0, 23.92, False),  # or something sounds like it
        (4.0, 99.0, 24.0, True),  # but no new word in four time-outs
        (9.0, 4.0, 10.0, False),
    ],
)
def test_a_turn_is_overdue_after_silence_or_without_any_progress(
    moved_s, spoken_s, sent_s, overdue
):
    action = step(Endings(), moved_s=moved_s, spoken_s=spoken_s, sent_s=sent_s)
    assert action == ("force" if overdue else None)


def test_a_server_that_can_is_told_and_then_heard_again_and_then_not_asked_any_more():
    endings = Endings()
    assert step(endings, 100.0) == "force"
    assert endings.forced == (3, "watchdog")
    assert step(endings, 100.99) is None
    assert step(endings, 101.0) == "replay"
    assert step(endings, 102.0, sent_s=4.0) is None  # on the new connection
    assert step(endings, 108.0, sent_s=10.9) is None
    assert step(endings, 109.0, sent_s=11.0) == "watchdog"


def test_a_server_that_cannot_is_heard_again_at_once():
    endings = Endings()
    assert step(endings, forces=False) == "replay"
    assert step(endings, forces=False, sent_s=10.92) is None
    assert step(endings, forces=False, sent_s=11.0) == "watchdog"


def test_a_new_word_puts_everything_off():
    endings = Endings()
    assert step(endings, forces=False) == "replay"
    assert step(endings, forces=False, moved_s=4.5, sent_s=10.4) is None
    assert step(endings, forces=False, moved_s=4.5, sent_s=10.5) == "replay"


def test_whoever_goes_on_speaking_is_not_cut_off():
    endings = Endings()
    assert step(endings, forces=False) == "replay"
    assert step(endings, forces=False, spoken_s=11.0, sent_s=12.0) is None
    assert step(endings, forces=False, spoken_s=11.0, sent_s=17.0) == "watchdog"


def test_a_turn_only_we_heard_begin_ends_when_the_server_does_not_find_it():
    assert step(Endings(), progress=SPEAKING, unconfirmed_s=0.92) is None
    assert step(Endings(), progress=SPEAKING, unconfirmed_s=1.0) == "watchdog"
