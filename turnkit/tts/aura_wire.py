"""Aura's wire, both ways: what the two sides say to each other. No I/O, no clock.

The protocol is Deepgram's `/v1/speak` (developers.deepgram.com/docs/tts-websocket-streaming). Audio
comes in binary frames without a header, everything else as JSON in text frames. What a server sends
is read tolerantly, what a client sends strictly. A `WireError` says what is wrong and where, and
never what was to be said.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Annotated, Final, Literal, TypeAlias, TypeVar, cast, get_args

import msgspec

from turnkit.errors import ConfigError, WireError

PATH: Final = "/v1/speak"
MODEL: Final = "aura-2-thalia-en"

MAX_SPEAK_CHARS: Final = 2000
"""In one `Speak`; beyond it the server closes with 1009, BIG-0001."""
MAX_CHARS: Final = 2400
"""In all `Speak`s of a window; beyond it the server closes with 1008, DATA-0001."""
MAX_FLUSHES: Final = 20
"""In a window; beyond it the server warns, and takes no notice until the window has passed."""
WINDOW_S: Final = 60.0
MAX_LIFE_S: Final = 3600.0
"""Of a connection; after it the server closes with 1011, NET-0003."""

Encoding: TypeAlias = Literal["linear16", "mulaw", "alaw"]
ENCODINGS: Final = cast("tuple[Encoding, ...]", get_args(Encoding))
RATES_HZ: Final[dict[Encoding, tuple[int, ...]]] = {
    "linear16": (8000, 16000, 24000, 32000, 48000),
    "mulaw": (8000, 16000),
    "alaw": (8000, 16000),
}
RATE_HZ: Final = 24000
"""The voices' own; any other is resampled by the server."""

_DEFAULT_MODEL: Final = "aura-asteria-en"  # when a client names none
_DEFAULT_RATES_HZ: dict[Encoding, int] = {"linear16": RATE_HZ, "mulaw": 8000, "alaw": 8000}
_MODEL = re.compile(r"aura-[a-z]+-en|aura-2-[a-z]+-(?:en|es|de|nl|fr|it|ja)")
_PARAMETERS = frozenset({"model", "encoding", "sample_rate", "speed", "mip_opt_out", "container"})
_SHOWN_CHARS = 64  # of a peer's own words in our messages
# JSON or HTML. As audio, these would be eight loud samples of one sign in a row, at the least.
_TEXT = re.compile(rb"[{<\[][\t\n\r\x20-\x7e]{15}")
_SERVER_MESSAGE = "server message"

REASONS: Final = {
    "BIG-0001": f"more than {MAX_SPEAK_CHARS} characters in one message",
    "DATA-0000": "a message it cannot read",
    "DATA-0001": f"more than {MAX_CHARS} characters in a minute",
    "NET-0003": "the connection is an hour old",
}
"""What the codes in a close frame's reason mean."""

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]

T = TypeVar("T")


# What a client says.


