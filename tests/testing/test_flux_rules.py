"""The rules: real Flux keeps them, and each way to break one is caught."""

import json

import msgspec
import pytest

from turnkit.sources.flux_wire import (
    Connected,
    FluxError,
    FluxWarning,
    TurnInfo,
    Word,
    parse_server,
)
from turnkit.testing.flux_rules import RULES, violations

RECORDINGS = ["yes", "not_so_sure", "vad"]


def info(sequence_id, event, end, text="", **more):
    fields = {
        "request_id": "r",
        "event": event,
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": end,
        "transcript": text,
        "words": tuple(Word(word, 0.9) for word in text.split()),
        "end_of_turn_confidence": 0.4,
        "sequence_id": sequence_id,
    }
    return TurnInfo(**fields | more)


LEGAL = [
    Connected("r", 0),
    info(1, "Update", 0.24, "The"),
    info(2, "StartOfTurn", 0.48, "This is"),
    info(3, "EagerEndOfTurn", 0.64, "This is it"),
    info(4, "TurnResumed", 0.80, "This is it but"),
    info(5, "EagerEndOfTurn", 0.96, "This is it but"),
    info(6, "Update", 1.20, "This is it but"),
    info(7, "EndOfTurn", 1.36, "This is it but", trigger="model"),
    FluxWarning("r", 8),
    info(9, "Update", 1.60, turn_index=1, audio_window_start=1.36),
    FluxError(10),
]


def with_message(position, **changes):
    """The legal course with one message changed."""
    changed = msgspec.structs.replace(LEGAL[position], **changes)
    return [*LEGAL[:position], changed, *LEGAL[position + 1 :]]


def broken(messages, **server):
    return [(found.rule, found.position) for found in violations(messages, **server)]


def test_a_legal_course_breaks_nothing():
    assert violations(LEGAL) == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_real_flux_keeps_the_rules(shared, name):
    log = json.loads((shared / "recordings" / f"{name}.flux.json").read_text())
    messages = [parse_server(json.dumps(event["data"])) for event in log["events"]]
    assert len(messages) > 20
    assert violations(messages, eager=False, triggers=False) == []


def words(text):
    return {"transcript": text, "words": tuple(Word(word, 0.9) for word in text.split())}


@pytest.mark.parametrize(
    ("rule", "position", "changes"),
    [
        ("I1", 0, {"sequence_id": 1}),
        ("I2", 8, {"sequence_id": 9}),
        ("I3", 1, {"audio_window_end": 0.32}),
        ("I4", 2, words("")),
        ("I5", 2, {"event": "Update"}),
        ("I5", 4, {"event": "StartOfTurn"}),
        ("I6", 3, words("")),
        ("I8", 3, {"event": "Update"}),
        ("I8", 4, {"event": "Update", **words("This is it")}),
        ("I9", 7, words("This is it")),
        ("I10", 6, words("This is it")),
        ("I13", 9, {"turn_index": 0}),
        ("I13", 6, {"turn_index": 1}),
        ("I14", 6, {"audio_window_end": 0.9}),
        ("I14", 9, {"audio_window_start": 0.0}),
        ("I15", 7, {"trigger": None}),
        ("I15", 6, {"trigger": "model"}),
        ("I16", 6, {"words": ()}),
        ("I16", 2, {"words": (Word("This", 0.9, 0.1, 0.2), Word("is", 0.9, 0.4, 0.6))}),
        ("I17", 7, words("")),
        ("one connection", 5, {"request_id": "another"}),
        ("a probability", 5, {"end_of_turn_confidence": 1.1}),
    ],
)
def test_what_breaks_a_rule_is_caught(rule, position, changes):
    found = broken(with_message(position, **changes))
    assert rule in [name for name, _ in found]


def test_every_rule_can_be_broken():
    parametrize = test_what_breaks_a_rule_is_caught.pytestmark[0]
    tried = {case[0] for case in parametrize.args[1]}
    assert RULES.keys() - tried == {"I7", "fatal"}  # which have tests of their own


def test_a_second_greeting_is_caught():
    assert ("I1", 1) in broken([LEGAL[0], Connected("r", 1)])


def test_a_course_without_a_greeting_is_caught():
    assert ("I1", 0) in broken(LEGAL[1:])


def test_words_after_a_fatal_error_are_caught():
    assert broken([*LEGAL, FluxWarning("r", 11)]) == [("fatal", 11)]


def test_eager_events_that_nobody_asked_for_are_caught():
    assert broken(LEGAL, eager=False) == [("I7", 3), ("I7", 4), ("I7", 5)]


def test_an_older_server_need_not_say_what_triggered_an_end():
    assert broken(with_message(7, trigger=None), triggers=False) == []


def test_a_forced_end_may_have_other_words_than_the_announced_one():
    assert broken(with_message(7, trigger="manual", **words("This is it but then"))) == []


def test_a_violation_says_what_was_broken_and_where():
    (found,) = violations(with_message(8, request_id="another"))
    assert str(found) == "message 8 breaks one connection: request_id is the same throughout"
