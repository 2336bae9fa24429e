"""Aura's wire: every message both ways, its limits, and what the handshake asks for."""

import json
from contextlib import suppress
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.errors import ConfigError, WireError
from turnkit.tts.aura_wire import (
    MAX_SPEAK_CHARS,
    AuraWarning,
    Clear,
    Cleared,
    Close,
    Flush,
    Flushed,
    Metadata,
    Refusal,
    Speak,
    SpeakParameters,
    Unknown,
    WholeSamples,
    Window,
    check_audio,
    encode,
    parse_client,
    parse_query,
    parse_refusal,
    parse_server,
    reason_of,
    speakable_parts,
)

SECRET = "my account number is 4711"


def problem(parser, text):
    with pytest.raises(WireError) as caught:
        parser(text)
    return str(caught.value)


# Messages.


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (Speak("Hello there. "), '{"type":"Speak","text":"Hello there. "}'),
        (Flush(), '{"type":"Flush"}'),
        (Clear(), '{"type":"Clear"}'),
        (Close(), '{"type":"Close"}'),
    ],
)
def test_what_a_client_says(message, text):
    assert encode(message) == text
    assert parse_client(text) == message


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            Metadata("r", "aura-2-thalia-en", "2025", "u", ()),
            (
                '{"type":"Metadata","request_id":"r","model_name":"aura-2-thalia-en",'
                '"model_version":"2025","model_uuid":"u","additional_model_uuids":[]}'
            ),
        ),
        (Flushed(0), '{"type":"Flushed","sequence_id":0}'),
        (Cleared(1), '{"type":"Cleared","sequence_id":1}'),
        (
            AuraWarning("Slow down.", "X"),
            '{"type":"Warning","description":"Slow down.","code":"X"}',
        ),
    ],
)
def test_what_a_server_says(message, text):
    assert encode(message) == text
    assert parse_server(text) == message


def test_new_fields_are_passed_over_and_new_messages_named():
    assert parse_server('{"type":"Flushed","sequence_id":"3","mood":[1]}') == Flushed(3)
    assert parse_server('{"type":"Paused","why":"' + SECRET + '"}') == Unknown("Paused")
    assert parse_server('{"type":"Warning"}') == AuraWarning()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type":3}',
        '{"type":"Cleared","sequence_id":-1}',
        "[" * 9999,
        '{"why":' + "[" * 9999,
    ],
)
def test_a_server_that_says_nonsense_is_at_fault(text):
    assert problem(parse_server, text)


@pytest.mark.parametrize(
    "text", ["hello", '{"type":"Reset"}', '{"type":"Speak"}', '{"type":"Flush","now":true}']
)
def test_a_client_that_says_nonsense_is_closed_with_1008(text):
    with pytest.raises(WireError) as caught:
        parse_client(text)
    assert caught.value.close_code == 1008


def test_no_complaint_repeats_what_was_to_be_said():
    said = json.dumps({"type": "Speak", "text": [SECRET]})
    assert "4711" not in problem(parse_client, said) + problem(parse_server, f'{{"{SECRET}":1}}')


@given(st.text())
def test_any_text_survives_the_way(text):
    sent = "".join(speakable_parts(text))
    assert parse_client(encode(Speak(sent))) == Speak(sent)


@given(st.text(max_size=60))
def test_whatever_a_peer_says_is_read_or_is_a_wire_error(text):
    for parse in (parse_server, parse_client):
        with suppress(WireError):
            parse(text)


def test_a_refusal_says_why():
    body = encode(Refusal("INVALID_AUTH", "Invalid credentials.", "r")).encode()
    assert parse_refusal(body) == "INVALID_AUTH: Invalid credentials."
    assert parse_refusal(b'{"err_code":"X"}') == "X"
    assert parse_refusal(b"<html>\xff") == parse_refusal(b"[" * 9999) == ""


def test_the_reason_of_a_close_is_explained_where_it_is_known():
    assert reason_of("1011 NET-0003") == "1011 NET-0003 (the connection is an hour old)"
    assert reason_of("1006") == "1006"


# Audio.


