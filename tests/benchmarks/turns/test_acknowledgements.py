"""Scenes in which the agent speaks: what is in them, and how stopping is scored."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.turns.acknowledgements import (
    OFFSETS_S,
    Sound,
    Stop,
    agent_speech,
    judged,
    reactions,
    scenes,
    sounds,
    stopped,
)
from benchmarks.turns.manifest import Span, load_pack
from turnkit.audio.files import write_stereo_wav

RATE_HZ = 16000


@pytest.fixture
def on_disk(tmp_path):
    def put(recording, seconds=10.0):
        count = np.arange(round(seconds * RATE_HZ))
        tone = (5000 * np.sin(count / 7)).astype(np.int16)
        file = tmp_path / f"{recording.id.replace(':', '-')}.wav"
        write_stereo_wav(file, tone, tone, RATE_HZ)
        return replace(recording, file=file, duration_s=seconds)

    return put


def test_every_recording_gives_the_sounds_that_are_in_it(on_disk, recording, turn):
    call = replace(
        recording(turn(0.5, 1.0), turn(2.0, 7.0), turn(8.0, 9.0), name="call"),
        backchannels=(Span(1.2, 1.5),),
    )
    noise = recording(name="noise", speech=())
    digit = replace(recording(name="digit"), kind="digits", speech=None)
    found = list(sounds([on_disk(call), on_disk(noise, 5.0), on_disk(digit, 0.5)]))
    assert [(sound.name, sound.kind) for sound in found] == [
        ("call@1.20", "backchannel"),
        ("call@0.50", "answer"),
        ("call@2.00", "interruption"),  # the third turn is neither short nor long
        ("noise@0.00", "noise"),
        ("digit@0.00", "word"),
    ]
    lengths = [len(sound.samples) / RATE_HZ for sound in found]
    assert lengths == pytest.approx([0.4, 0.6, 4.1, 5.0, 0.5])


def test_a_sound_is_laid_into_quiet_at_every_level_and_place():
    tone = np.full(RATE_HZ // 2, 8000, np.int16)
    made = list(scenes([Sound("a", "word", tone)], np.full(RATE_HZ * 3, 100, np.int16)))
    assert [(s.level_db, s.onset_s) for s in made] == [
        (level_db, offset_s) for level_db in (0.0, -10.0) for offset_s in OFFSETS_S
    ]
    loud, quieter = made[0], made[4]
    middle = round(1.4 * RATE_HZ)
    assert abs(loud.user[:RATE_HZ]).max() < 200
    assert abs(int(loud.user[middle]) - 8000) < 200
    assert abs(int(quieter.user[middle]) - 2530) < 200
    assert len(loud.agent) == len(loud.user)
    assert (loud.agent == 100).all()


def test_the_agents_echo_comes_back_later_and_softer():
    agent = (3000 * np.sin(np.arange(RATE_HZ * 13) / 9)).astype(np.int16)
    echoes = [scene for scene in scenes([], agent) if scene.kind == "echo"]
    assert len(echoes) == 2 * 2 * 2
    first = echoes[0]
    delay = round(first.onset_s * RATE_HZ)
    returned = first.user[delay:].astype(float)
    played = first.agent[: len(returned)].astype(float)
    assert np.corrcoef(returned, played)[0, 1] > 0.99
    assert returned.std() / played.std() == pytest.approx(0.1, rel=0.05)


def test_agents_are_the_channels_of_that_name_without_their_pauses(on_disk, recording, turn):
    agent = recording(turn(1, 2), turn(4, 6), name="call:agent")
    user = recording(turn(2, 4), name="call:user")
    assert len(agent_speech([on_disk(agent), on_disk(user)])) / RATE_HZ == pytest.approx(3.2)
    assert len(agent_speech([on_disk(user)])) == 0


def stop(kind, stopped_s, sound="a", length_s=0.4):
    return Stop(sound, kind, 0.0, length_s, stopped_s)


def test_stops_are_counted_by_kind_and_short_ones_together():
    found = stopped(
        [
            stop("word", None),
            stop("word", 0.3, length_s=0.7),
            stop("backchannel", None, "b"),
            stop("answer", 0.5, "c", length_s=0.8),
            stop("noise", None, "d"),
            stop("interruption", 0.6, "e"),
        ]
    )
    shares = {name.strip(): figure.value for name, figure in found.items()}
    assert shares == {
        "short acknowledgements": 0.5,
        "under 0.5 s": 0,
        "0.5 to 0.9 s": 1,
        "word": 0.5,
        "backchannel": 0,
        "answer": 1,
        "noise": 0,
        "interruption": 1,
    }


def test_reactions_are_those_to_interruptions():
    p50, p95 = reactions([stop("interruption", s) for s in (0.4, 0.6, 0.8)] + [stop("word", 9)])
    assert p50.value == pytest.approx(0.6)
    assert p95.value == pytest.approx(0.78)


def test_a_scene_is_played_to_whatever_stops_the_agent():
    (scene, *_) = scenes([Sound("a", "word", np.ones(8000, np.int16))], np.ones(10, np.int16))
    assert judged(scene, lambda heard: heard.onset_s + 0.25).stopped_s == pytest.approx(0.25)
    assert judged(scene, lambda heard: None).stopped_s is None


def test_the_shared_pack_has_sounds_of_every_kind(shared):
    kinds = [sound.kind for sound in sounds(load_pack(shared / "audio"))]
    assert {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)} == {
        "backchannel": 1,
        "answer": 9,
        "interruption": 53,
        "word": 20,
        "noise": 30,
    }
