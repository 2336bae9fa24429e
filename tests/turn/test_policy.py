"""What a sound of the user's means."""

import pytest

from turnkit.turn.policy import BargeIn, content_words


@pytest.mark.parametrize(
    ("transcript", "words"),
    [
        ("", 0),
        ("...", 0),
        ("[speech]", 0),
        ("mm-hm", 0),
        ("Uh-huh. Yeah, okay!", 0),
        ("no", 1),
        ("Yeah, but wait", 2),
    ],
)
def test_only_words_that_ask_for_the_floor_count(transcript, words):
    assert content_words(transcript) == words


def test_two_words_stop_and_one_waits_until_the_turn_has_ended():
    policy = BargeIn("pause")
    assert policy.judge("wait") == "wait"
    assert policy.judge("wait a") == "stop"
    assert policy.judge("wait", ended=True) == "stop"
    assert policy.judge("mm-hm", ended=True) == "resume"


def test_when_time_is_up_a_word_is_a_word_and_noise_is_none():
    assert BargeIn("pause").judge_late("wait") == "stop"
    assert BargeIn("pause").judge_late("...") == "resume"
