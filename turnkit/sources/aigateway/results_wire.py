"""AIgateway's realtime wire: audio up, and down `Results` as Deepgram's `/v1/listen` sends them.

The gateway documents the address, the raw audio, `CloseStream`, and of a `Results` message only
`type`, `channel.alternatives[0].transcript` and `is_final`; all other fields are Deepgram's
(developers.deepgram.com/docs/interim-results) and may be missing. Whether turn events exist there
is not documented, so a `TurnInfo` is read as Flux's. No I/O, no clock.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from turnkit.errors import WireError
from turnkit.sources.flux_wire import (
    MAX_MESSAGE_BYTES,
    FluxError,
    Number,
    Seconds,
    TurnInfo,
    parse_server,
)

CLOSE_STREAM: Final = '{"type":"CloseStream"}'
FINALIZE: Final = '{"type":"Finalize"}'
"""Deepgram's order to transcribe at once what was heard; AIgateway does not document it."""


class ResultWord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One word; times are seconds since the start of the connection."""

    word: str
    start: Seconds | None = None
    end: Seconds | None = None
    confidence: Number = 0.0
    punctuated_word: str | None = None


class Alternative(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reading of the stretch; the first is the best."""

    transcript: str = ""
    words: tuple[ResultWord, ...] = ()
    confidence: Number = 0.0


class Channel(msgspec.Struct, frozen=True):
    """The readings of one channel."""

    alternatives: tuple[Alternative, ...] = ()


class Results(msgspec.Struct, frozen=True, omit_defaults=True, tag="Results"):
    """What is said in a stretch of the audio, so far (`is_final` false) or for good."""

    channel: Channel
    is_final: bool = False
    speech_final: bool = False
    """Whether the service heard a pause after it."""
    from_finalize: bool = False
    """Whether it answers a `Finalize`."""
    start: Seconds | None = None
    duration: Seconds | None = None

    @property
    def best(self) -> Alternative:
        """The first alternative, or an empty one."""
        return self.channel.alternatives[0] if self.channel.alternatives else Alternative()


class UtteranceEnd(msgspec.Struct, frozen=True, tag="UtteranceEnd"):
    """The service noticed a gap after the last word, by the times of words."""

    last_word_end: Number = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The service says that it cannot go on, in whichever of its shapes."""

    kind: str
    description: str


@dataclass(frozen=True, slots=True)
class Other:
    """A message that says nothing of words or turns: metadata, for example."""

    name: str


Message: TypeAlias = Results | TurnInfo | UtteranceEnd | Failed | Other


class _Error(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None


class _Envelope(msgspec.Struct):
    type: str | None = None
    error: _Error | str | None = None
    code: str | int | None = None
    message: str | None = None
    description: str | None = None


def parse(text: bytes) -> Message:
    """Read one message of the service. Raises WireError."""
    try:
        envelope = _envelope.decode(text[: MAX_MESSAGE_BYTES + 1])
        if len(text) <= MAX_MESSAGE_BYTES and envelope.type == "Results":
            return _results.decode(text)
        if len(text) <= MAX_MESSAGE_BYTES and envelope.type == "UtteranceEnd":
            return _utterance_end.decode(text)
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise WireError(f"server message: {exc}") from None
    except RecursionError:
        raise WireError("server message: nested too deeply") from None
    if envelope.error is not None or envelope.type in {"error", "Error"}:
        return _failure(envelope)
    message = parse_server(text)
    match message:
        case TurnInfo():
            return message
        case FluxError(code=code, description=description):
            return Failed(code or "", description or "")
        case _:
            return Other(envelope.type or "")


def parse_refusal(body: bytes) -> tuple[str, str]:
    """Read the kind and the description of a refusal; both "" if the body does not say."""
    try:
        said = _failure(_envelope.decode(body))
    except (msgspec.DecodeError, UnicodeError, RecursionError):  # some proxy's page
        return "", ""
    return said.kind, said.description


def _failure(envelope: _Envelope) -> Failed:
    match envelope.error:
        case None:
            kind, description = envelope.code, envelope.description or envelope.message
        case str() as description:
            kind = envelope.code
        case error:
            kind, description = error.type or error.code, error.message
    return Failed(str(kind or ""), description or "")


_envelope = msgspec.json.Decoder(_Envelope, strict=False)
_results = msgspec.json.Decoder(Results, strict=False)
_utterance_end = msgspec.json.Decoder(UtteranceEnd, strict=False)
