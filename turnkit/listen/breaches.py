"""Messages that break what Flux promises of its messages, a kind for each promise. Pure.

Each kind makes a few messages out of one that kept the promise. They are given in their order and
with the `sequence_id` of the one they replace; whoever sends them counts on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from msgspec.structs import replace

from turnkit.sources.flux_wire import TurnInfo

Make: TypeAlias = Callable[[TurnInfo], list[TurnInfo]]

_JUMP = 5
_LONG_WORD = "a" * 64
_LONG_WORDS = 1 << 14  # a mebibyte of them
_BEYOND_S = 3600.0


@dataclass(frozen=True, slots=True)
class Breaking:
    """How a promise is broken."""

    sentence: str
    make: Make
    """Makes the messages to send in place of one."""
    events: frozenset[str] | None = None
    """The events at which it can be broken; None for any."""
    lasts: bool = False
    """Whether messages go on being numbered from where this one jumped to."""


def _at(*events: str) -> frozenset[str]:
    return frozenset(events)


def _altered(**fields: object) -> Make:
    return lambda info: [replace(info, **fields)]


def _and_again(**fields: object) -> Make:
    return lambda info: [info, replace(info, **fields)]


def _said(info: TurnInfo, transcript: str) -> TurnInfo:
    """Change the words, keeping them and the transcript the same."""
    words = tuple(replace(info.words[0], word=word) for word in transcript.split())
    return replace(info, transcript=transcript, words=words if info.words else ())


def _with_another_end(info: TurnInfo) -> TurnInfo:
    return _said(info, f"{info.transcript} otherwise")


def _resumed(info: TurnInfo) -> list[TurnInfo]:
    return [info, replace(info, event="TurnResumed", trigger=None)]


def _of_the_last_turn(info: TurnInfo) -> list[TurnInfo]:
    stale = replace(info, turn_index=max(0, info.turn_index - 1), event="EndOfTurn")
    return [info, replace(_said(stale, "stale"), trigger="model")]


def _huge(info: TurnInfo) -> list[TurnInfo]:
    return [replace(info, transcript=" ".join([_LONG_WORD] * _LONG_WORDS))]


BREACHES: Final[Mapping[str, Breaking]] = {
    "resume": Breaking("TurnResumed without an EagerEndOfTurn", _resumed, _at("StartOfTurn")),
    "changed-end": Breaking(
        "EndOfTurn with other words than its EagerEndOfTurn",
        lambda info: [_with_another_end(info)],
        _at("EndOfTurn"),
    ),
    "second-end": Breaking("a second EndOfTurn of the turn", _and_again(), _at("EndOfTurn")),
    "second-start": Breaking("a second StartOfTurn of the turn", _and_again(), _at("StartOfTurn")),
    "second-eager": Breaking(
        "another EagerEndOfTurn while one stands",
        lambda info: [info, _with_another_end(info)],
        _at("EagerEndOfTurn"),
    ),
    "no-start": Breaking(
        "an Update in place of StartOfTurn", _altered(event="Update"), _at("StartOfTurn")
    ),
    "empty-eager": Breaking(
        "EagerEndOfTurn without words", lambda info: [_said(info, "")], _at("EagerEndOfTurn")
    ),
    "empty-end": Breaking(
        "EndOfTurn without words", lambda info: [_said(info, "")], _at("EndOfTurn")
    ),
    "stale": Breaking("EndOfTurn of the turn before", _of_the_last_turn, _at("StartOfTurn")),
    "no-trigger": Breaking(
        "EndOfTurn without its trigger", _altered(trigger=None), _at("EndOfTurn")
    ),
    "index-jump": Breaking(
        "a turn_index that jumps",
        lambda info: [replace(info, turn_index=info.turn_index + _JUMP)],
        lasts=True,
    ),
    "sequence-gap": Breaking(
        "a sequence_id that jumps",
        lambda info: [replace(info, sequence_id=info.sequence_id + _JUMP)],
        lasts=True,
    ),
    "sequence-back": Breaking(
        "a sequence_id that goes back",
        lambda info: [replace(info, sequence_id=max(0, info.sequence_id - _JUMP))],
    ),
    "window-back": Breaking("an audio_window_end that goes back", _altered(audio_window_end=0.0)),
    "window-beyond": Breaking(
        "an audio_window_end beyond all audio",
        lambda info: [replace(info, audio_window_end=info.audio_window_end + _BEYOND_S)],
    ),
    "confidence": Breaking(
        "an end_of_turn_confidence above 1", _altered(end_of_turn_confidence=1.7)
    ),
    "unknown-event": Breaking("an event nobody knows", _altered(event="TurnPondered")),
    "huge": Breaking("a transcript of a mebibyte", _huge),
}
"""The kinds, by their names."""
