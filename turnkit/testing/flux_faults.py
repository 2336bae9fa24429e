"""What can go wrong with a Flux server, and which server it is: orders for `flux_server`.

The faults are those of `turnkit listen`; see `turnkit.listen.faults`.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from turnkit.listen import faults
from turnkit.listen.faults import (
    Breach,
    Close,
    Drop,
    Fail,
    Forgetful,
    Garbage,
    HalfOpen,
    Hang,
    Jitter,
    Late,
    Refuse,
    RefuseConfigure,
    Skip,
    SlowConfigure,
    Stall,
    Twice,
    Unending,
)

__all__ = [
    "CLOUDFLARE",
    "MODERN",
    "OLD",
    "OLD_AND_SILENT",
    "Breach",
    "Close",
    "Deployment",
    "Drop",
    "DropAt",
    "Fail",
    "Fault",
    "Forgetful",
    "Garbage",
    "HalfOpen",
    "Hang",
    "Jitter",
    "Late",
    "Refuse",
    "RefuseConfigure",
    "Skip",
    "SlowConfigure",
    "Stall",
    "Twice",
    "Unending",
]


@dataclass(frozen=True, slots=True)
class DropAt:
    """Break the connection off when so many pieces of audio have come."""

    connection: int
    audio: int


Fault: TypeAlias = faults.Fault | DropAt


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a server can do; the first one is of September 2026."""

    forces: bool = True
    """Whether it understands ForceEndTurn."""
    triggers: bool = True
    """Whether it says what ended a turn."""
    configures: bool = True
    """Whether it understands Configure."""
    word_times: bool = True
    """Whether it says when words were said."""
    introduces: bool = True
    """Whether it says in the handshake that it is turnkit's, and so understands everything."""
    refuses_changes: bool = False
    """Whether it refuses each Configure."""
    configure_s: float = 0.0
    """How long it takes to answer a Configure."""
    bytes_per_s: float | None = None
    """How fast it reads; None for as fast as it comes."""
    explains: bool = True
    """Whether it says Error before it hangs up on what it does not understand."""
    greets: bool = True
    """Whether it says Connected."""
    typed: bool = True
    """Whether its messages have a `type`."""
    workers_ai: bool = False
    """Whether it takes the parameters of Cloudflare's `@cf/deepgram/flux`, and only those."""
    admits: tuple[str, ...] | None = None
    """Who is let in, as "token KEY", "bearer TOKEN" or a header's "name: value"; None for all."""


MODERN = Deployment()
OLD = Deployment(forces=False, triggers=False, configures=False, word_times=False, introduces=False)
"""A self-hosted image of 2025."""
OLD_AND_SILENT = replace(OLD, explains=False)
"""One that hangs up without a word."""
CLOUDFLARE = replace(OLD, explains=False, greets=False, typed=False, workers_ai=True)
"""The least that Cloudflare's published schema promises."""
