"""turnkit: turn-taking for voice agents."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from turnkit.agent import Agent, Audio, Conversation, Speech, Turn
    from turnkit.config import Settings
    from turnkit.desk import Desk, HandOver
    from turnkit.errors import (
        ConfigError,
        ModelError,
        SourceError,
        SourceLost,
        SourceRefused,
        SynthesisError,
        TransportClosed,
        TurnkitError,
        WireError,
    )
    from turnkit.history import Message, ToolUse
    from turnkit.model_agent import ModelAgent
    from turnkit.session import Session
    from turnkit.sources.base import Change
    from turnkit.tools import tool
    from turnkit.transcription import Transcription, TranscriptionError, transcribe

__all__ = [
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

_HOMES = {
    "agent": ("Agent", "Audio", "Conversation", "Speech", "Turn"),
    "config": ("Settings",),
    "desk": ("Desk", "HandOver"),
    "errors": (
        *("ConfigError", "ModelError", "SourceError", "SourceLost", "SourceRefused"),
        *("SynthesisError", "TransportClosed", "TurnkitError", "WireError"),
    ),
    "history": ("Message", "ToolUse"),
    "model_agent": ("ModelAgent",),
    "session": ("Session",),
    "sources.base": ("Change",),
    "tools": ("tool",),
    "transcription": ("Transcription", "TranscriptionError", "transcribe"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what a name stands for when it is first used: few programs use them all."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"turnkit.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what there is, imported or not."""
    return sorted({*globals(), *__all__})
