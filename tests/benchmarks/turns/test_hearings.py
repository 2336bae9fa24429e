"""A recording is heard twice: as asked, and endlessly, for the trace."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.turns.hearings import (
    Hearing,
    Told,
    chunks,
    endless,
    events,
    forced_ends,
    run,
    trace_of,
)
from benchmarks.turns.runs import Trace
from turnkit.audio.files import write_stereo_wav
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import Connected, TurnInfo

ASKED = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


def info(event, at_s, confidence=0.5, transcript="hi"):
    return TurnInfo("id", event, 0, 0.0, at_s, transcript, (), confidence, 1)


class Script:
    """An endpoint that says the same whatever it hears, and notes what it was asked."""

    name = "script"

    def __init__(self, *messages):
        self.asked = []
        self._told = tuple(Told(message) for message in messages)

    def hear(self, samples, asked, ends_at_s=()):
        self.asked.append((asked, list(ends_at_s)))
        return Hearing(self._told, trace_of([told.message for told in self._told]))


@pytest.fixture
def spoken(tmp_path, recording, turn):
    silence = np.zeros(16000, np.int16)
    write_stereo_wav(tmp_path / "a.wav", silence, silence, 16000)
    return replace(recording(turn(0.2, 0.8)), file=tmp_path / "a.wav")


def test_events_are_on_the_recordings_clock_and_the_trace_is_of_the_endless_hearing(spoken):
    script = Script(
        Connected("id", 0), info("Update", 0.72, 0.1), info("StartOfTurn", 0.96), info("Update", 1)
    )
    found = run(script, spoken, ASKED)
    assert [(e.name, round(e.at_s, 3)) for e in found.events] == [("StartOfTurn", 0.48)]
    np.testing.assert_allclose(found.trace.times_s, [0.24, 0.48, 0.52])
    assert found.open_transcript == "hi"
    (as_asked, no_ends), (forever, ends) = script.asked
    assert (as_asked, no_ends) == (ASKED, [])
    assert (forever, ends) == (endless(ASKED), pytest.approx([0.48 + 0.8 + 4.0]))


def test_without_a_trace_or_turns_it_is_heard_once(spoken):
    script = Script()
    assert run(script, spoken, ASKED, traced=False).trace is None
    assert run(script, replace(spoken, turns=()), ASKED).trace is None
    assert len(script.asked) == 2


def test_endless_turns_end_neither_early_nor_in_time():
    forever = endless(ASKED)
    assert (forever.eot_threshold, forever.eager_eot_threshold) == (1.0, None)
    assert forever.eot_timeout_ms == 60000


def test_a_turn_is_ended_by_force_before_the_next_speech(recording, turn):
    given = recording(turn(1, 2, next_speech=3.5), turn(4, 5, next_speech=20), turn(21, 22))
    assert forced_ends(given, 0.5) == pytest.approx([0.5 + 3.4, 0.5 + 9, 0.5 + 26])


def test_delays_and_triggers_are_kept():
    heard = Hearing((Told(info("EndOfTurn", 2.0), 0.3),), Trace(np.empty(0), np.empty(0)))
    (event,) = events(heard, 0.5)
    assert (event.at_s, event.delay_s, event.transcript, event.confidence) == (1.5, 0.3, "hi", 0.5)


def test_chunks_are_all_of_the_audio_and_say_when_they_end():
    samples = np.arange(3000, dtype=np.int16)
    cut = list(chunks(samples, 0.08, 16000))
    assert [at_s for at_s, _ in cut] == [0.08, 0.16, 3000 / 16000]
    assert b"".join(chunk for _, chunk in cut) == samples.tobytes()
