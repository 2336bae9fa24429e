"""The audio of a call as one connection gets it: from where it is needed, as fast as it may go.

Pure: who sends it asks what is due, and says what was sent.
"""

from math import inf
from typing import Protocol

from turnkit.sources.link.pace import Pace
from turnkit.sources.link.ring import Piece, Ring


class Call(Protocol):
    """What of a call outlives its connections, as far as its audio goes."""

    ring: Ring
    sent: int
    """The place up to which audio was sent, on whichever connection."""


class Supply:
    """Follows one connection.

    Args:
        call: whose audio it is.
        resume_at_s: where in the call to begin; what was sent before is sent again.
        catch_up: how fast audio that had to wait is sent, in multiples of real time.
    """

    def __init__(self, call: Call, resume_at_s: float, catch_up: float) -> None:
        ring = call.ring
        place = ring.place(resume_at_s)
        piece = ring.read(place)
        self.base = ring.end if piece is None else piece.start
        """Where in the call the connection's own clock begins."""
        self.position = self.base
        """The place up to which audio was sent on this connection."""
        self.replayed_s = ring.seconds(max(0, call.sent - self.base))
        """How much audio is sent that was sent before."""
        self.missing_s = ring.seconds(max(0, ring.start - place))
        """How much audio was needed and is not kept any more."""
        self._call = call
        self._catch_up = catch_up
        self._pace: Pace | None = None

    @property
    def over(self) -> bool:
        """Whether all audio of the call was sent, and no more will come."""
        ring = self._call.ring
        return ring.finished and ring.read(self.position) is None

    def next(self, now: float) -> tuple[Piece | None, float]:
        """Return the next piece and when it is due; None, and never, until more is heard."""
        piece = self._call.ring.read(self.position)
        if piece is None:
            return None, inf
        if self._pace is None:
            self._pace = Pace(now, piece.at, self._catch_up)
        return piece, self._pace.due(piece.at)

    def sent(self, piece: Piece) -> None:
        """Take note that a piece was sent."""
        self.position = piece.end
        self._call.sent = max(self._call.sent, piece.end)