@pytest.mark.parametrize(
    "frame",
    [b"RIFF$\x00\x00\x00WAVE", b'{"err_code":"X","err_msg":"no"}', b"<!DOCTYPE html>\r\n<html>"],
)
def test_what_is_no_audio_is_found_out(frame):
    with pytest.raises(WireError):
        check_audio(frame)


@pytest.mark.parametrize(
    "frame", [b"", b"{", b"{}{}", b"{" * 15, b"{\x00" * 400, b"<\xff[\x01" * 9]
)
def test_what_may_be_audio_passes(frame):
    check_audio(frame)


@given(st.binary(), st.lists(st.integers(0, 50)))
def test_samples_cut_up_anywhere_are_whole_again(audio, cuts):
    whole = WholeSamples()
    bounds = [0, *sorted(min(cut, len(audio)) for cut in cuts), len(audio)]
    pieces = [whole.feed(audio[start:end]) for start, end in pairwise(bounds)]
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert b"".join(pieces) + whole.rest == audio
    assert len(whole.rest) == len(audio) % 2


# Limits.


def test_a_short_text_is_one_part_and_a_blank_one_none():
    assert list(speakable_parts(" Hello.\n")) == ["Hello."]
    assert list(speakable_parts(" \n")) == []
    assert list(speakable_parts("\ud800 hello")) == ["? hello"]
    assert list(speakable_parts(" " * 5000 + "Hello.")) == ["Hello."]


@given(st.text(alphabet="ab \u00e9", max_size=9000))
def test_a_long_text_is_cut_at_spaces_and_nothing_is_lost(text):
    parts = list(speakable_parts(text))
    assert all(0 < len(part) <= MAX_SPEAK_CHARS for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_words_are_not_cut_in_two():
    words = " ".join(f"word{n}" for n in range(1000))
    assert " ".join(speakable_parts(words)) == words


def test_a_window_is_free_again_when_enough_has_gone_by():
    window = Window(20, 60.0)
    for second in range(20):
        assert window.free_at(1, float(second)) == second
        window.spend(1, float(second))
    assert window.free_at(1, 20.0) == 60.0
    assert window.free_at(3, 20.0) == 62.0
    assert window.free_at(1, 60.0) == 60.0
    assert window.free_at(21, 60.0) == inf


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 20)), max_size=40))
def test_whoever_waits_for_a_window_never_exceeds_it(wishes):
    window, now, spent = Window(10, 60.0), 0.0, []
    for amount, pause_s in wishes:
        now = window.free_at(amount, now + pause_s)
        window.spend(amount, now)
        spent.append((now, amount))
    for end, _ in spent:
        assert sum(amount for at, amount in spent if end - 59.999 < at <= end) <= 10


# The handshake.


def test_both_sides_mean_the_same_parameters():
    parameters = SpeakParameters("aura-asteria-en", 8000, "mulaw", speed=0.9, mip_opt_out=True)
    assert parse_query(parameters.query()) == parameters
    assert parse_query(SpeakParameters().query()) == SpeakParameters()


def test_what_a_client_leaves_out_is_auras_default():
    assert parse_query([]) == SpeakParameters("aura-asteria-en", 24000, "linear16")
    assert parse_query([("encoding", "alaw"), ("container", "none")]).sample_rate_hz == 8000


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"model": "thalia"}, "Aura has no voice 'thalia'; name one such as aura-2-thalia-en"),
        ({"model": "aura-2-thalia-pt"}, "Aura has no voice"),
        ({"encoding": "mp3"}, "encoding 'mp3' is not supported; send one of linear16, mulaw, alaw"),
        ({"sample_rate": "22050"}, "22050 is not supported for linear16; send one of 8000, 16000"),
        ({"sample_rate": "24000", "encoding": "mulaw"}, "send one of 8000, 16000$"),
        ({"sample_rate": "high"}, "invalid literal"),
        ({"speed": "1.6"}, "speed 1.6 is out of range; send 0.7 to 1.5"),
        ({"speed": "nan"}, "out of range"),
        ({"voice": "x"}, "'voice' is not a parameter"),
    ],
)
def test_parameters_aura_refuses_are_refused_here(query, message):
    with pytest.raises(ConfigError, match=message):
        parse_query(query.items())
