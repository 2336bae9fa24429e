"""What turnkit tests itself with, for testing your own agents."""

from turnkit.testing.clock import VirtualTimeLoop, run_virtual
from turnkit.testing.explore import INVARIANTS, Breach, Explored, explore, follow
from turnkit.testing.fakes import (
    ExactVoice,
    MemoryTransport,
    Reports,
    ScriptedAgent,
    ScriptedSource,
    Tape,
)
from turnkit.testing.faults import Faults, ScriptedFault
from turnkit.testing.play import Heard, Span, play
from turnkit.testing.promises import PROMISES, breaches
from turnkit.testing.scenario import Scenario
from turnkit.testing.witness import Witness

__all__ = [
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
