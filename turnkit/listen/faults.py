"""What can go wrong with a Flux server: one set of faults, for `turnkit listen` and for tests.

A fault says what happens and, as every fault does, when. Connections and messages count from 0;
refused connections count too, and message 0 is Connected. What they do is in `trouble.py`, what
breaks the protocol's promises in `breaches.py`. Pure.
"""

from dataclasses import KW_ONLY, dataclass
from math import inf
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class OnConnection:
    """On which connection a fault strikes."""

    connection: int | None = None
    """None for each."""
    _: KW_ONLY
    p: float = 1.0
    """How probable it is each time."""


@dataclass(frozen=True, slots=True)
class AtMessage(OnConnection):
    """At which message a fault strikes: all that is given has to hold, and None always does.

    With `audio_s` it strikes once, unless `p` is given too; otherwise each time.
    """

    message: int | None = None
    """At this one."""
    _: KW_ONLY
    audio_s: float | None = None
    """From the first message on that tells of so much audio."""
    event: str | None = None
    """At TurnInfo messages of this event, or at messages of this type."""
    nth: int | None = None
    """Of the messages that `event` names, at this one; they count from 1."""


# At the door.


@dataclass(frozen=True, slots=True)
class Refuse(OnConnection):
    """Refuse the handshake."""

    status: int = 503
    retry_after: str | None = None


@dataclass(frozen=True, slots=True)
class Hang(OnConnection):
    """Accept the connection and never answer the handshake."""


# At a message.


@dataclass(frozen=True, slots=True)
class Drop(AtMessage):
    """Break the connection off where a message was to be sent, without a close."""


@dataclass(frozen=True, slots=True)
class Close(AtMessage):
    """Close the connection where a message was to be sent."""

    code: int = 1011
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fail(AtMessage):
    """Say Error where a message was to be sent, and close without a code."""

    code: str = "INTERNAL_SERVER_ERROR"


@dataclass(frozen=True, slots=True)
class HalfOpen(AtMessage):
    """From a message on neither send nor read, not even pings, and stay connected."""


@dataclass(frozen=True, slots=True)
class Stall(AtMessage):
    """Say nothing for so long, then all of it at once; for ever, if no time is given."""

    for_s: float = inf


@dataclass(frozen=True, slots=True)
class Jitter(AtMessage):
    """Send messages late, each by up to so much."""

    up_to_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Skip(AtMessage):
    """Lose a message."""


@dataclass(frozen=True, slots=True)
class Twice(AtMessage):
    """Send a message twice, the very same."""


@dataclass(frozen=True, slots=True)
class Late(AtMessage):
    """Send a message after the one that follows it."""


@dataclass(frozen=True, slots=True)
class Garbage(AtMessage):
    """Send a frame that is no message at all before a message."""


@dataclass(frozen=True, slots=True)
class Breach(AtMessage):
    """Break a promise of the protocol, one of `breaches.BREACHES`, at a message that allows it."""

    kind: str = "resume"


# For the whole connection.


@dataclass(frozen=True, slots=True)
class SlowConfigure(OnConnection):
    """Answer each Configure after so long, and refuse another one meanwhile."""

    for_s: float = 2.0


@dataclass(frozen=True, slots=True)
class RefuseConfigure(OnConnection):
    """Answer a Configure with ConfigureFailure, and change nothing."""


@dataclass(frozen=True, slots=True)
class Unending(OnConnection):
    """Never end a turn unless told to."""


@dataclass(frozen=True, slots=True)
class Forgetful(OnConnection):
    """After the start of a turn say nothing but updates without words."""


MessageFault: TypeAlias = (
    Drop | Close | Fail | HalfOpen | Stall | Jitter | Skip | Twice | Late | Garbage | Breach
)
Fault: TypeAlias = (
    Refuse | Hang | SlowConfigure | RefuseConfigure | Unending | Forgetful | MessageFault
)
