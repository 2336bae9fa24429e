"""Turns put together from events whose times are known."""

import pytest

from benchmarks.load import codes
from benchmarks.load.codes import STALE, Code
from benchmarks.load.plan import Plan
from benchmarks.load.records import Clear, Event, Heard
from benchmarks.load.turns import disturbed, turns_of

EAGER = Plan(cases=("eager200",), turns=2)
BARGE = Plan(cases=("barge", "after"), turns=2)


def spoken_turn(turn=0, start=10.0, eager_s=0.3, end_s=0.5):
    """A turn of call 0: 1 ms to the request, 2 to the synthesis; audio at 233 ms after eager."""
    trigger = start + (eager_s or end_s)
    eager = [Event(trigger, "flux.sent", 0, 0, turn, "EagerEndOfTurn")] if eager_s else []
    events = [
        Event(start, "flux.sent", 0, 0, turn, "StartOfTurn"),
        *eager,
        Event(start + end_s, "flux.sent", 0, 0, turn, "EndOfTurn"),
        Event(trigger + 0.001, "model.asked", 3, 0, turn, "brisk"),
        Event(trigger + 0.151, "model.sentence", 3, 0, turn),
        Event(trigger + 0.153, "voice.text", 5, 0, turn, "0"),
        Event(trigger + 0.233, "voice.sound", 5, 0, turn, "0"),
    ]
    return sorted(events, key=lambda event: event.at)


def heard(*pieces, clears=()):
    """What caller 9 heard: pairs of an instant and a code."""
    frames = [codes.frame(code, "mulaw", 8000) for _, code in pieces]
    keys = [codes.key(frame, "mulaw", 8000) for frame in frames]
    times = [at for at, _ in pieces]
    return Heard(9, "mulaw", 0.0, times, [0.02] * len(times), keys, list(clears))


def test_stages_of_a_turn_whose_audio_comes_after_its_end():
    (turn,) = turns_of(spoken_turn(), [heard((10.534, Code(0, 0, 0)))], EAGER)
    assert turn.answered
    assert turn.stages() == pytest.approx(
        {"request": 1, "synthesis": 2, "delivery": 1, "overhead": 4, "response": 34}
    )


def test_audio_that_was_ready_owes_nothing_before_the_end():
    events = spoken_turn(end_s=0.7)
    (turn,) = turns_of(events, [heard((10.7015, Code(0, 0, 0)))], EAGER)
    assert turn.stages()["overhead"] == pytest.approx(1.5)
    assert turn.stages()["delivery"] == pytest.approx(1.5)


def test_without_an_eager_end_the_end_is_the_trigger():
    events = spoken_turn(eager_s=0)
    (turn,) = turns_of(events, [heard((10.734, Code(0, 0, 0)))], EAGER)
    assert turn.stages()["overhead"] == pytest.approx(4)


def test_audio_before_the_end_is_no_answer():
    pieces = [(10.499, Code(0, 0, 0)), (10.6, Code(0, 0, 0))]
    (turn,) = turns_of(spoken_turn(), [heard(*pieces)], EAGER)
    assert turn.stale == [10.499]
    assert turn.heard_at == 10.6


def test_who_speaks_after_flux_is_lost_in_a_turn_is_not_judged():
    gone = Event(10.45, "flux.gone", 0)
    events = [*(e for e in spoken_turn() if e.note != "EndOfTurn"), gone]
    (lost,) = turns_of(events, [heard((10.44, Code(0, 0, 0)), (10.6, Code(0, 0, 0)))], EAGER)
    assert lost.stale == [10.44]


def test_words_that_were_not_final_are_no_answer():
    (turn,) = turns_of(spoken_turn(), [heard((10.6, Code(0, 0, STALE)))], EAGER)
    assert turn.stale == [10.6]
    assert not turn.answered


def test_somebody_elses_reply_is_no_answer():
    mine = heard((10.6, Code(0, 0, 0)))
    (turn,) = turns_of(spoken_turn(), [mine, heard((10.7, Code(0, 0, 0)))], EAGER)
    assert turn.stale == [10.7]


def test_a_connection_that_was_opened_for_the_turn():
    events = [*spoken_turn(), Event(10.3005, "model.open", 3)]
    (turn,) = turns_of(sorted(events, key=lambda event: event.at), [], EAGER)
    assert (turn.fresh_model, turn.fresh_voice) == (True, False)


def barge_in(*late):
    events = [
        *spoken_turn(),
        Event(11.0, "flux.sent", 0, 0, 1, "StartOfTurn"),
        Event(11.004, "model.cut", 3, 0, 0),
        Event(11.003, "voice.clear", 5, 0, 0, "busy"),
        Event(11.5, "flux.sent", 0, 0, 1, "EndOfTurn"),
    ]
    pieces = [(10.534 + n * 0.02, Code(0, 0, 0)) for n in range(23)]
    calls = [heard(*pieces, *late, clears=[Clear(11.001, 0.2)])]
    return turns_of(events, calls, BARGE)[1]


def test_a_barge_in_ends_the_sound_the_model_and_the_voice():
    turn = barge_in()
    assert turn.interrupts
    assert turn.cuts() == pytest.approx(
        {"clear": 1, "silence": 1, "model_cancelled": 4, "voice_cancelled": 3}
    )


def test_sound_after_the_clear_is_heard():
    turn = barge_in((11.002, Code(0, 0, 0)))
    assert turn.cuts()["silence"] == pytest.approx(22)
    assert turn.stale == [11.002]


def test_a_turn_in_which_the_load_stood_still():
    (turn,) = turns_of(spoken_turn(), [heard((10.534, Code(0, 0, 0)))], EAGER)
    assert disturbed(turn, [(10.4, 10.45)])
    assert not disturbed(turn, [(9.0, 9.9), (10.6, 10.7)])


def test_a_call_that_ends_at_once_was_owed_no_answer():
    events = [*spoken_turn(), Event(11.0, "flux.gone", 0)]
    (turn,) = turns_of(events, [], EAGER)
    assert turn.unfinished
