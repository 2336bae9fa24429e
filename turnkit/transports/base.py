"""The seam to the caller: their audio in, ours out, and how far ours was played."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from turnkit.audio.frames import AudioFormat


@dataclass(frozen=True, slots=True)
class PlayoutReported:
    """The far end has played so many seconds of a reply's audio."""

    reply: int
    played_s: float


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The caller pressed a key of the telephone."""

    digit: str


@dataclass(frozen=True, slots=True)
class EndTurnRequested:
    """The caller says that they are done, as by letting go of a push-to-talk key."""


Incoming: TypeAlias = bytes | PlayoutReported | DigitPressed | EndTurnRequested
"""`bytes` are the user's audio, in the transport's `incoming` format and any length."""


class Transport(Protocol):
    """One caller. `play`, `finish` and `clear` do not block: what they ask for is queued.

    The queue holds little, since the session never runs more than its lead ahead of the clock; a
    peer that does not read is closed after a while (`run` raises TransportClosed).
    """

    incoming: AudioFormat
    """What `receive` returns."""

    outgoing_hz: int
    """The rate of the linear16 frames given to `play`."""

    reports_playout: bool
    """Whether the far end tells how far it has played; if not, the clock has to do."""

    def pass_to(self, take: Callable[[Incoming], None]) -> None:
        """Give what comes to `take` the moment it comes, from outside of any task.

        That is a shortcut, which a transport takes where it can: `receive` returns all the rest.
        """

    async def receive(self) -> Incoming:
        """Wait for the next thing from the caller. Raises TransportClosed."""

    def play(self, reply: int, frame: bytes) -> None:
        """Send one frame of a reply, due now."""

    def finish(self, reply: int) -> None:
        """Say that the reply's last frame was given to `play`."""

    def clear(self, reply: int) -> None:
        """Have the far end drop what it has not played of this reply, ahead of all else queued."""

    async def run(self) -> None:
        """Send what is queued, until cancelled. Raises TransportClosed."""
