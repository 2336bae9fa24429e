"""Twilio's messages, as documented and as not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.errors import WireError
from turnkit.transports import twilio_wire
from turnkit.transports.twilio_wire import Connected, Dtmf, Mark, Media, Start, Stop, Unknown

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'
START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC1","streamSid":"MZ1",'
    '"callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw",'
    '"sampleRate":8000,"channels":1},"customParameters":{"token":"t"}},"streamSid":"MZ1"}'
)
MEDIA = (
    '{"event":"media","sequenceNumber":"3","media":{"track":"inbound","chunk":"1",'
    '"timestamp":"5","payload":"//8A"},"streamSid":"MZ1"}'
)
DTMF = (
    '{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5",'
    '"dtmf":{"track":"inbound_track","digit":"1"}}'
)
MARK = '{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"reply-7-120"}}'
STOP = '{"event":"stop","sequenceNumber":"5","stop":{"accountSid":"AC1"},"streamSid":"MZ1"}'


def test_each_documented_message_is_understood():
    kinds = [type(twilio_wire.parse(m)) for m in (CONNECTED, START, MEDIA, DTMF, MARK, STOP)]
    assert kinds == [Connected, Start, Media, Dtmf, Mark, Stop]


def test_a_start_names_the_stream_the_call_and_our_own_parameters():
    info = twilio_wire.parse(START).start
    assert (info.stream_sid, info.call_sid, info.custom_parameters) == (
        "MZ1",
        "CA1",
        {"token": "t"},
    )


def test_audio_comes_as_bytes_with_its_number():
    sound = twilio_wire.parse(MEDIA).media
    assert (sound.payload, sound.chunk, sound.track) == (b"\xff\xff\x00", 1, "inbound")


def test_an_event_of_another_name_is_no_fault():
    assert twilio_wire.parse('{"event":"applause"}') == Unknown("applause")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (MEDIA.replace("//8A", "//8"), 1003),
        (MEDIA.replace("//8A", "__8A"), 1003),
        (MEDIA.replace("//8A", "é"), 1003),
        (MEDIA.replace('"1"', '"one"'), 1003),
        (MEDIA.replace('"1"', '"-1"'), 1003),
        (START.replace('"streamSid":"MZ1",', ""), 1003),
        (DTMF.replace('"1"', '"11"'), 1003),
        ('{"event":5}', 1003),
        ("[]", 1003),
        ("media", 1007),
        ("\ud800", 1007),
        ("[" * 100_000, 1009),
    ],
)
def test_nonsense_is_refused_with_a_close_code(text, code):
    with pytest.raises(WireError) as caught:
        twilio_wire.parse(text)
    assert caught.value.close_code == code


@given(st.text() | st.dictionaries(st.text(), st.text()).map(json.dumps))
def test_whatever_arrives_is_understood_or_refused(text):
    try:
        twilio_wire.parse(text)
    except WireError as exc:
        refusal = exc.close_code
    else:
        return
    assert refusal in (1003, 1007)


def test_audio_is_sent_as_base64_without_a_header():
    assert json.loads(twilio_wire.media("MZ1", b"\xff\xff\x00")) == {
        "event": "media",
        "streamSid": "MZ1",
        "media": {"payload": "//8A"},
    }


def test_a_clear_names_the_stream():
    assert json.loads(twilio_wire.clear("MZ1")) == {"event": "clear", "streamSid": "MZ1"}


def test_a_mark_says_by_itself_what_was_played():
    name = json.loads(twilio_wire.mark("MZ1", 7, 0.12))["mark"]["name"]
    assert name == "reply-7-120"
    assert twilio_wire.marked(name) == (7, 0.12)


@pytest.mark.parametrize(
    "name", ["", "theirs", "reply-7", "reply-\u0667-1", "reply-1-2-3", "reply-1-2\n"]
)
def test_a_mark_that_is_not_ours_says_nothing(name):
    assert twilio_wire.marked(name) is None