class _Client(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Speak(_Client, tag="Speak", frozen=True):
    """Add text to what is to be spoken."""

    text: str


class Flush(_Client, tag="Flush", frozen=True):
    """Speak all there is, and say `Flushed` behind the last of its audio."""


class Clear(_Client, tag="Clear", frozen=True):
    """Drop all there is, text and audio. Some may still come, but none behind `Cleared`."""


class Close(_Client, tag="Close", frozen=True):
    """Close now, whatever is left to be spoken."""


ClientMessage: TypeAlias = Speak | Flush | Clear | Close


# What a server says. `sequence_id` counts Flushed and Cleared together, from 0.


class _Server(msgspec.Struct, frozen=True):
    pass


class Metadata(_Server, tag="Metadata", frozen=True):
    """The first message of a connection."""

    request_id: str
    model_name: str = ""
    model_version: str = ""
    model_uuid: str = ""
    additional_model_uuids: tuple[str, ...] | None = None


class Flushed(_Server, tag="Flushed", frozen=True):
    """All audio of what was flushed has been sent."""

    sequence_id: Count = 0


class Cleared(_Server, tag="Cleared", frozen=True):
    """No more audio of what was cleared will be sent."""

    sequence_id: Count = 0


class AuraWarning(_Server, tag="Warning", frozen=True):
    """Something was not done, and the connection goes on."""

    description: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that did not exist when this was written."""

    name: str


ServerMessage: TypeAlias = Metadata | Flushed | Cleared | AuraWarning


class Refusal(msgspec.Struct, frozen=True):
    """The body of a refused handshake."""

    err_code: str = ""
    err_msg: str = ""
    request_id: str = ""


def parse_server(text: str) -> ServerMessage | Unknown:
    """Read one text message of a server. Raises WireError."""
    name = _type_of(text, _SERVER_MESSAGE)
    decode = _SERVER.get(name)
    return Unknown(name[:_SHOWN_CHARS]) if decode is None else _decode(decode, text, name)


def parse_client(text: str) -> ClientMessage:
    """Read one text message of a client. Raises WireError, with the server's close code."""
    try:
        return _decode(_client, text, "client message")
    except WireError as exc:
        raise WireError(str(exc), close_code=1008) from None


def parse_refusal(body: bytes) -> str:
    """Read why a handshake was refused, as "CODE: message"; "" if the body does not say."""
    try:
        said = _refusal(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # some proxy's page
        return ""
    return ": ".join(part for part in (said.err_code, said.err_msg) if part)


def encode(message: ServerMessage | ClientMessage | Refusal) -> str:
    """Write a message, or the body of a refusal, as it goes over the wire."""
    return msgspec.json.encode(message).decode()


def check_audio(frame: bytes) -> None:
    """Raise WireError if a binary frame is a text or a file: played, it would be noise."""
    if frame.startswith(b"RIFF"):
        raise WireError("a WAV file where raw audio is due")
    if _TEXT.match(frame):
        raise WireError("text where audio is due")


class WholeSamples:
    """Puts linear16 together again that was cut up anywhere, even in the middle of a sample."""

    def __init__(self) -> None:
        self.rest = b""
        """Half a sample, whose other half has not come."""

    def feed(self, frame: bytes) -> bytes:
        """Take in a frame; return the samples that are whole by now."""
        data = self.rest + frame if self.rest else frame
        whole = len(data) & ~1
        self.rest = data[whole:]
        return data if not self.rest else data[:whole]


def speakable_parts(text: str) -> Iterator[str]:
    """Yield the text in parts that each fit into a `Speak`, cut at spaces; none if it is blank."""
    text = text.encode(errors="replace").decode()  # half a character cannot be sent
    while len(text) > MAX_SPEAK_CHARS:
        end = text.rfind(" ", 1, MAX_SPEAK_CHARS) + 1 or MAX_SPEAK_CHARS
        if part := text[:end].strip():
            yield part
        text = text[end:]
    if text := text.strip():
        yield text


class Window:
    """Keeps the sum of what happens within any `seconds` below a limit."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._limit = limit
        self._seconds = seconds
        self._spent: deque[tuple[float, int]] = deque()  # when, how much
        self._sum = 0

    def free_at(self, amount: int, now: float) -> float:
        """Return when so much is within the limit: now, later, or never."""
        while self._spent and self._spent[0][0] <= now - self._seconds:
            self._sum -= self._spent.popleft()[1]
        excess = self._sum + amount - self._limit
        if excess <= 0:
            return now
        for at, spent in self._spent:
            excess -= spent
            if excess <= 0:
                return at + self._seconds
        return inf

    def spend(self, amount: int, now: float) -> None:
        """Count so much."""
        self._spent.append((now, amount))
        self._sum += amount


# Parameters: what a client asks for in the handshake.


@dataclass(frozen=True, slots=True)
class SpeakParameters:
    """What a client asks for. Making one with values Aura refuses raises ConfigError."""

    model: str = MODEL
    sample_rate_hz: int = RATE_HZ
    encoding: Encoding = "linear16"
    speed: float = 1.0
    mip_opt_out: bool = False

    def __post_init__(self) -> None:
        if not _MODEL.fullmatch(self.model):
            raise ConfigError(f"Aura has no voice {self.model[:64]!r}; name one such as {MODEL}")
        if self.encoding not in ENCODINGS:
            known = ", ".join(ENCODINGS)
            raise ConfigError(f"encoding {self.encoding!r} is not supported; send one of {known}")
        rates = RATES_HZ[self.encoding]
        if self.sample_rate_hz not in rates:
            known = ", ".join(map(str, rates))
            raise ConfigError(
                f"sample_rate {self.sample_rate_hz} is not supported for {self.encoding}; "
                f"send one of {known}"
            )
        if not 0.7 <= self.speed <= 1.5:
            raise ConfigError(f"speed {self.speed} is out of range; send 0.7 to 1.5")

    def query(self) -> list[tuple[str, str]]:
        """Return the query of the handshake's URL, not yet percent-encoded."""
        return [
            ("model", self.model),
            ("encoding", self.encoding),
            ("sample_rate", str(self.sample_rate_hz)),
            *([("speed", str(self.speed))] if self.speed != 1.0 else []),
            *([("mip_opt_out", "true")] if self.mip_opt_out else []),
        ]


def parse_query(pairs: Iterable[tuple[str, str]]) -> SpeakParameters:
    """Read the query of a handshake, already percent-decoded. Raises ConfigError."""
    given = dict(pairs)
    if unknown := given.keys() - _PARAMETERS:
        raise ConfigError(f"{min(unknown)[:_SHOWN_CHARS]!r} is not a parameter of {PATH}")
    encoding = cast("Encoding", given.get("encoding", "linear16"))
    try:
        return SpeakParameters(
            model=given.get("model", _DEFAULT_MODEL),
            sample_rate_hz=int(given.get("sample_rate", _DEFAULT_RATES_HZ.get(encoding, RATE_HZ))),
            encoding=encoding,
            speed=float(given.get("speed", 1.0)),
            mip_opt_out=given.get("mip_opt_out", "false").lower() == "true",
        )
    except ValueError as exc:
        raise ConfigError(str(exc)) from None


def reason_of(closing: str) -> str:
    """Explain the reason of a close frame, where it is one of Aura's codes."""
    known = [words for code, words in REASONS.items() if code in closing]
    return f"{closing} ({known[0]})" if known else closing


class _Envelope(msgspec.Struct):
    type: str


def _type_of(text: str, what: str) -> str:
    return _decode(_envelope, text, what).type


def _decode(decode: Callable[[str], T], text: str, what: str) -> T:
    try:
        return decode(text)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise WireError(f"{what}: {exc}") from None
    except RecursionError:
        raise WireError(f"{what}: nested too deeply") from None


_envelope = msgspec.json.Decoder(_Envelope).decode
_client: Callable[[str], ClientMessage] = msgspec.json.Decoder(ClientMessage).decode
_refusal = msgspec.json.Decoder(Refusal).decode
_SERVER: dict[str, Callable[[str], ServerMessage]] = {
    str(kind.__struct_config__.tag): msgspec.json.Decoder(kind, strict=False).decode
    for kind in get_args(ServerMessage)
}
