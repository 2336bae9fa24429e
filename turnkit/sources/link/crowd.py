"""How many calls may come back to a server at once, when all have lost it together. Pure."""

from collections import deque
from typing import Final

CONNECTS: Final = 20
WINDOW_S: Final = 1.0
"""So many connections in any such time: two hundred calls are back after nine seconds."""


class Crowd:
    """Gives each call that comes back an instant at which it may, in the order they ask.

    An instant that is not used is lost. Each call asks for one at a time, so the last one is never
    further away than all calls take.
    """

    def __init__(self, connects: int = CONNECTS, window_s: float = WINDOW_S) -> None:
        self._window_s = window_s
        self._given: deque[float] = deque(maxlen=connects)

    def admit(self, now: float) -> float:
        """Return when the next call may connect: now, or later."""
        full = len(self._given) == self._given.maxlen
        at = max(now, self._given[0] + self._window_s) if full else now
        self._given.append(at)
        return at
