"""Who tells the turns: our ears and the join, until the service does it itself."""

import pytest

from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.results_wire import (
    Alternative,
    Channel,
    Failed,
    Other,
    Results,
    ResultWord,
    UtteranceEnd,
)
from turnkit.sources.aigateway.story import Story
from turnkit.sources.flux_wire import TurnInfo, Word
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, Update


def info(event, at_s, text="", turn=0, trigger=None):
    words = tuple(Word(word, 0.9) for word in text.split())
    return TurnInfo("r", event, turn, 0.0, at_s, text, words, 0.5, 1, trigger=trigger)


def words(text, end_s, *, final=False):
    said = ResultWord(text, 1.0, end_s)
    return Results(
        Channel((Alternative(text, (said,)),)), is_final=final, start=0.0, duration=end_s
    )


@pytest.fixture
def story():
    return Story(Join(), timeout_s=5.0)


def test_our_ears_tell_the_turns_of_a_service_that_does_not(story):
    assert story.local(info("StartOfTurn", 1.2)) == [StartOfTurn(0, "...")]
    assert story.is_open
    assert story.take(words("hello", 1.4, final=True), 1.6) == [Update(0, "hello")]
    ended = info("EndOfTurn", 2.4, trigger="timeout")
    assert story.local(ended) == [EndOfTurn(0, "hello", "timeout")]
    assert not story.remote


def test_messages_without_words_or_turns_change_nothing(story):
    assert story.take(Other("Metadata"), 1.0) == []
    assert story.take(Failed("x", "y"), 1.0) == []


def test_a_gap_the_service_notices_ends_a_turn_our_ears_did_not_hear(story):
    assert story.take(words("hello", 1.4), 1.6) == [StartOfTurn(0, "hello")]
    assert story.take(UtteranceEnd(1.4), 1.8) == [EndOfTurn(0, "hello", "silence")]


def test_a_service_that_tells_turns_is_believed_from_then_on(story):
    assert story.take(info("StartOfTurn", 1.2, "hi"), 1.2) == [StartOfTurn(0, "hi")]
    assert story.remote
    assert story.is_open
    assert story.local(info("StartOfTurn", 1.2)) == []
    assert story.take(words("other", 1.4), 1.6) == []
    assert story.take(UtteranceEnd(1.4), 1.6) == []
    assert story.take(info("EndOfTurn", 2.0, "hi", trigger="model"), 2.0) == [EndOfTurn(0, "hi")]
    assert story.close() == []


def test_numbers_go_on_where_the_join_was(story):
    story.take(words("hello", 1.4), 1.6)
    story.take(UtteranceEnd(1.4), 1.8)
    assert story.take(info("StartOfTurn", 3.0, "hi"), 3.0) == [StartOfTurn(1, "hi")]


def test_a_turn_that_is_open_is_handed_over(story):
    story.local(info("StartOfTurn", 1.2))
    assert story.take(info("StartOfTurn", 1.3, "hi"), 1.3) == [Update(0, "hi")]
    assert story.take(info("EndOfTurn", 2.0, "hi", trigger="model"), 2.0) == [EndOfTurn(0, "hi")]


def test_an_end_that_was_announced_is_handed_over(story):
    story.local(info("StartOfTurn", 1.2))
    story.take(words("hello", 1.4, final=True), 1.6)
    assert story.local(info("EagerEndOfTurn", 2.0)) == [EagerEndOfTurn(0, "hello")]
    told = story.take(info("Update", 2.0, "hello you"), 2.0)
    assert told == [TurnResumed(0, "hello you")]


def test_a_turn_only_our_ears_heard_is_ended_when_the_service_does_not_know_it(story):
    story.local(info("StartOfTurn", 1.2))
    story.take(info("Update", 1.3), 1.3)
    assert story.hear(1.4, 1.4) == []
    story.take(info("Update", 2.4), 2.4)
    assert story.hear(2.4, 2.4) == [EndOfTurn(0, "", "watchdog")]


def test_a_turn_the_service_never_ends_is_ended_a_second_after_its_time(story):
    story.take(info("StartOfTurn", 1.2, "hi"), 1.2)
    story.local(info("StartOfTurn", 1.2))
    assert story.hear(30.0, 30.0) == []  # somebody is still speaking
    story.local(info("EndOfTurn", 30.0))
    assert story.hear(35.9, 35.9) == []
    assert story.hear(36.0, 36.0) == [EndOfTurn(0, "hi", "watchdog")]


def test_a_turn_of_the_services_is_ended_here_by_order(story):
    story.take(info("StartOfTurn", 1.2, "hi"), 1.2)
    assert story.end() == [EndOfTurn(0, "hi", "manual")]
