"""What a sound of the user's means."""

import pytest

from turnkit.turn.policy import BargeIn, TurnPolicy, content_words


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


SAME = [("Book a table", "book a table."), ("Yes", "Yes!"), ("at 10:30", "At 10:30.")]
OTHER = [
    ("book a table", "book a table for two"),
    ("I can", "I can not"),
    ("I can", "I can't"),
    ("for 2", "for 3"),
    ("2.5", "25"),
    ("ten to two", "ten too two"),
]


@pytest.mark.parametrize(("drafted", "final"), SAME)
def test_capitals_and_commas_count_only_where_every_letter_does(drafted, final):
    assert TurnPolicy(match="normalised").same_words(drafted, final)
    assert not TurnPolicy().same_words(drafted, final)


@pytest.mark.parametrize(("drafted", "final"), OTHER)
def test_a_word_more_a_negation_or_another_number_is_never_the_same(drafted, final):
    assert not TurnPolicy(match="normalised").same_words(drafted, final)
    assert not TurnPolicy().same_words(drafted, final)
