"""The embedded engine in scenes in which the agent speaks."""

import numpy as np
import pytest

from benchmarks.turns.acknowledgements import Sound, scenes
from benchmarks.turns.barge_in import EngineStops, batches, judge
from benchmarks.turns.manifest import load_pack

AGENT = (3000 * np.sin(np.arange(48000) / 11)).astype(np.int16)


@pytest.fixture(scope="module")
def question(shared):
    """Return a scene with "how old is the brooklyn bridge" in it."""
    (clip,) = [r for r in load_pack(shared / "audio") if r.id == "google_brooklyn"]
    return next(scenes([Sound("question", "interruption", clip.read())], AGENT))


def test_an_agent_that_is_to_be_patient_is_stopped_later(question):
    at_once = EngineStops(0.0, "none")(question)
    later = EngineStops(0.8, "none")(question)
    assert question.onset_s < at_once < later
    assert at_once < question.onset_s + 0.5


def test_quiet_stops_nobody():
    hush = next(scenes([Sound("hush", "noise", np.zeros(16000, np.int16))], AGENT))
    assert EngineStops(0.0, "none")(hush) is None


def test_scenes_are_divided_and_none_is_lost(question):
    divided = batches([question] * 50, 0.0, "none")
    assert [len(batch.scenes) for batch in divided] == [24, 24, 2]
    assert [stop.sound for stop in judge(divided[-1])] == ["question"] * 2
