"""Flux's wire: every message both ways, what is forgiven, and what is not."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnkit.errors import WireError
from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import (
    EVENTS,
    MAX_MESSAGE_BYTES,
    ActiveThresholds,
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    Refusal,
    Thresholds,
    TurnInfo,
    Unknown,
    Word,
    configured,
    encode,
    parse_client,
    parse_refusal,
    parse_server,
    to_event,
    unknown_fields,
)
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, Update

SECRET = "my account number is 4711"


def info(event, transcript="", turn=0, **fields):
    """A TurnInfo as a dict, as it comes from the wire."""
    return {
        "type": "TurnInfo",
        "request_id": "r",
        "event": event,
        "turn_index": turn,
        "audio_window_start": 0.0,
        "audio_window_end": 0.24,
        "transcript": transcript,
        "words": [{"word": word, "confidence": 1.0} for word in transcript.split()],
        "end_of_turn_confidence": 0.5,
        "sequence_id": 1,
    } | fields


def parse(message):
    return parse_server(json.dumps(message))


def event_of(message):
    return to_event(parse(message))


def problem(parser, text):
    with pytest.raises(WireError) as caught:
        parser(text)
    return str(caught.value)


# Real traffic.


def logged(shared):
    for path in sorted((shared / "recordings").glob("*.flux.json")):
        for entry in json.loads(path.read_text())["events"]:
            yield json.dumps(entry["data"], separators=(",", ":"))


def test_every_recorded_message_is_written_again_as_flux_wrote_it(shared):
    texts = list(logged(shared))
    assert len(texts) > 100
    assert [encode(parse_server(text)) for text in texts] == texts


def test_recorded_messages_hold_nothing_unknown(shared):
    assert not any(unknown_fields(text) for text in logged(shared))
    infos = [parse_server(text) for text in logged(shared)]
    assert {message.event for message in infos if isinstance(message, TurnInfo)} <= EVENTS


def test_recorded_turns_end_in_the_words_logged(shared):
    log = json.loads((shared / "recordings" / "yes.flux.json").read_text())
    events = [event_of(entry["data"]) for entry in log["events"][1:]]
    assert [event for event in events if not isinstance(event, Update)] == [
        StartOfTurn(0, "Yes."),
        EndOfTurn(0, "Yes."),
    ]


# Events: the reference's conversations.


def test_a_plain_turn():
    script = [
        info("Update"),
        info("Update", "The"),
        info("StartOfTurn", "This is"),
        info("EndOfTurn", "This is it.", trigger="model"),
        info("Update", turn=1, end_of_turn_confidence=0.81),
    ]
    assert [event_of(message) for message in script] == [
        Update(0, ""),
        Update(0, "The"),  # text ahead of StartOfTurn is legal
        StartOfTurn(0, "This is"),
        EndOfTurn(0, "This is it.", "model"),
        Update(1, ""),  # above the threshold, yet no decision
    ]


def test_a_turn_with_two_drafts():
    words = [f"Hi I need to cancel my subscription{rest}" for rest in (".", " please", " please.")]
    script = [
        info("EagerEndOfTurn", words[0]),
        info("TurnResumed", words[1]),
        info("EagerEndOfTurn", words[2]),
        info("EndOfTurn", words[2], trigger="model"),
    ]
    assert [event_of(message) for message in script] == [
        EagerEndOfTurn(0, words[0]),
        TurnResumed(0, words[1]),
        EagerEndOfTurn(0, words[2]),
        EndOfTurn(0, words[2], "model"),
    ]


@pytest.mark.parametrize("trigger", ["manual", "timeout", "a word of tomorrow"])
def test_an_end_says_why(trigger):
    assert event_of(info("EndOfTurn", "I need", turn=3, trigger=trigger)) == EndOfTurn(
        3, "I need", trigger
    )


def test_an_end_that_does_not_say_why_was_the_models():
    assert event_of(info("EndOfTurn", "yes")) == EndOfTurn(0, "yes", "model")


def test_an_event_of_tomorrow_is_an_update():
    message = parse(info("TurnPaused", "well"))
    assert message.event not in EVENTS
    assert to_event(message) == Update(0, "well")


# A server's other messages.


@pytest.mark.parametrize(
    "message",
    [
        Connected("63038896", 0),
        TurnInfo(
            request_id="r",
            event="EndOfTurn",
            turn_index=0,
            audio_window_start=0.0,
            audio_window_end=1.36,
            transcript="Hello",
            words=(Word("Hello", 0.9612, 0.24, 0.56),),
            end_of_turn_confidence=0.86,
            sequence_id=11,
            languages=("en",),
            languages_hinted=("en", "es"),
            trigger="model",
        ),
        ConfigureSuccess(ActiveThresholds(0.4, 0.7, 6000), ("apple",), "r", 42, ("en",), False),
        ConfigureFailure("r", 43, "INVALID_THRESHOLD", "eager above eot"),
        FluxWarning("r", 44, "FORCE_END_TURN_NO_ACTIVE_TURN", "no turn"),
        FluxError(57, "INTERNAL_SERVER_ERROR", "sorry"),
    ],
)
def test_what_a_server_writes_a_client_reads(message):
    assert parse_server(encode(message)) == message
    assert not unknown_fields(encode(message))


def test_the_wire_has_the_key_order_of_the_real_one():
    assert encode(Connected("r", 0)) == '{"type":"Connected","request_id":"r","sequence_id":0}'


def test_fields_the_guides_leave_out_may_be_left_out():
    success = {"type": "ConfigureSuccess", "thresholds": {"eot_threshold": 0.7}, "keyterms": []}
    assert parse(success) == ConfigureSuccess(ActiveThresholds(eot_threshold=0.7), ())
    assert parse({"type": "ConfigureFailure", "error_code": "X"}).error_code == "X"
    assert parse({"type": "Error"}) == FluxError()
    assert parse({"type": "Warning"}) == FluxWarning()


def test_numbers_may_come_as_strings():
    thresholds = {"eot_threshold": "0.7", "eot_timeout_ms": "6000"}
    success = parse({"type": "ConfigureSuccess", "thresholds": thresholds, "keyterms": []})
    assert success.thresholds == ActiveThresholds(None, 0.7, 6000)
    assert parse(info("Update", end_of_turn_confidence="0.25")).end_of_turn_confidence == 0.25


def test_without_a_type_an_event_makes_it_a_turn_info():
    message = info("StartOfTurn", "hello")
    del message["type"]
    assert event_of(message) == StartOfTurn(0, "hello")
    assert not unknown_fields(json.dumps(message))


def test_a_type_of_tomorrow_is_named():
    assert parse({"type": "Metadata", "event": {"any": "thing"}}) == Unknown("Metadata")
    assert not unknown_fields('{"type":"Metadata","event":1}')


def test_fields_of_tomorrow_are_passed_over_and_named():
    words = [{"word": "hi", "confidence": 1.0, "speaker": 1}]
    text = json.dumps(info("Update", "hi", words=words, mood="good"))
    assert parse_server(text).transcript == "hi"
    assert unknown_fields(text) == {"TurnInfo.mood", "Word.speaker"}
    assert unknown_fields('{"type":"Error","why":1}') == {"Error.why"}


# Nonsense.


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "server message: Input data was truncated"),
        ("[]", "server message: Expected `object`, got `array`"),
        ("{}", "server message: neither `type` nor `event`"),
        ('{"type":7}', "server message: Expected `str | null`, got `int` - at `$.type`"),
        ('{"type":"Connected"}', "Connected: Object missing required field `request_id`"),
        (b'{"type":"Error","code":"\xff"}', "server message: not UTF-8 (position 24)"),
        ('{"type":"\ud800"}', "server message: not UTF-8 (position 9)"),
        ('{"type":"Error","x":' + "[" * 100_000, "server message: nested too deeply"),
    ],
)
def test_the_error_says_what_is_wrong_and_where(text, said):
    assert problem(parse_server, text) == said


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("end_of_turn_confidence", "NaN"),
        ("end_of_turn_confidence", "1e400"),
        ("end_of_turn_confidence", '"nan"'),
        ("end_of_turn_confidence", '"inf"'),
        ("audio_window_end", "-1"),
        ("audio_window_end", "null"),
        ("turn_index", "-1"),
        ("turn_index", "0.5"),
        ("turn_index", "true"),
        ("transcript", "7"),
        ("transcript", r'"\ud800"'),
        ("words", '[{"word":"my"}]'),
    ],
)
def test_a_field_that_makes_no_sense_costs_the_message_and_tells_no_secret(field, value):
    message = info("Update", SECRET)
    text = json.dumps(message).replace(json.dumps(message[field]), value, 1)
    assert SECRET not in problem(parse_server, text)


def test_a_message_too_long_is_refused_unread():
    with pytest.raises(WireError) as caught:
        parse_server(json.dumps(info("Update", "word " * MAX_MESSAGE_BYTES)))
    assert caught.value.close_code == 1009


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
TYPES = st.sampled_from(["TurnInfo", "Connected", "ConfigureSuccess", "Configure", "ForceEndTurn"])
FIELDS = st.sampled_from([*info("Update"), "thresholds", "keyterms", "languages", "numerals"])


@settings(max_examples=300, derandomize=True, deadline=None)
@given(kind=TYPES, fields=st.dictionaries(FIELDS, JSON))
def test_whatever_is_sent_is_read_or_a_wire_error(kind, fields):
    text = json.dumps(info("Update", "hi") | {"type": kind} | fields)
    for parser in (parse_server, parse_client):
        try:
            encode(parser(text))
        except WireError:
            continue


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    text=st.text() | st.binary(),
    cut=st.integers(0, 200),
    junk=st.text(st.characters(codec=None), max_size=5),  # lone surrogates too
)
def test_broken_text_is_a_wire_error(text, cut, junk):
    whole = json.dumps(info("Update", "hi"))
    for broken in (text, whole[:cut], whole[:cut] + junk + whole[cut:]):
        for parser in (parse_server, parse_client):
            try:
                message = parser(broken)
            except WireError:
                continue
            assert not isinstance(message, TurnInfo) or unknown_fields(broken) is not None


# A client's messages.


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (CloseStream(), '{"type":"CloseStream"}'),
        (ForceEndTurn(), '{"type":"ForceEndTurn"}'),
        (Configure(), '{"type":"Configure"}'),
        (
            Configure(Thresholds(0.4, 0.7, 6000), (), ("en",), numerals=False),
            (
                '{"type":"Configure","thresholds":{"eager_eot_threshold":0.4,"eot_threshold":0.7,'
                '"eot_timeout_ms":6000},"keyterms":[],"language_hints":["en"],"numerals":false}'
            ),
        ),
    ],
)
def test_what_a_client_writes_a_server_reads(message, text):
    assert encode(message) == text
    assert parse_client(text) == message


def test_null_means_unchanged():
    assert parse_client('{"type":"Configure","language_hints":null}') == Configure()


def test_a_single_keyterm_need_not_be_a_list():
    assert parse_client('{"type":"Configure","keyterms":"a b"}') == Configure(keyterms=("a b",))


def test_keep_alive_is_refused_in_deepgrams_words():
    assert problem(parse_client, '{"type":"KeepAlive"}') == (
        "Could not deserialize last text message: unknown variant `KeepAlive`, "
        "expected one of `CloseStream`, `Configure`, `ForceEndTurn`"
    )


@pytest.mark.parametrize(
    "text",
    [
        "[object Blob]",
        "{}",
        '{"type":"ForceEndTurn","turn":1}',
        '{"type":"Configure","features":{"keyterms":[]}}',
        '{"type":"Configure","thresholds":{"eot":0.7}}',
        '{"type":"Configure","thresholds":{"eot_threshold":"0.7"}}',
        '{"type":"Configure","thresholds":{"eot_timeout_ms":600.5}}',
        '{"type":"Configure","numerals":"true"}',
    ],
)
def test_a_client_is_read_strictly(text):
    assert problem(parse_client, text).startswith("Could not deserialize last text message: ")


# Configure, carried out.

MULTI = ListenParameters("flux-general-multi", "linear16", 16000, keyterms=("pear",))


def test_configure_changes_what_it_names():
    assert configured(MULTI, Configure()) == MULTI
    changed = configured(MULTI, Configure(Thresholds(eot_threshold=0.9), ("apple",), numerals=True))
    assert (changed.eot_threshold, changed.keyterms, changed.numerals) == (0.9, ("apple",), True)
    assert changed.eot_timeout_ms == MULTI.eot_timeout_ms
    assert configured(changed, Configure(keyterms=(), numerals=False)) == ListenParameters(
        "flux-general-multi", "linear16", 16000, eot_threshold=0.9
    )


def test_configure_is_refused_with_the_code_of_the_reason():
    with pytest.raises(ParameterRefused) as caught:
        configured(MULTI, Configure(Thresholds(eager_eot_threshold=0.8)))
    assert caught.value.code == "INVALID_THRESHOLD"
    with pytest.raises(ParameterRefused) as caught:
        configured(MULTI, Configure(language_hints=("xx",)))
    assert caught.value.code == "INVALID_PARAMETER"


# Refusals.


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (encode(Refusal("INVALID_PARAMETER", "no")).encode(), "INVALID_PARAMETER: no"),
        (
            b'{"err_code":"INVALID_AUTH","err_msg":"bad key","request_id":"r"}',
            "INVALID_AUTH: bad key",
        ),
        (b'{"err_msg":"bad key"}', "bad key"),
        (b"<html>nginx</html>", ""),
        (b"\xff", ""),
    ],
)
def test_a_refusal_is_read_in_either_shape(body, reason):
    assert parse_refusal(body) == reason


# Messages without a type, as Cloudflare's schema has them.


def test_what_has_no_type_is_told_by_its_fields():
    untyped = info("Update", "hello")
    del untyped["type"]
    assert parse(untyped) == parse(info("Update", "hello"))
    assert parse({"request_id": "r", "sequence_id": 0}) == Connected("r", 0)
    success = {"thresholds": {"eot_threshold": 0.8}, "keyterms": [], "sequence_id": 0}
    assert isinstance(parse(success), ConfigureSuccess)


def test_their_unknown_fields_are_named_as_if_they_had_one():
    assert unknown_fields('{"request_id":"r","sequence_id":0,"mood":1}') == {"Connected.mood"}
    assert unknown_fields('{"thresholds":{},"keyterms":[],"mood":1}') == {"ConfigureSuccess.mood"}


@pytest.mark.parametrize("text", ['{"sequence_id":7}', '{"code":"X"}', '{"sequence_id":"0"}'])
def test_what_tells_too_little_is_nonsense(text):
    with pytest.raises(WireError, match="neither `type` nor `event`"):
        parse_server(text)
