"""What can go wrong with a Flux server, and which server it is: orders for `flux_server`.

Connections and messages count from 0; refused connections count too, and message 0 is Connected.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse the handshake."""

    connection: int
    status: int = 503
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Hang:
    """Accept the connection and never answer the handshake."""

    connection: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Break the connection off where this message was to be sent, without a close."""

    connection: int
    message: int


@dataclass(frozen=True, slots=True)
class DropAt:
    """Break the connection off when so many pieces of audio have come."""

    connection: int
    audio: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection where this message was to be sent."""

    connection: int
    message: int
    code: int = 1011
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fail:
    """Say Error where this message was to be sent, and close without a code."""

    connection: int
    message: int
    code: str = "INTERNAL_SERVER_ERROR"


@dataclass(frozen=True, slots=True)
class Stall:
    """Say nothing from this message on, and stay connected."""

    connection: int
    message: int


@dataclass(frozen=True, slots=True)
class Skip:
    """Lose this message."""

    connection: int
    message: int


@dataclass(frozen=True, slots=True)
class Twice:
    """Send this message twice."""

    connection: int
    message: int


@dataclass(frozen=True, slots=True)
class Late:
    """Send this message after the one that follows it."""

    connection: int
    message: int


@dataclass(frozen=True, slots=True)
class Unending:
    """Never end a turn unless told to."""

    connection: int


@dataclass(frozen=True, slots=True)
class Forgetful:
    """After the start of a turn say nothing but updates without words."""

    connection: int


AtMessage: TypeAlias = Drop | Close | Fail | Stall | Skip | Twice | Late
Fault: TypeAlias = Refuse | Hang | DropAt | Unending | Forgetful | AtMessage


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


MODERN = Deployment()
OLD = Deployment(forces=False, triggers=False, configures=False, word_times=False, introduces=False)
