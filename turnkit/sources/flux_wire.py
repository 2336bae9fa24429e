"""Flux's wire, both ways: what the two sides say to each other. No I/O, no clock.

The protocol is Deepgram's `/v2/listen` (developers.deepgram.com/docs/flux). What a server sends is
read tolerantly, since new fields and messages come without notice; what a client sends is read
strictly, as the real server does. Whatever is wrong with a message becomes a `WireError` that says
what and where, and never what anybody said.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias, TypeVar, get_args

import msgspec

from turnkit.errors import WireError
from turnkit.sources.flux_query import ListenParameters, ParameterRefused, Words
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    StartOfTurn,
    TurnResumed,
    Update,
    UserEvent,
)

EVENTS: Final = frozenset({"StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"})
"""The event words known today. The set is open: `to_event` reads any other as an update."""

UNPARSABLE: Final = "UNPARSABLE_CLIENT_MESSAGE"
NO_ACTIVE_TURN: Final = "FORCE_END_TURN_NO_ACTIVE_TURN"

MAX_MESSAGE_BYTES: Final = 256 * 1024  # a word takes 65 bytes: half an hour without a turn's end
_SHOWN_CHARS = 64  # of a peer's own words in our messages
_SERVER_MESSAGE = "server message"
_CLIENT_MESSAGE = "Could not deserialize last text message"  # Deepgram's words

# Finite, because tolerant reading takes numbers from strings, and "nan" and "inf" are such.
Number: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]

T = TypeVar("T")


# What a server says. Fields without a default are on every message of the real service; the
# others are left out when they are None.


class _Server(msgspec.Struct, frozen=True, omit_defaults=True):
    pass


class Connected(_Server, tag="Connected", frozen=True):
    """The first message of a connection; `sequence_id` is 0."""

    request_id: str
    sequence_id: Count


class Word(_Server, frozen=True):
    """One word of a transcript; the times are seconds since the start of the connection."""

    word: str
    confidence: Number
    start: Seconds | None = None
    end: Seconds | None = None


class TurnInfo(_Server, tag="TurnInfo", frozen=True):
    """All there is about a turn: what happened, and the transcript of the whole turn so far."""

    request_id: str
    event: str
    turn_index: Count
    audio_window_start: Seconds
    audio_window_end: Seconds
    transcript: str
    words: tuple[Word, ...]
    end_of_turn_confidence: Number
    sequence_id: Count
    languages: Words | None = None
    languages_hinted: Words | None = None
    trigger: str | None = None


class ActiveThresholds(_Server, frozen=True):
    """The thresholds a server says are in force."""

    eager_eot_threshold: Number | None = None
    eot_threshold: Number | None = None
    eot_timeout_ms: int | None = None


class ConfigureSuccess(_Server, tag="ConfigureSuccess", frozen=True):
    """The whole configuration now in force, not only what changed."""

    thresholds: ActiveThresholds
    keyterms: Words
    request_id: str | None = None
    sequence_id: Count | None = None
    language_hints: Words | None = None
    numerals: bool | None = None


class ConfigureFailure(_Server, tag="ConfigureFailure", frozen=True):
    """A `Configure` was refused; nothing changed."""

    request_id: str | None = None
    sequence_id: Count | None = None
    code: str | None = None
    description: str | None = None
    error_code: str | None = None
    """Where some deployments put the code."""


class FluxWarning(_Server, tag="Warning", frozen=True):
    """Something did not make sense to the server, and the stream goes on."""

    request_id: str | None = None
    sequence_id: Count | None = None
    code: str | None = None
    description: str | None = None


class FluxError(_Server, tag="Error", frozen=True):
    """The end: the server closes right after it."""

    sequence_id: Count | None = None
    code: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that did not exist when this was written."""

    name: str


ServerMessage: TypeAlias = (
    Connected | TurnInfo | ConfigureSuccess | ConfigureFailure | FluxWarning | FluxError
)


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of a refused handshake, in either of Deepgram's two shapes."""

    code: str | None = None
    description: str | None = None
    err_code: str | None = None
    err_msg: str | None = None


# What a client says. A field that is None is not sent, and means: leave it as it is.


