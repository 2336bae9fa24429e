"""The order Flux keeps in what it says, as rules that a list of messages can be held against.

The rules are numbered as in turnkit's notes on the protocol; most are documented
(developers.deepgram.com/docs/flux/state), the others were seen in every recording. Rules that only
permit something (several eager ends in a turn, an end without an eager one, a connection that
closes in mid-turn) cannot be broken and have no number here. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from turnkit.sources.flux_wire import Connected, FluxError, ServerMessage, TurnInfo

RULES = {
    "I1": "the first message, and no other, is Connected, with sequence_id 0",
    "I2": "sequence_id rises by one from message to message",
    "I3": "there is a message for every 0.24 s of audio",
    "I4": "StartOfTurn has a transcript",
    "I5": "one StartOfTurn opens a turn, and nothing but updates comes before it",
    "I6": "EagerEndOfTurn has a transcript",
    "I7": "there is no EagerEndOfTurn or TurnResumed unless eager_eot_threshold is set",
    "I8": "TurnResumed takes back an EagerEndOfTurn, which is not announced again before",
    "I9": "EndOfTurn has the transcript of the EagerEndOfTurn that stands, unless it was forced",
    "I10": "so have the updates in between",
    "I13": "turn_index rises by one after EndOfTurn and at no other time",
    "I14": "windows never shrink, and each turn's begins where the last one's ended",
    "I15": "EndOfTurn says what triggered it, and nothing else does",
    "I16": "words are those of the transcript, in the turn's window",
    "I17": "EndOfTurn has a transcript",
    "one connection": "request_id is the same throughout",
    "a probability": "end_of_turn_confidence is between 0 and 1",
    "fatal": "nothing follows an Error",
}
"""Each rule, as a sentence."""

_UPDATE_S = 0.24
_TOLERANCE_S = 0.001  # times are 32-bit floats


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, and the position of the message that broke it."""

    rule: str
    position: int

    def __str__(self) -> str:
        return f"message {self.position} breaks {self.rule}: {RULES[self.rule]}"


Infos: TypeAlias = Sequence[tuple[int, TurnInfo]]
_Found: TypeAlias = Iterator[Violation]


def violations(
    messages: Sequence[ServerMessage], *, eager: bool = True, triggers: bool = True
) -> list[Violation]:
    """Return what one connection's messages, from the first on, break; in their order.

    Args:
        messages: everything the server sent.
        eager: whether `eager_eot_threshold` was set at any time.
        triggers: whether the server is one of 28 August 2026 or later, which says `trigger`.
    """
    infos = [(n, message) for n, message in enumerate(messages) if isinstance(message, TurnInfo)]
    found = [*_of_the_connection(messages), *_of_times(infos), *_of_words(infos)]
    found += [violation for turn in _turns(infos) for violation in _of_a_turn(turn)]
    if not eager:
        found += [Violation("I7", n) for n, info in infos if info.event in _EAGER]
    if triggers:
        found += [
            Violation("I15", n)
            for n, info in infos
            if (info.trigger is not None) != (info.event == "EndOfTurn")
        ]
    return sorted(found, key=lambda violation: violation.position)


_EAGER = ("EagerEndOfTurn", "TurnResumed")


def _of_the_connection(messages: Sequence[ServerMessage]) -> _Found:
    for n, message in enumerate(messages):
        if isinstance(message, Connected) != (n == 0) or (n == 0 and message.sequence_id != 0):
            yield Violation("I1", n)
    for n, (before, message) in enumerate(pairwise(messages), start=1):
        if message.sequence_id != (before.sequence_id or 0) + 1:
            yield Violation("I2", n)
        if _request_id(message) not in (None, _request_id(messages[0])):
            yield Violation("one connection", n)
        if isinstance(before, FluxError):
            yield Violation("fatal", n)


def _request_id(message: ServerMessage) -> str | None:
    return None if isinstance(message, FluxError) else message.request_id


def _of_times(infos: Infos) -> _Found:
    last_end_s = 0.0
    for n, info in infos:
        if info.audio_window_end - last_end_s > _UPDATE_S + _TOLERANCE_S:
            yield Violation("I3", n)
        if info.audio_window_end < last_end_s - _TOLERANCE_S:
            yield Violation("I14", n)
        last_end_s = info.audio_window_end
    for (_, before), (n, info) in pairwise(infos):
        ended = before.event == "EndOfTurn"
        if info.turn_index != before.turn_index + ended:
            yield Violation("I13", n)
        start_s = before.audio_window_end if ended else before.audio_window_start
        if abs(info.audio_window_start - start_s) > _TOLERANCE_S:
            yield Violation("I14", n)


def _of_words(infos: Infos) -> _Found:
    for n, info in infos:
        rule = {"StartOfTurn": "I4", "EagerEndOfTurn": "I6", "EndOfTurn": "I17"}.get(info.event)
        if rule and not info.transcript:
            yield Violation(rule, n)
        if not _spelled_out(info) or not _in_window(info):
            yield Violation("I16", n)
        if not 0 <= info.end_of_turn_confidence <= 1:
            yield Violation("a probability", n)


def _spelled_out(info: TurnInfo) -> bool:
    """Compare letters only, since not every language has spaces between words."""
    words = "".join(word.word for word in info.words)
    return words.replace(" ", "") == info.transcript.replace(" ", "")


def _in_window(info: TurnInfo) -> bool:
    start_s = info.audio_window_start - _TOLERANCE_S
    end_s = info.audio_window_end + _TOLERANCE_S
    times = [time for word in info.words for time in (word.start, word.end) if time is not None]
    return all(start_s <= time <= end_s for time in times)


def _turns(infos: Infos) -> list[Infos]:
    """Divide what was said by turn."""
    turns: dict[int, list[tuple[int, TurnInfo]]] = {}
    for n, info in infos:
        turns.setdefault(info.turn_index, []).append((n, info))
    return list(turns.values())


def _of_a_turn(turn: Infos) -> _Found:
    is_open = False
    announced: str | None = None
    for n, info in turn:
        if info.event != "Update" and is_open == (info.event == "StartOfTurn"):
            yield Violation("I5", n)
        match info.event:
            case "StartOfTurn":
                is_open = True
            case "EagerEndOfTurn":
                if announced is not None:
                    yield Violation("I8", n)
                announced = info.transcript
            case "TurnResumed":
                if announced is None:
                    yield Violation("I8", n)
                announced = None
            case "EndOfTurn" if info.trigger != "manual" and announced not in _either(info):
                yield Violation("I9", n)
            case "Update" if announced not in _either(info):
                yield Violation("I10", n)


def _either(info: TurnInfo) -> tuple[None, str]:
    """Return what may have been announced before this: nothing, or the same."""
    return None, info.transcript
