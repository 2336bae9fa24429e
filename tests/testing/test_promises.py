"""Who may be heard while the user speaks, on calls written by hand; the simulation has the rest."""

import pytest

from turnkit.far_end import Sound
from turnkit.testing.play import Heard
from turnkit.testing.promises import PROMISES
from turnkit.turn.commands import Answer, Prompt, ReleaseReply, ResumeReply, StartReply
from turnkit.turn.events import EndOfTurn, StartOfTurn


def sound(start, end, reply=1):
    return Sound(reply, start, start, end, b"")


def over(sounds, *tape, purpose=None, released=1.0):
    """Check a call whose reply 1 answers turn 0."""
    answer = purpose or Answer(0, "hello", drafted=False)
    begun = [(0.9, StartReply(1, answer)), (released, ReleaseReply(1))]
    tape = sorted([(0.5, EndOfTurn(0, "hello")), *begun, *tape], key=lambda item: item[0])
    return list(PROMISES["silent when the user speaks"](Heard(sounds, tape, ())))


def test_a_reply_that_goes_on_sounds_over_each_turn_that_it_outlasts_and_is_told_of_once():
    sounds = [sound(n / 10, (n + 1) / 10) for n in range(10, 60)]
    starts = [(2.05, StartOfTurn(1)), (4.05, StartOfTurn(2))]
    assert over(sounds, *starts) == [
        "reply 1 sounded over turn 1 at 2.000",
        "reply 1 sounded over turn 2 at 4.000",
    ]


@pytest.mark.parametrize("start", [StartOfTurn(0), StartOfTurn(-1)])
def test_news_of_a_turn_that_is_over_takes_no_floor(start):
    assert over([sound(1.0, 3.0)], (2.0, start)) == []


def test_a_frame_more_is_no_breach():
    assert over([sound(1.0, 2.02)], (2.0, StartOfTurn(1))) == []
    assert over([sound(1.0, 2.03)], (2.0, StartOfTurn(1))) != []


def test_a_reply_that_is_resumed_may_sound_from_then_on():
    paused, again = sound(1.0, 2.0), sound(2.5, 3.0)
    start = (2.0, StartOfTurn(1))
    assert over([paused, again], start, (2.5, ResumeReply(1, "backchannel"))) == []
    assert over([paused, again], start, (2.6, ResumeReply(1, "backchannel"))) != []
    assert over([paused, again], start, (1.9, ResumeReply(1, "backchannel"))) != []


def test_what_may_not_be_interrupted_may_be_heard_to_its_end():
    insisting = Prompt(1, interruptible=False)
    assert over([sound(1.0, 3.0)], (2.0, StartOfTurn(1)), purpose=insisting) == []


def test_a_reply_that_is_released_later_is_another_promises_affair():
    assert over([sound(2.5, 3.0)], (2.0, StartOfTurn(1)), released=2.5) == []
