"""turnkit: turn-taking for voice agents."""

from turnkit.agent import Agent, Audio, Speech, Turn
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

__all__ = [
    "Agent",
    "Audio",
    "Change",
    "ConfigError",
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
    "TransportClosed",
    "Turn",
    "TurnkitError",
    "WireError",
    "tool",
]
