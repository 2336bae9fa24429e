"""The protocol of /ws, message by message."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.audio.frames import AudioFormat
from turnkit.errors import WireError
from turnkit.listeners.base import ReplyHeard
from turnkit.transports import client_wire
from turnkit.transports.base import DigitPressed, EndTurnRequested, PlayoutReported
from turnkit.transports.client_wire import Bye, Terms
from turnkit.turn.commands import Answer, StartReply
from turnkit.turn.events import EndOfTurn


def test_a_url_without_a_query_gets_the_defaults():
    assert client_wire.parse_query({}) == Terms(16000, 24000, reports_playout=False)


def test_a_query_chooses_rates_and_who_tells_the_playout():
    query = {"input_rate": "8000", "output_rate": "48000", "playout": "reported"}
    assert client_wire.parse_query(query) == Terms(8000, 48000, reports_playout=True)


@pytest.mark.parametrize("name", ["input_rate", "output_rate"])
@pytest.mark.parametrize("rate", ["44100", "", "-1", "16000.0", "١٦٠٠٠", "9" * 5000])
def test_another_rate_is_refused_with_what_to_do(name, rate):
    with pytest.raises(WireError) as caught:
        client_wire.parse_query({name: rate})
    advice = f"sample rate {rate} not supported; send 8000, 16000, 24000 or 48000"
    assert str(caught.value) == advice


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"input_rat": "8000"}, "unknown parameter 'input_rat'; did you mean 'input_rate'?"),
        ({"user": "7"}, "unknown parameter 'user'; known: input_rate, output_rate, playout"),
        ({"playout": "no"}, "playout 'no' not supported; send clock or reported"),
    ],
)
def test_a_misspelt_query_is_refused_with_what_to_do(query, message):
    with pytest.raises(WireError) as caught:
        client_wire.parse_query(query)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"playout","reply":3,"played_ms":1240}', PlayoutReported(3, 1.24)),
        ('{"type":"playout","reply":3,"played_ms":0.5,"more":[]}', PlayoutReported(3, 0.0005)),
        ('{"type":"digit","digit":"#"}', DigitPressed("#")),
        ('{"type":"bye"}', Bye()),
    ],
)
def test_a_message_is_understood(text, message):
    assert client_wire.parse(text) == message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", 1007),
        ("", 1007),
        ('{"type":"bye"', 1007),
        ('{"type":"digit","digit":"\ud800"}', 1007),
        ('{"a":' * 10_000, 1007),
        ("[]", 1003),
        ("{}", 1003),
        ('{"type":"dance"}', 1003),
        ('{"event":"media","media":{"payload":"//8="}}', 1003),
        ('{"type":"digit","digit":"5\\n"}', 1003),
        ('{"type":"digit","digit":"55"}', 1003),
        ('{"type":"playout","reply":-1,"played_ms":0}', 1003),
        ('{"type":"playout","reply":1,"played_ms":-1}', 1003),
        ('{"type":"playout","reply":1,"played_ms":1e400}', 1003),
        ('{"type":"playout","reply":"1","played_ms":0}', 1003),
        (" " * 65_537, 1009),
    ],
)
def test_nonsense_is_refused_with_a_close_code(text, code):
    with pytest.raises(WireError) as caught:
        client_wire.parse(text)
    assert caught.value.close_code == code


@given(st.text() | st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
def test_whatever_a_client_sends_is_understood_or_refused(text):
    try:
        client_wire.parse(text)
    except WireError as exc:
        refusal = exc.close_code
    else:
        return
    assert refusal in (1003, 1007)


def test_the_hello_says_what_audio_is_like():
    said = json.loads(client_wire.hello("c0ffee", AudioFormat(16000), AudioFormat(24000)))
    assert said == {
        "type": "hello",
        "protocol": 1,
        "call": "c0ffee",
        "input": {"encoding": "linear16", "sample_rate": 16000},
        "output": {"encoding": "linear16", "sample_rate": 24000},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (client_wire.audio(3), {"type": "audio", "reply": 3}),
        (client_wire.finish(3), {"type": "finish", "reply": 3}),
        (client_wire.clear(3), {"type": "clear", "reply": 3}),
        (client_wire.error("odd"), {"type": "error", "message": "odd"}),
        (client_wire.end("hung up"), {"type": "end", "reason": "hung up"}),
    ],
)
def test_each_message_to_the_client_is_a_small_object(text, message):
    assert json.loads(text) == message


def test_a_note_carries_the_name_of_what_happened_and_its_fields():
    assert json.loads(client_wire.note(1700, EndOfTurn(0, "book a table"))) == {
        "type": "note",
        "at_ms": 1700,
        "name": "EndOfTurn",
        "fields": {"turn": 0, "transcript": "book a table", "trigger": "model"},
    }


def test_a_purpose_within_a_note_has_its_name_too():
    text = client_wire.note(0, StartReply(1, Answer(0, "book", drafted=True)))
    assert json.loads(text)["fields"]["purpose"] == {
        "name": "Answer",
        "fields": {"turn": 0, "transcript": "book", "drafted": True},
    }


def test_half_a_character_in_an_agents_words_does_not_break_the_note():
    text = client_wire.note(0, ReplyHeard(1, "so \ud83d", ""))
    assert text.isascii()
    assert json.loads(text)["fields"]["heard"] == "so \ud83d"


def test_a_client_may_say_that_the_turn_is_over():
    assert client_wire.parse('{"type":"end_turn"}') == EndTurnRequested()
