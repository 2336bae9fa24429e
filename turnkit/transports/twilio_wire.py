"""Twilio Media Streams messages (twilio.com/docs/voice/media-streams/websocket-messages). Pure.

Numbers arrive as strings. Audio is mu-law at 8 kHz both ways, base64 in JSON.
"""

import base64
import re
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import msgspec

from turnkit.errors import WireError

MAX_MESSAGE_BYTES = 64 * 1024

_MARK = re.compile(r"reply-(\d{1,9})-(\d{1,9})", re.ASCII)


class Connected(msgspec.Struct, frozen=True, tag_field="event", tag="connected"):
    """The connection stands; what it carries comes with `Start`."""


class StreamInfo(msgspec.Struct, frozen=True, rename="camel"):
    """What the stream is called, and what the TwiML said about it."""

    stream_sid: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    call_sid: str = ""
    custom_parameters: dict[str, str] = {}


class Start(msgspec.Struct, frozen=True, tag_field="event", tag="start"):
    """The stream begins."""

    start: StreamInfo


class Sound(msgspec.Struct, frozen=True):
    """A piece of audio and its number."""

    payload: bytes
    chunk: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    track: str = "inbound"


class Media(msgspec.Struct, frozen=True, tag_field="event", tag="media"):
    """20 ms of the caller's voice."""

    media: Sound


class Key(msgspec.Struct, frozen=True):
    """A key of the telephone."""

    digit: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-D*#]\Z")]


class Dtmf(msgspec.Struct, frozen=True, tag_field="event", tag="dtmf"):
    """The caller pressed a key."""

    dtmf: Key


class MarkName(msgspec.Struct, frozen=True):
    """The name of a mark."""

    name: str


class Mark(msgspec.Struct, frozen=True, tag_field="event", tag="mark"):
    """A mark of ours comes back: played, or dropped by a clear."""

    mark: MarkName


class Stop(msgspec.Struct, frozen=True, tag_field="event", tag="stop"):
    """The stream has ended."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An event of a name we do not know, which is no fault: Twilio may add some."""

    event: str


Known: TypeAlias = Connected | Start | Media | Dtmf | Mark | Stop
FromTwilio: TypeAlias = Known | Unknown


def parse(text: str) -> FromTwilio:
    """Read a message.

    Raises WireError with close code 1003 (not as documented), 1007 (not JSON) or 1009 (too big).
    """
    if len(text) > MAX_MESSAGE_BYTES:
        raise WireError(f"message of {len(text)} characters; at most {MAX_MESSAGE_BYTES}", 1009)
    try:
        return _decode(text)
    except msgspec.ValidationError as exc:
        raise WireError(f"message not understood: {exc}", 1003) from exc
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as exc:
        raise WireError("message is not JSON", 1007) from exc


def media(stream: str, mulaw: bytes) -> str:
    """Play this after what was sent before."""
    payload = base64.b64encode(mulaw).decode()
    return _encoded({"event": "media", "streamSid": stream, "media": {"payload": payload}})


def mark(stream: str, reply: int, end_s: float) -> str:
    """Send back this mark when the reply has been played so far."""
    name = f"reply-{reply}-{round(end_s * 1000)}"
    return _encoded({"event": "mark", "streamSid": stream, "mark": {"name": name}})


def clear(stream: str) -> str:
    """Drop everything that is not played."""
    return _encoded({"event": "clear", "streamSid": stream})


def marked(name: str) -> tuple[int, float] | None:
    """Return which reply a mark belongs to and how many seconds of it; None if it is not ours.

    The mark itself says so, hence nothing has to be remembered of marks that never come back.
    """
    found = _MARK.fullmatch(name)
    return (int(found[1]), int(found[2]) / 1000) if found else None


def _decode(text: str) -> FromTwilio:
    try:
        return _DECODER.decode(text)
    except msgspec.ValidationError:
        event = _EVENTS.decode(text).event
        if event in _NAMES:
            raise
        return Unknown(event)


class _Event(msgspec.Struct, frozen=True):
    event: str


_EVENTS = msgspec.json.Decoder(_Event)
_DECODER: msgspec.json.Decoder[Known] = msgspec.json.Decoder(Known, strict=False)  # "5" for 5
_NAMES = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})


def _encoded(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
