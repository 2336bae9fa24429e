"""The engine while the agent speaks: who gets the floor, and with which words."""

import random

import numpy as np
import pytest

from turnkit.engine.engine import Engine
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, Connected, ForceEndTurn
from turnkit.testing.babble import babble
from turnkit.testing.ears import CountingRecognizer, LoudnessVad, silence, speech, told
from turnkit.testing.flux_rules import violations

CHUNK_BYTES = 2560
HELD_S = 0.9
FRAME_BYTES = 640


@pytest.fixture(scope="module")
def agent():
    return babble(1, 6.0).astype("<i2").tobytes()


@pytest.fixture
def opened():
    def open_engine(vocabulary="", barge_in_s=HELD_S, **asked):
        engine = Engine(
            ListenParameters("flux-general-en", "linear16", 16000, **asked),
            "request",
            vad=LoudnessVad(),
            recognizer=CountingRecognizer(vocabulary),
            barge_in_s=barge_in_s,
        )
        engine.connected()
        return engine

    return open_engine


def converse(engine, user, agent):
    """Have both speak from now on; return what the engine says."""
    said = []
    for start in range(0, len(user), CHUNK_BYTES):
        for frame in range(start, min(start + CHUNK_BYTES, len(agent)), FRAME_BYTES):
            engine.played(agent[frame : frame + FRAME_BYTES])
        said += engine.feed(user[start : start + CHUNK_BYTES])
    return said


def test_something_short_opens_no_turn_and_is_told_apart(opened, agent):
    engine = opened()
    heard = silence(0.96) + speech(0.4) + silence(2.0)
    assert told(converse(engine, heard, agent)) == []
    (acknowledgement,) = engine.take_acknowledgements()
    assert acknowledgement.transcript == "..."
    assert acknowledgement.spoken_s == pytest.approx(0.4, abs=0.08)
    assert engine.take_acknowledgements() == []


def test_something_long_is_a_turn_from_its_true_beginning(opened, agent):
    words = "yeah but i meant the other one"
    engine = opened(vocabulary=words)
    said = converse(engine, silence(0.96) + speech(1.68) + silence(1.2), agent)
    start, end = (m for m in said if m.event in ("StartOfTurn", "EndOfTurn"))
    assert end.transcript == words
    assert start.words[0].start == pytest.approx(0.96, abs=0.4)
    assert start.audio_window_start == end.audio_window_start == 0.0
    assert violations([Connected("request", 0), *said], eager=False) == []


@pytest.mark.parametrize(
    ("vocabulary", "at_s"), [("", 1.92), ("stop it please", 1.44), ("mm-hm yeah right ok", 1.92)]
)
def test_how_long_a_start_takes_depends_on_the_words(opened, agent, vocabulary, at_s):
    said = converse(opened(vocabulary), silence(0.96) + speech(1.2), agent)
    assert told(said)[0][:2] == ("StartOfTurn", at_s)


@pytest.mark.parametrize("barge_in_s", [0.0, HELD_S])
def test_while_the_agent_is_silent_nothing_waits(opened, barge_in_s):
    said = opened(barge_in_s=barge_in_s).feed(silence(0.96) + speech(1.2))
    assert told(said)[0][:2] == ("StartOfTurn", 1.12)


def test_who_wants_every_sound_at_once_gets_it(opened, agent):
    said = converse(opened(barge_in_s=0.0), silence(0.96) + speech(0.4), agent)
    assert told(said)[0][:2] == ("StartOfTurn", 1.12)


def test_when_the_agent_ends_who_speaks_has_the_floor(opened, agent):
    said = converse(opened(), silence(0.96) + speech(0.72) + silence(1.2), agent[: 2 * 20000])
    assert [event for event, _, _ in told(said)] == ["StartOfTurn", "EndOfTurn"]


def test_what_is_silenced_counts_no_longer(opened, agent):
    engine = opened()
    converse(engine, silence(0.96), agent)
    for frame in range(0, 64000, FRAME_BYTES):
        engine.played(agent[frame : frame + FRAME_BYTES])
    engine.silenced()
    assert told(engine.feed(silence(0.4) + speech(0.4)))[0][:2] == ("StartOfTurn", 1.44)


def test_the_words_of_an_acknowledgement_are_not_in_the_turn_after_it(opened, agent):
    engine = opened(vocabulary="one two three four five six")
    heard = silence(0.48) + speech(0.24) + silence(1.2) + speech(1.44) + silence(1.2)
    said = converse(engine, heard, agent)
    assert told(said)[-1] == (
        "EndOfTurn",
        pytest.approx(4.4, abs=0.25),
        "one two three four five six",
    )
    assert [a.transcript for a in engine.take_acknowledgements()] == ["one"]


def test_acknowledgements_nobody_takes_are_not_kept_for_ever(opened, agent):
    engine = opened()
    for _ in range(80):
        converse(engine, speech(0.24) + silence(0.96), agent[16000 : 16000 + 2 * 19200])
    assert 0 < len(engine.take_acknowledgements()) <= 64


def test_there_is_no_turn_to_force_before_it_is_one(opened, agent):
    engine = opened()
    converse(engine, silence(0.96) + speech(0.4), agent)
    (warning,) = engine.handle(ForceEndTurn())
    assert warning.code == "FORCE_END_TURN_NO_ACTIVE_TURN"


@pytest.mark.parametrize("seed", range(6))
def test_the_rules_hold_whoever_speaks(opened, agent, seed):
    chance = random.Random(seed)
    engine = opened(vocabulary="one two mm-hm three", eager_eot_threshold=0.4)
    said = [Connected("request", 0)]
    for _ in range(25):
        heard = speech(0.08 * chance.randrange(18)) + silence(0.08 * chance.randrange(1, 20))
        at = FRAME_BYTES * chance.randrange(200)
        said += converse(engine, heard, agent[at:] if chance.random() < 0.6 else b"")
        if chance.random() < 0.2:
            engine.silenced()
        if chance.random() < 0.1:
            said += engine.handle(ForceEndTurn())
    said += engine.handle(CloseStream())
    assert violations(said) == []
    assert np.count_nonzero([event == "StartOfTurn" for event, _, _ in told(said)]) >= 3