class _Client(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class CloseStream(_Client, tag="CloseStream", frozen=True):
    """No more audio will come: transcribe what is there, then close."""


class ForceEndTurn(_Client, tag="ForceEndTurn", frozen=True):
    """End the current turn now."""


class Thresholds(_Client, frozen=True):
    """The thresholds to change."""

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: int | None = None


class Configure(_Client, tag="Configure", frozen=True):
    """Change parameters of the running stream. Lists replace the old ones; empty ones clear."""

    thresholds: Thresholds | None = None
    keyterms: Words | None = None
    language_hints: Words | None = None
    numerals: bool | None = None


class _WrittenConfigure(_Client, tag="Configure", frozen=True):
    """A `Configure` as a client may write it: Deepgram's own types allow a keyterm without a list.

    The rest is as in `Configure`.
    """

    thresholds: Thresholds | None = None
    keyterms: Words | str | None = None
    language_hints: Words | None = None
    numerals: bool | None = None

    def plain(self) -> Configure:
        keyterms = (self.keyterms,) if isinstance(self.keyterms, str) else self.keyterms
        return Configure(self.thresholds, keyterms, self.language_hints, self.numerals)


ClientMessage: TypeAlias = CloseStream | Configure | ForceEndTurn


def parse_server(text: str | bytes) -> ServerMessage | Unknown:
    """Read one message of a server. Raises WireError.

    A message without `type` is told by its fields: that is how Cloudflare sends them.
    """
    data = _utf8(text, _SERVER_MESSAGE)
    envelope = _decode(_envelope, data, _SERVER_MESSAGE)
    name = envelope.type or _untyped(envelope)
    if name is None:
        raise WireError(f"{_SERVER_MESSAGE}: neither `type` nor `event`")
    decode = _SERVER.get(name)
    return Unknown(name) if decode is None else _decode(decode, data, name)


def _untyped(envelope: "_Envelope") -> str | None:
    if envelope.event is not msgspec.UNSET:
        return "TurnInfo"
    if envelope.thresholds is not msgspec.UNSET:
        return "ConfigureSuccess"
    begins = envelope.sequence_id is not msgspec.UNSET and bytes(envelope.sequence_id) == b"0"
    return "Connected" if begins else None


def parse_client(text: str | bytes) -> ClientMessage:
    """Read one text message of a client. Raises WireError, in the words Deepgram uses."""
    data = _utf8(text, _CLIENT_MESSAGE)
    name = _decode(_envelope, data, _CLIENT_MESSAGE).type
    if name is None:
        raise WireError(f"{_CLIENT_MESSAGE}: missing field `type`")
    decode = _CLIENT.get(name)
    if decode is None:
        known = ", ".join(f"`{variant}`" for variant in _CLIENT)
        problem = f"unknown variant `{name[:_SHOWN_CHARS]}`, expected one of {known}"
        raise WireError(f"{_CLIENT_MESSAGE}: {problem}")
    message = _decode(decode, data, _CLIENT_MESSAGE)
    return message.plain() if isinstance(message, _WrittenConfigure) else message


def encode(message: ServerMessage | ClientMessage | Refusal) -> str:
    """Write a message, or the body of a refusal, as it goes over the wire."""
    return msgspec.json.encode(message).decode()


def unknown_fields(text: str | bytes) -> frozenset[str]:
    """Name the fields of a server's message that `parse_server` passed over, as "TurnInfo.field".

    For messages that have been parsed, when somebody wants to know: it reads the text once more.
    """
    if _has_known_fields(text):
        return frozenset()
    fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    envelope = msgspec.json.decode(text, type=_Envelope)
    name = envelope.type or _untyped(envelope) or ""
    unknown = fields.keys() - _FIELDS.get(name, fields.keys())
    if name != "TurnInfo":
        return frozenset(f"{name}.{field}" for field in unknown)
    words = msgspec.json.decode(fields["words"], type=list[dict[str, msgspec.Raw]])
    in_words = {field for word in words for field in word.keys() - _WORD}
    return frozenset({f"TurnInfo.{f}" for f in unknown} | {f"Word.{f}" for f in in_words})


def to_event(info: TurnInfo) -> UserEvent:
    """Say it in turnkit's words. An event that is not one of `EVENTS` is an update."""
    match info.event:
        case "StartOfTurn":
            return StartOfTurn(info.turn_index, info.transcript)
        case "EagerEndOfTurn":
            return EagerEndOfTurn(info.turn_index, info.transcript)
        case "TurnResumed":
            return TurnResumed(info.turn_index, info.transcript)
        case "EndOfTurn":  # deployments before 28 August 2026 do not say why
            return EndOfTurn(info.turn_index, info.transcript, info.trigger or "model")
        case _:
            return Update(info.turn_index, info.transcript)


def parse_refusal(body: bytes) -> str:
    """Read why a handshake was refused, as "CODE: description"; "" if the body does not say."""
    try:
        said = _decode(_refusal, body, "refusal")
    except WireError:  # some proxy's page
        return ""
    parts = (said.code or said.err_code, said.description or said.err_msg)
    return ": ".join(part for part in parts if part)


def configured(parameters: ListenParameters, message: Configure) -> ListenParameters:
    """Return the parameters in force after a `Configure`; all or nothing.

    Raises ParameterRefused, with the code a ConfigureFailure carries.
    """
    try:
        changed = replace(parameters, **_given(message.thresholds or Thresholds()))
    except ParameterRefused as exc:
        raise ParameterRefused(exc.description, "INVALID_THRESHOLD") from None
    return replace(changed, **_given(msgspec.structs.replace(message, thresholds=None)))


def _given(message: _Client) -> dict[str, Any]:
    fields = msgspec.structs.asdict(message)
    return {name: value for name, value in fields.items() if value is not None}


def _utf8(text: str | bytes, what: str) -> bytes:
    """Check what msgspec does not: length, and the encoding of fields it passes over."""
    if len(text) > MAX_MESSAGE_BYTES:
        raise WireError(f"{what}: longer than {MAX_MESSAGE_BYTES} bytes", close_code=1009)
    try:
        return text.encode() if isinstance(text, str) else text.decode().encode()
    except (UnicodeDecodeError, UnicodeEncodeError) as exc:
        raise WireError(f"{what}: not UTF-8 (position {exc.start})") from None


def _has_known_fields(text: str | bytes) -> bool:
    """Whether it is a turn message with no field that is unknown, as nearly all are."""
    try:
        _KNOWN.decode(text)
    except msgspec.ValidationError:
        return False
    return True


class _KnownWord(Word, frozen=True, forbid_unknown_fields=True):
    pass


class _KnownTurnInfo(
    TurnInfo, tag="TurnInfo", kw_only=True, frozen=True, forbid_unknown_fields=True
):
    words: tuple[_KnownWord, ...]


_KNOWN = msgspec.json.Decoder(_KnownTurnInfo, strict=False)


class _Envelope(msgspec.Struct):
    type: str | None = None
    event: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    thresholds: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    sequence_id: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _decode(decode: Callable[[bytes], T], data: bytes, what: str) -> T:
    try:
        return decode(data)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise WireError(f"{what}: {exc}") from None
    except RecursionError:
        raise WireError(f"{what}: nested too deeply") from None


def _reader(kind: type[T], *, strict: bool = False) -> Callable[[bytes], T]:
    return msgspec.json.Decoder(kind, strict=strict).decode


_envelope = _reader(_Envelope, strict=True)
_refusal = _reader(Refusal)
_SERVER: dict[str, Callable[[bytes], ServerMessage]] = {
    str(kind.__struct_config__.tag): _reader(kind) for kind in get_args(ServerMessage)
}
_CLIENT: dict[str, Callable[[bytes], ClientMessage | _WrittenConfigure]] = {
    str(kind.__struct_config__.tag): _reader(kind, strict=True)
    for kind in (CloseStream, _WrittenConfigure, ForceEndTurn)
}
_FIELDS = {
    str(kind.__struct_config__.tag): frozenset({"type", *kind.__struct_encode_fields__})
    for kind in get_args(ServerMessage)
}
_WORD = frozenset(Word.__struct_encode_fields__)
