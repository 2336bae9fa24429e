"""turnkit: turn-taking for voice agents."""

from turnkit.agent import Agent, Audio, Speech, Turn
from turnkit.config import Settings
from turnkit.errors import (
    ConfigError,
    SourceError,
    SourceLost,
    SourceRefused,
    SynthesisError,
    TransportClosed,
    TurnkitError,
    WireError,
)
from turnkit.history import Message, ToolUse
from turnkit.session import Session

__all__ = [
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
