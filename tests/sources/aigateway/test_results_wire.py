"""What the gateway says, in every shape it may have."""

import pytest

from turnkit.errors import WireError
from turnkit.sources.aigateway.results_wire import (
    Failed,
    Other,
    Results,
    UtteranceEnd,
    parse,
    parse_refusal,
)
from turnkit.sources.flux_wire import MAX_MESSAGE_BYTES, TurnInfo

WHOLE = b"""{"type":"Results","channel_index":[0,1],"duration":1.98,"start":5.99,"is_final":true,
"speech_final":true,"from_finalize":false,"channel":{"alternatives":[{"transcript":"hello there",
"confidence":0.98,"words":[{"word":"hello","start":6.1,"end":6.4,"confidence":0.99,
"punctuated_word":"Hello"}]}]},"metadata":{"request_id":"r","model_info":{"name":"n"}}}"""


def test_a_whole_result_is_read():
    result = parse(WHOLE)
    assert isinstance(result, Results)
    assert (result.start, result.duration) == (5.99, 1.98)
    assert result.is_final
    assert result.speech_final
    assert result.best.transcript == "hello there"
    assert result.best.words[0].punctuated_word == "Hello"


def test_a_result_needs_no_more_than_is_documented():
    said = b'{"type":"Results","is_final":false,"channel":{"alternatives":[{"transcript":"hi"}]}}'
    result = parse(said)
    assert isinstance(result, Results)
    assert result.best.transcript == "hi"
    assert result.start is None


def test_a_result_without_alternatives_says_nothing():
    result = parse(b'{"type":"Results","channel":{"alternatives":[]}}')
    assert isinstance(result, Results)
    assert result.best.transcript == ""


def test_an_utterance_end_is_read():
    said = parse(b'{"type":"UtteranceEnd","channel":[0,1],"last_word_end":-1}')
    assert said == UtteranceEnd(-1)


@pytest.mark.parametrize("kind", [b'"type":"TurnInfo",', b""])
def test_a_message_with_an_event_is_flux(kind):
    said = parse(
        b"{" + kind + b'"request_id":"r","sequence_id":3,"event":"StartOfTurn","turn_index":0,'
        b'"audio_window_start":0,"audio_window_end":1,"transcript":"Hi","words":[],'
        b'"end_of_turn_confidence":0.1}'
    )
    assert isinstance(said, TurnInfo)
    assert said.event == "StartOfTurn"


@pytest.mark.parametrize(
    ("text", "failed"),
    [
        (
            b'{"error":{"type":"insufficient_credits","message":"top up","code":402}}',
            Failed("insufficient_credits", "top up"),
        ),
        (b'{"error":"no","code":"X"}', Failed("X", "no")),
        (b'{"type":"Error","code":"UNPARSABLE","description":"?"}', Failed("UNPARSABLE", "?")),
        (b'{"type":"error","message":"internal"}', Failed("", "internal")),
    ],
)
def test_an_error_is_read_in_each_of_its_shapes(text, failed):
    assert parse(text) == failed


@pytest.mark.parametrize("name", ["Metadata", "SpeechStarted", "Warning", "SomethingNew"])
def test_other_messages_say_nothing_of_words(name):
    assert parse(b'{"type":"' + name.encode() + b'","duration":1}') == Other(name)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"nonsense",
        b"\xff",
        b'{"type":"Results"}',
        b'{"type":"Results","channel":{"alternatives":[{"transcript":5}]}}',
        b'{"type":"Results","start":-1,"channel":{}}',
        b'{"type":"TurnInfo"}',
        b"[" * 100_000,
        b'{"type":"Results","channel":{"alternatives":[{"transcript":"'
        + b"a" * MAX_MESSAGE_BYTES
        + b'"}]}}',
    ],
    ids=range(10),
)
def test_what_makes_no_sense_is_a_wire_error_that_quotes_nobody(text):
    with pytest.raises(WireError) as raised:
        parse(text)
    assert "aaa" not in str(raised.value)


def test_a_refusal_says_why_if_it_does():
    assert parse_refusal(b'{"error":{"type":"t","message":"m"}}') == ("t", "m")
    assert parse_refusal(b"<html>") == ("", "")
