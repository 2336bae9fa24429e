"""What is fuzzed: each target takes any bytes and fails if a parser does what it should not."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec

from benchmarks.fuzz.choices import Choices
from turnkit.errors import ConfigError, ModelError, WireError
from turnkit.listen.fault_specs import KINDS, parse_fault
from turnkit.listen.script import parse_script
from turnkit.llm import openai_wire
from turnkit.llm.base import Delta
from turnkit.sources import flux_query, flux_wire
from turnkit.transports import client_wire, twilio_wire
from turnkit.transports.base import DigitPressed, EndTurnRequested, PlayoutReported
from turnkit.tts import aura_wire


@dataclass(frozen=True, slots=True)
class Target:
    """A parser, and what it ordinarily reads."""

    check: Callable[[bytes], None]
    seeds: tuple[bytes, ...]

    def __call__(self, data: bytes) -> None:
        """Feed it. Raises whatever is wrong."""
        self.check(data)


_WORD = {"word": "Hi,", "confidence": 0.97, "start": 0.24, "end": 0.56}
_SERVER: tuple[dict[str, Any], ...] = (
    {"type": "Connected", "request_id": "r", "sequence_id": 0},
    {
        "type": "TurnInfo",
        "request_id": "r",
        "event": "EndOfTurn",
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 1.36,
        "transcript": "Hi, you",
        "words": [_WORD, {**_WORD, "word": "you"}],
        "end_of_turn_confidence": 0.86,
        "languages": ["en"],
        "languages_hinted": [],
        "trigger": "model",
        "sequence_id": 11,
    },
    {
        "type": "ConfigureSuccess",
        "thresholds": {"eager_eot_threshold": 0.4, "eot_threshold": "0.7", "eot_timeout_ms": 5000},
        "keyterms": ["a"],
        "language_hints": ["en"],
        "numerals": True,
        "sequence_id": 3,
    },
    {"type": "ConfigureFailure", "code": "INVALID_THRESHOLD", "description": "no"},
    {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN", "description": "none"},
    {"type": "Error", "code": "INTERNAL_SERVER_ERROR", "sequence_id": 9},
    {"event": "Update", "turn_index": 0},
)
_CLIENT: tuple[dict[str, Any], ...] = (
    {"type": "CloseStream"},
    {"type": "ForceEndTurn"},
    {
        "type": "Configure",
        "thresholds": {"eager_eot_threshold": 0.4, "eot_threshold": 0.7, "eot_timeout_ms": 5000},
        "keyterms": ["a", "b c"],
        "language_hints": None,
        "numerals": False,
    },
)
_REFUSALS: tuple[dict[str, Any], ...] = (
    {"code": "INVALID_PARAMETER", "description": "no"},
    {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials.", "request_id": "r"},
)
_QUERIES = (
    "model=flux-general-en&encoding=linear16&sample_rate=16000&eager_eot_threshold=0.4",
    "model=flux-general-multi&encoding=mulaw&sample_rate=8000&language_hint=en-GB&keyterm=a%20b",
    "model=flux-general-en&encoding=alaw&sample_rate=8000&tag=x&numerals=true&redact=numbers",
    "model=flux-general-en&encoding=linear32&sample_rate=48000&eot_threshold=1&eot_timeout_ms=500",
)
_TWILIO: tuple[dict[str, Any], ...] = (
    {"event": "connected", "protocol": "Call", "version": "1.0.0"},
    {
        "event": "start",
        "start": {"streamSid": "MZ1", "callSid": "CA1", "customParameters": {"a": "b"}},
    },
    {"event": "media", "media": {"payload": "//8A", "chunk": "7", "track": "inbound"}},
    {"event": "dtmf", "dtmf": {"digit": "#"}},
    {"event": "mark", "mark": {"name": "reply-7-1500"}},
    {"event": "stop"},
)
_BROWSER: tuple[dict[str, Any], ...] = (
    {"type": "playout", "reply": 3, "played_ms": 120.5},
    {"type": "digit", "digit": "5"},
    {"type": "end_turn"},
    {"type": "bye"},
)
_CHUNKS: tuple[dict[str, Any], ...] = (
    {"choices": [{"delta": {"content": "<think>no</think>Hi"}, "finish_reason": None}]},
    {
        "choices": [
            {
                "delta": {
                    "tool_calls": [
                        {"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}
                    ]
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    },
    {"error": {"code": 429, "type": "rate_limit_exceeded", "message": "no"}},
)
_AURA_SERVER: tuple[dict[str, Any], ...] = (
    {"type": "Metadata", "request_id": "r", "model_name": "m", "additional_model_uuids": []},
    {"type": "Flushed", "sequence_id": 0},
    {"type": "Cleared", "sequence_id": 1},
    {"type": "Warning", "description": "slow", "code": "X"},
)
_AURA_CLIENT: tuple[dict[str, Any], ...] = (
    {"type": "Speak", "text": "Hi"},
    {"type": "Flush"},
    {"type": "Clear"},
    {"type": "Close"},
)
_SCRIPT = """
[[turn]]
say = "a table [0.8] for four"
[[turn]]
after = 1
steps = [
  { say = "yes", seconds = 1 }, { eager = "+0.3", confidence = 0.4 }, { resume = "+0.1" },
  { text = "no" }, { words = [["a", 9, 10, 0.5]] }, { end = 11.5, trigger = "timeout" },
]
"""
_FAULTS = ("drop@5s", "stall:2s@message=7", "1011:p=0.01", "late@EndOfTurn#2,connection=1")


def _message(data: bytes, seeds: tuple[dict[str, Any], ...]) -> str:
    """Make of the input what a peer may have sent."""
    choices = Choices(data)
    if choices.below(2):
        return choices.altered(seeds)
    rest = choices.rest()
    try:
        return rest.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return rest.decode("latin-1")


def _flux_server(data: bytes) -> None:
    text = _message(data, _SERVER)
    try:
        message = flux_wire.parse_server(text)
    except WireError:
        return
    if isinstance(message, flux_wire.Unknown):
        return
    flux_wire.unknown_fields(text)
    if isinstance(message, flux_wire.TurnInfo):
        flux_wire.to_event(message)
    assert flux_wire.parse_server(flux_wire.encode(message)) == message
    assert flux_wire.parse_server(text.encode()) == message


def _flux_client(data: bytes) -> None:
    text = _message(data, _CLIENT)
    try:
        message = flux_wire.parse_client(text)
    except WireError:
        return
    assert flux_wire.parse_client(flux_wire.encode(message)) == message
    if isinstance(message, flux_wire.Configure):
        start = flux_query.ListenParameters("flux-general-multi", "linear16", 16000)
        try:
            flux_wire.configured(start, message)
        except flux_query.ParameterRefused:
            return


def _flux_bytes(data: bytes) -> None:
    """Read bytes as they are: what is not UTF-8 comes to bytes only."""
    for parse in (flux_wire.parse_server, flux_wire.parse_client):
        try:
            parse(data)
        except WireError:
            continue


def _flux_refusal(data: bytes) -> None:
    text = _message(data, _REFUSALS)
    assert isinstance(flux_wire.parse_refusal(text.encode("utf-8", "surrogatepass")), str)
    assert isinstance(flux_wire.parse_refusal(data), str)


def _flux_query(data: bytes) -> None:
    choices = Choices(data)
    query = choices.rest().decode("latin-1")
    if data[:1] < b"\x80":  # one of the ordinary ones, with something added
        query = f"{_QUERIES[len(query) % len(_QUERIES)]}&{query}"
    try:
        parameters = flux_query.parse_query(parse_qsl(query, keep_blank_values=True))
    except flux_query.ParameterRefused:
        return
    again = parse_qsl(urlencode(parameters.query()), keep_blank_values=True)
    assert flux_query.parse_query(again) == parameters


def _twilio(data: bytes) -> None:
    text = _message(data, _TWILIO)
    try:
        message = twilio_wire.parse(text)
    except WireError:
        return
    if isinstance(message, twilio_wire.Unknown):
        return
    assert twilio_wire.parse(msgspec.json.encode(message).decode()) == message
    if isinstance(message, twilio_wire.Mark):
        twilio_wire.marked(message.mark.name)


def _browser(data: bytes) -> None:
    text = _message(data, _BROWSER)
    assert json.loads(client_wire.error(text))["message"] == text
    try:
        message = client_wire.parse(text)
    except WireError:
        return
    match message:
        case PlayoutReported(reply, played_s):
            again: dict[str, Any] = {"type": "playout", "reply": reply, "played_ms": 0}
            again["played_ms"] = played_s * 1000
        case DigitPressed(digit):
            again = {"type": "digit", "digit": digit}
        case EndTurnRequested():
            again = {"type": "end_turn"}
        case client_wire.Bye():
            again = {"type": "bye"}
    reread = client_wire.parse(json.dumps(again))
    if isinstance(message, PlayoutReported):
        assert isinstance(reread, PlayoutReported)
        assert abs(reread.played_s - message.played_s) <= 1e-9 * message.played_s
    else:
        assert reread == message


def _browser_query(data: bytes) -> None:
    try:
        client_wire.parse_query(dict(parse_qsl(data.decode("latin-1"), keep_blank_values=True)))
    except WireError:
        return


def _openai_stream(data: bytes) -> None:
    """Read a stream whole and in pieces, which must not matter."""
    choices = Choices(data)
    size = 1 + choices.below(64)
    if choices.below(2):
        events = [f"data: {choices.altered(_CHUNKS)}\n\n" for _ in range(1 + choices.below(4))]
        stream = "".join(events).encode("utf-8", "surrogatepass") + choices.rest()
    else:
        stream = choices.rest()
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert _read([stream]) == _read(pieces)


def _read(pieces: list[bytes]) -> tuple[list[Delta], str]:
    reader = openai_wire.StreamReader()
    found: list[Delta] = []
    try:
        for piece in pieces:
            found += reader.feed(piece)
        found += reader.finish()
    except ModelError as exc:
        return [], exc.fault
    return found, ""


def _openai_error(data: bytes) -> None:
    text = _message(data, _CHUNKS)
    error = openai_wire.failure(None, text.encode("utf-8", "surrogatepass"))
    assert "\n" not in str(error)
    openai_wire.failure(500, data)


def _aura_server(data: bytes) -> None:
    text = _message(data, _AURA_SERVER)
    try:
        message = aura_wire.parse_server(text)
    except WireError:
        return
    if not isinstance(message, aura_wire.Unknown):
        assert aura_wire.parse_server(aura_wire.encode(message)) == message


def _aura_client(data: bytes) -> None:
    text = _message(data, _AURA_CLIENT)
    parts = list(aura_wire.speakable_parts(text))
    assert all(0 < len(part) <= aura_wire.MAX_SPEAK_CHARS for part in parts)
    try:
        message = aura_wire.parse_client(text)
    except WireError:
        return
    assert aura_wire.parse_client(aura_wire.encode(message)) == message


def _aura_rest(data: bytes) -> None:
    """Read queries, refusals and audio frames."""
    assert isinstance(aura_wire.parse_refusal(data), str)
    samples = aura_wire.WholeSamples()
    assert b"".join((samples.feed(data[:7]), samples.feed(data[7:]), samples.rest)) == data
    with suppress(WireError):
        aura_wire.check_audio(data)
    try:
        query = parse_qsl(data.decode("latin-1"), keep_blank_values=True)
        parameters = aura_wire.parse_query(query)
    except ConfigError:
        return
    assert aura_wire.parse_query(parameters.query()) == parameters


def _script(data: bytes) -> None:
    text = data.decode("latin-1")
    if data[:1] < b"\x80":
        at = len(data) * 7 % len(_SCRIPT)
        text = _SCRIPT[:at] + text[:40] + _SCRIPT[at:]
    try:
        script = parse_script(text)
    except ConfigError:
        return
    times = [cue.at for cue in script]
    assert times == sorted(times)


def _fault(data: bytes) -> None:
    text = data.decode("latin-1")
    if data[:1] < b"\x80":
        text = f"{sorted(KINDS)[len(data) % len(KINDS)]}{text}"
    try:
        fault = parse_fault(text)
    except ConfigError:
        return
    assert 0 <= fault.p <= 1


def _target(check: Callable[[bytes], None], *seeds: bytes | str | dict[str, Any]) -> Target:
    written = tuple(
        seed
        if isinstance(seed, bytes)
        else (seed if isinstance(seed, str) else json.dumps(seed)).encode()
        for seed in seeds
    )
    return Target(check, written)


def _raw(messages: tuple[dict[str, Any], ...]) -> tuple[str, ...]:
    """Write messages as inputs that are taken as they are: behind an even byte."""
    return tuple("\x00" + json.dumps(message) for message in messages)


FLUX: Final = ("flux_server", "flux_client", "flux_bytes", "flux_refusal", "flux_query")
TARGETS: Final[Mapping[str, Target]] = {
    "flux_server": _target(_flux_server, *_raw(_SERVER)),
    "flux_client": _target(_flux_client, *_raw(_CLIENT)),
    "flux_bytes": _target(_flux_bytes, *_SERVER, *_CLIENT),
    "flux_refusal": _target(_flux_refusal, *_raw(_REFUSALS)),
    "flux_query": _target(_flux_query, *_QUERIES),
    "flux_script": _target(_script, _SCRIPT),
    "flux_fault": _target(_fault, *_FAULTS),
    "twilio": _target(_twilio, *_raw(_TWILIO)),
    "browser": _target(_browser, *_raw(_BROWSER)),
    "browser_query": _target(_browser_query, "input_rate=8000&output_rate=16000&playout=clock"),
    "openai_stream": _target(
        _openai_stream, *(f"\x3f\x00data: {json.dumps(chunk)}\n\n" for chunk in _CHUNKS)
    ),
    "openai_error": _target(_openai_error, *_raw(_CHUNKS)),
    "aura_server": _target(_aura_server, *_raw(_AURA_SERVER)),
    "aura_client": _target(_aura_client, *_raw(_AURA_CLIENT)),
    "aura_rest": _target(_aura_rest, "model=aura-2-thalia-en&speed=1.5&sample_rate=8000"),
}
"""Every target by its name."""
