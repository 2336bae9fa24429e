"""The public face, pinned: what stands here is promised."""

import turnkit
import turnkit.testing


def test_the_public_names():
    assert turnkit.__all__ == [
        "Agent",
        "Audio",
        "ConfigError",
        "Message",
        "Session",
        "Settings",
        "SourceError",
        "SourceLost",
        "SourceRefused",
        "Speech",
        "SynthesisError",
        "ToolUse",
        "TransportClosed",
        "Turn",
        "TurnkitError",
        "WireError",
    ]


def test_the_public_names_for_testing():
    assert turnkit.testing.__all__ == [
        "PROMISES",
        "ExactVoice",
        "Heard",
        "MemoryTransport",
        "ScriptedAgent",
        "ScriptedSource",
        "Span",
        "Tape",
        "VirtualTimeLoop",
        "breaches",
        "play",
        "run_virtual",
    ]


def test_every_public_name_is_there_and_explained():
    for module in (turnkit, turnkit.testing):
        for name in module.__all__:
            assert getattr(module, name).__doc__
