"""Scripts played: on the clock of the audio, and by the connection's thresholds."""

import pytest

from turnkit.listen.player import Player
from turnkit.listen.script import parse_script, script_of
from turnkit.listen.scripted import Scripted
from turnkit.sources.flux_wire import (
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    FluxWarning,
    ForceEndTurn,
    Thresholds,
    TurnInfo,
)
from turnkit.testing.ears import silence, told
from turnkit.testing.flux_rules import violations

TABLE = ["a table [0.8] for four"]


@pytest.fixture
def play(parameters):
    """Play a script to a client that asks for something; return what is said of so much audio."""

    def played(script, seconds: float = 8.0, **asked: object):
        player = Player(Scripted(script), parameters(**asked), "r")
        return [player.connected(), *player.feed(silence(seconds))]

    return played


def test_the_whole_sequence(play):
    messages = play(script_of(TABLE), eager_eot_threshold=0.5)
    assert violations(messages) == []
    assert told(messages) == [
        ("StartOfTurn", 1.12, "a"),
        ("EagerEndOfTurn", 1.76, "a table"),
        ("TurnResumed", 2.24, "a table"),
        ("EagerEndOfTurn", 3.12, "a table for four"),
        ("EndOfTurn", 3.52, "a table for four"),
    ]
    confidences = [m.end_of_turn_confidence for m in messages[1:] if m.event != "Update"]
    assert confidences[1] >= 0.5
    assert confidences[-1] >= 0.7


def test_without_an_eager_threshold_no_end_is_announced(play):
    messages = play(script_of(TABLE))
    assert violations(messages, eager=False) == []
    assert [event for event, _, _ in told(messages)] == ["StartOfTurn", "EndOfTurn"]


UNSURE = """
[[turn]]
steps = [{ say = "so" }, { eager = "+0.3", confidence = 0.4 }, { end = "+0.3", confidence = 0.6 }]
"""


def test_a_written_confidence_is_held_against_the_thresholds(play):
    script = parse_script(UNSURE)
    sure = told(play(script, eager_eot_threshold=0.4, eot_threshold=0.6))
    assert [event for event, _, _ in sure] == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    messages = play(script, eager_eot_threshold=0.5, eot_timeout_ms=1000)
    assert told(messages) == [("StartOfTurn", 1.12, "so"), ("EndOfTurn", 2.16, "so")]
    assert messages[-1].turn_index == 1
    assert {m.trigger for m in messages[1:]} == {None, "timeout"}


def test_in_manual_mode_the_model_ends_no_turn(play):
    messages = play(script_of(["one", "two"]), eot_threshold=1.0, eot_timeout_ms=60000)
    assert violations(messages) == []
    assert told(messages) == [("StartOfTurn", 1.12, "one")]
    assert messages[-1].transcript == "one two"  # who goes on speaking is in the same turn


def test_a_turn_can_be_ended_and_goes_on_as_the_next(parameters):
    player = Player(Scripted(script_of(["one two three"])), parameters(), "r")
    before = [player.connected(), *player.feed(silence(1.2))]
    (end,) = player.handle(ForceEndTurn())
    (warning,) = player.handle(ForceEndTurn())
    after = player.feed(silence(3.0))
    assert (end.transcript, end.trigger) == ("one", "manual")
    assert isinstance(warning, FluxWarning)
    assert told(after) == [("StartOfTurn", 1.44, "two"), ("EndOfTurn", 2.4, "two three")]
    assert violations([*before, end, warning, *after]) == []


def test_a_configure_holds_from_then_on(parameters):
    player = Player(Scripted(script_of(TABLE)), parameters(), "r")
    before = [player.connected(), *player.feed(silence(0.4))]
    orders = [Thresholds(eager_eot_threshold=0.9), Thresholds(eager_eot_threshold=0.5)]
    failure, success = (player.handle(Configure(order))[0] for order in orders)
    after = player.feed(silence(8.0))
    assert isinstance(failure, ConfigureFailure)
    assert isinstance(success, ConfigureSuccess)
    assert success.thresholds.eager_eot_threshold == 0.5
    assert "EagerEndOfTurn" in {event for event, _, _ in told(after)}
    assert violations([*before, failure, success, *after]) == []


def test_a_text_puts_other_words_in_the_same_time(play):
    script = parse_script("""
        [[turn]]
        steps = [{ say = "the bag" }, { text = "that bad", at = "+0.5" }, { end = "+1" }]
    """)
    messages = play(script)
    assert violations(messages) == []
    assert told(messages)[-1][2] == "that bad"
    said = [m.transcript for m in messages[1:]]
    assert said.index("the bag") < said.index("that bad")


@pytest.mark.parametrize("chunk", [100, 2560, 2561, 100_000])
def test_chunks_of_any_size_make_the_same_story(play, parameters, chunk):
    player = Player(Scripted(script_of(TABLE)), parameters(eager_eot_threshold=0.5), "r")
    audio = silence(8.0)
    messages = [player.connected()]
    for start in range(0, len(audio), chunk):
        messages += player.feed(audio[start : start + chunk])
    assert messages == play(script_of(TABLE), eager_eot_threshold=0.5)


def test_the_clock_is_that_of_the_encoding(parameters):
    asked = parameters(encoding="mulaw", sample_rate_hz=8000)
    player = Player(Scripted(script_of(["one"])), asked, "r")
    assert told(player.feed(bytes(8000 * 2)))[-1][1] == 1.84


def test_nothing_is_said_after_the_end_of_a_stream(parameters):
    player = Player(Scripted(script_of(["one"])), parameters(), "r")
    assert player.handle(CloseStream()) == []
    assert player.feed(silence(3.0)) == []
    assert player.handle(ForceEndTurn()) == []
    assert player.fail("X", "y").sequence_id == 0


def test_the_multilingual_model_says_languages(play):
    asked = {"model": "flux-general-multi", "language_hints": ("de",)}
    messages = [m for m in play(script_of(["eins"]), **asked) if isinstance(m, TurnInfo)]
    assert {m.languages for m in messages} == {(), ("en",)}
    assert {m.languages_hinted for m in messages} == {("de",)}
