"""Whole calls on real speech, in virtual time: every promise holds, and every turn is answered."""

import json
from pathlib import Path

import pytest

from turnkit import caller
from turnkit.audio.files import read_audio
from turnkit.config import Settings
from turnkit.history import Message
from turnkit.listeners.base import ReplyHeard
from turnkit.loader import load_agent
from turnkit.testing import Heard, Tape, breaches, run_virtual
from turnkit.testing.fakes import MemoryTransport
from turnkit.turn.events import EndOfTurn

KINDS = ("dialogue", "monologue", "utterance")
SHARED = Path(__file__).resolve().parents[2] / "shared"
MANIFEST = SHARED / "audio" / "manifest.json"
CLIPS = [
    clip["file"]
    for clip in (json.loads(MANIFEST.read_text())["clips"] if MANIFEST.exists() else [])
    if clip["kind"] in KINDS
]
RECORDINGS = ("yes", "not_so_sure", "vad")


def call(path, source="local"):
    """Play a recording to the echo; return what was heard."""
    settings = Settings.model_construct(source=source, voice="formant")
    parts = [read_audio(path, caller.CALLER_HZ, channel=caller_channel(path))]
    tape, transport = Tape(), MemoryTransport(caller.AGENT_HZ)
    agent = load_agent("echo")
    run_virtual(lambda: caller.call_in_memory(agent, settings, parts, transport, [tape]))
    return Heard(transport.far_end.sounds, tape.items, spoken(tape))


def spoken(tape):
    """What history held: an echo's conversation is its turns and what was heard of the replies."""
    heard = (item.heard.strip() for _, item in tape.items if isinstance(item, ReplyHeard))
    return tuple(Message("agent", words) for words in heard if words)


def caller_channel(path):
    """The two-channel call has the agent left and the caller right."""
    return 1 if path.name.startswith("call_auto") else 0


@pytest.mark.skipif(not CLIPS, reason="no shared recordings beside the checkout")
@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: Path(clip).stem)
def test_every_turn_of_real_speech_ends_once_and_no_two_replies_sound_together(clip):
    heard = call(SHARED / "audio" / clip)
    turns = {item.turn for _, item in heard.items(EndOfTurn)}
    assert breaches(heard) == []
    assert set(heard.outcomes) == turns
    assert turns, "no turn was heard in this recording"


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recorded_flux_session_drives_the_same_conversation(name, shared):
    folder = shared / "recordings"
    heard = call(folder / f"{name}.flac", source=f"replay:{folder / name}.flux.json")
    log = json.loads((folder / f"{name}.flux.json").read_text())
    logged = [
        event["data"]["transcript"]
        for event in log["events"]
        if event["data"].get("event") == "EndOfTurn"
    ]
    assert [item.transcript for _, item in heard.items(EndOfTurn)] == logged
    assert breaches(heard) == []
    assert len(heard.outcomes) == len(logged)
