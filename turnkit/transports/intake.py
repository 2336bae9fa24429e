"""How fast a peer may send: a leaky bucket, counted in seconds of audio. Pure.

Whoever sends as it records never notices. Whoever sends faster is read no faster than this, so that
their own network holds them up; whoever keeps that up is sent away.
"""

from turnkit.errors import WireError

BURST_S = 2.0
"""How much may come at once: a network that stalled delivers all at once what it held."""

SPEED = 2.0
"""How many times real time is read beyond that; with 1.0 one stall would delay the whole call."""

MESSAGE_S = SPEED / 500
"""What any message costs at least, however short: at most 500 a second are read."""

PATIENCE_S = 10.0


class Intake:
    """The bucket of one peer."""

    def __init__(self) -> None:
        self._level_s = 0.0
        self._at = 0.0
        self._hasty_since: float | None = None

    def admit(self, audio_s: float, now: float) -> float:
        """Take in one message; return how many seconds to wait before reading the next.

        Raises WireError when the peer has been too fast for `PATIENCE_S` on end.
        """
        drained = (now - self._at) * SPEED
        self._level_s = max(0.0, self._level_s - drained) + max(audio_s, MESSAGE_S)
        self._at = now
        excess_s = self._level_s - BURST_S
        if excess_s <= 0:
            self._hasty_since = None
            return 0.0
        if self._hasty_since is None:
            self._hasty_since = now
        if now - self._hasty_since > PATIENCE_S:
            raise WireError(
                f"more than {SPEED:g} times real time for {PATIENCE_S:g} s; "
                "send audio as it is recorded, in pieces of 20 ms or more",
                1008,
            )
        return excess_s / SPEED
