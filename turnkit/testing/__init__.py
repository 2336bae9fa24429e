"""What turnkit tests itself with, for testing your own agents."""

from turnkit.testing.clock import VirtualTimeLoop, run_virtual
from turnkit.testing.fakes import (
    ExactVoice,
    MemoryTransport,
    ScriptedAgent,
    ScriptedSource,
    Tape,
)
from turnkit.testing.play import Heard, Span, play
from turnkit.testing.promises import PROMISES, breaches

__all__ = [
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
