"""The protocol of `/ws`, for browsers and programs: docs/ws.md as code. Pure.

Binary messages are audio, both ways: linear16 mono. Text messages are JSON objects with a `type`.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, assert_never

import msgspec

from turnkit.audio.frames import AudioFormat
from turnkit.errors import WireError
from turnkit.listeners.base import Item, named
from turnkit.transports.base import DigitPressed, EndTurnRequested, PlayoutReported

PROTOCOL = 1
"""Goes up when a client written for the old one could misunderstand the new one."""

RATES_HZ = (8000, 16000, 24000, 48000)
INPUT_HZ = 16000
OUTPUT_HZ = 24000
MAX_MESSAGE_BYTES = 64 * 1024

_PARAMETERS = ("input_rate", "output_rate", "playout")
_EXPECTED = "send audio as binary; as text send a playout, digit, end_turn or bye object"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a client asks for in the query of its URL."""

    input_hz: int = INPUT_HZ
    output_hz: int = OUTPUT_HZ
    reports_playout: bool = False
    """Whether it will tell how far it has played; most programs leave that to our clock."""


@dataclass(frozen=True, slots=True)
class Bye:
    """The client hangs up."""


FromClient: TypeAlias = PlayoutReported | DigitPressed | EndTurnRequested | Bye


def parse_query(query: Mapping[str, str]) -> Terms:
    """Read what the client asks for. Raises WireError, to be answered with HTTP 400."""
    for name in query:
        if name not in _PARAMETERS:
            near = difflib.get_close_matches(name, _PARAMETERS, n=1)
            advice = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_PARAMETERS)}"
            raise WireError(f"unknown parameter {name!r}; {advice}")
    playout = query.get("playout", "clock")
    if playout not in ("clock", "reported"):
        raise WireError(f"playout {playout!r} not supported; send clock or reported")
    return Terms(
        _rate(query, "input_rate", INPUT_HZ),
        _rate(query, "output_rate", OUTPUT_HZ),
        playout == "reported",
    )


def parse(text: str) -> FromClient:
    """Read a text message.

    Raises WireError with close code 1003 (no message we know), 1007 (not JSON) or 1009 (too big).
    """
    if len(text) > MAX_MESSAGE_BYTES:
        raise WireError(f"message of {len(text)} characters; at most {MAX_MESSAGE_BYTES}", 1009)
    match _decoded(text):
        case _Playout(reply, played_ms):
            return PlayoutReported(reply, played_ms / 1000)
        case _Digit(digit):
            return DigitPressed(digit)
        case _EndTurn():
            return EndTurnRequested()
        case _Bye():
            return Bye()
        case unreachable:
            assert_never(unreachable)


def hello(call: str, incoming: AudioFormat, outgoing: AudioFormat) -> str:
    """Greet, first of all: which call this is and what the audio is like."""
    return _encoded(
        type="hello", protocol=PROTOCOL, call=call, input=_form(incoming), output=_form(outgoing)
    )


def audio(reply: int) -> str:
    """Say that the binary messages from here on are audio of this reply."""
    return _encoded(type="audio", reply=reply)


def finish(reply: int) -> str:
    """Say that all audio of the reply has been sent."""
    return _encoded(type="finish", reply=reply)


def clear(reply: int) -> str:
    """Order what is not played of the reply to be dropped."""
    return _encoded(type="clear", reply=reply)


def note(at_ms: int, item: Item) -> str:
    """Tell what happened in the conversation, so many milliseconds after the hello."""
    return _encoded(type="note", at_ms=at_ms, **named(item))


def error(message: str) -> str:
    """Say what the client did wrong, or what broke; the connection is closed next."""
    return _encoded(type="error", message=message)


def end(reason: str) -> str:
    """Say that the conversation is over; the connection is closed next."""
    return _encoded(type="end", reason=reason)


class _Playout(msgspec.Struct, frozen=True, tag_field="type", tag="playout"):
    # The largest integer JavaScript can count to.
    reply: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    played_ms: Annotated[float, msgspec.Meta(ge=0)]


class _Digit(msgspec.Struct, frozen=True, tag_field="type", tag="digit"):
    digit: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-D*#]\Z")]


class _EndTurn(msgspec.Struct, frozen=True, tag_field="type", tag="end_turn"):
    pass


class _Bye(msgspec.Struct, frozen=True, tag_field="type", tag="bye"):
    pass


_Message: TypeAlias = _Playout | _Digit | _EndTurn | _Bye
_DECODER: msgspec.json.Decoder[_Message] = msgspec.json.Decoder(_Message)


def _decoded(text: str) -> _Message:
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError as exc:
        raise WireError(f"message not understood: {exc}; {_EXPECTED}", 1003) from exc
    except (msgspec.DecodeError, UnicodeEncodeError) as exc:  # the latter: a lone surrogate
        raise WireError(f"message is not JSON; {_EXPECTED}", 1007) from exc
    except RecursionError as exc:
        raise WireError(f"message is nested too deeply; {_EXPECTED}", 1007) from exc


def _encoded(**message: Any) -> str:
    try:
        return msgspec.json.encode(message).decode()
    except UnicodeEncodeError:  # an agent's words may hold half a character; json escapes it
        return json.dumps(message)


def _rate(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, str(default))
    if given not in map(str, RATES_HZ):
        *others, last = map(str, RATES_HZ)
        raise WireError(f"sample rate {given} not supported; send {', '.join(others)} or {last}")
    return int(given)


def _form(format_: AudioFormat) -> dict[str, str | int]:
    return {"encoding": format_.encoding, "sample_rate": format_.sample_rate_hz}
