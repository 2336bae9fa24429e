"""The public face, pinned: what stands here is promised."""

import pytest

import turnkit
import turnkit.testing


def test_the_public_names():
    assert turnkit.__all__ == [
        "Agent",
        "Audio",
        "Change",
        "ConfigError",
        "Conversation",
        "Desk",
        "HandOver",
        "Message",
        "ModelAgent",
        "ModelError",
        "Session",
        "Settings",
        "SourceError",
        "SourceLost",
        "SourceRefused",
        "Speech",
        "SynthesisError",
        "ToolUse",
        "Transcription",
        "TranscriptionError",
        "TransportClosed",
        "Turn",
        "TurnkitError",
        "WireError",
        "tool",
        "transcribe",
    ]


@pytest.mark.parametrize("name", turnkit.__all__)
def test_each_public_name_is_there(name):
    assert getattr(turnkit, name) is not None
    assert name in dir(turnkit)


def test_a_name_that_is_not_there_is_said_not_to_be():
    with pytest.raises(AttributeError, match="Agend"):
        turnkit.Agend  # noqa: B018


def test_the_public_names_for_testing():
    assert turnkit.testing.__all__ == [
        "INVARIANTS",
        "PROMISES",
        "Breach",
        "ExactVoice",
        "Explored",
        "Faults",
        "Heard",
        "MemoryTransport",
        "Reports",
        "Scenario",
        "ScriptedAgent",
        "ScriptedFault",
        "ScriptedSource",
        "Span",
        "Tape",
        "VirtualTimeLoop",
        "Witness",
        "breaches",
        "explore",
        "follow",
        "play",
        "run_virtual",
    ]


def test_every_public_name_is_there_and_explained():
    for module in (turnkit, turnkit.testing):
        for name in module.__all__:
            assert getattr(module, name).__doc__
