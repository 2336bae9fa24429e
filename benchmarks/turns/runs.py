"""What an endpoint made of a recording: its events, and how its confidence went. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks.turns.manifest import Recording

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Event:
    """A turn event; updates are not among them."""

    name: str
    """Flux's word for it: StartOfTurn, EagerEndOfTurn, TurnResumed, EndOfTurn."""
    turn: int
    at_s: float
    """Audio time: how much of the recording had been heard, in seconds from its start."""
    transcript: str = ""
    confidence: float = 0.0
    delay_s: float | None = None
    """How long after that audio was sent it came, on the wall clock; None: not measured."""
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """`end_of_turn_confidence` over a recording: shape (n,) each, times rising, in seconds."""

    times_s: Floats
    values: Floats


@dataclass(frozen=True, slots=True)
class Run:
    """One hearing of one recording."""

    recording: Recording
    events: tuple[Event, ...]
    trace: Trace | None = None
    """Of a hearing in which no turn ends by itself, so that it goes on through every pause."""
    open_transcript: str = ""
    """The words of the turn that was open when the audio ended."""


def no_trace() -> Trace:
    """Return the trace of a recording in which nothing was said about confidence."""
    return Trace(np.empty(0), np.empty(0))
