"""How much nonsense is borne from a server before it is taken for another than we think. Pure."""

from collections import deque
from typing import Final

LIMIT: Final = 10
WINDOW_S: Final = 10.0
"""More messages than that in such a time that make no sense are no accident."""


class Tolerance:
    """Follows one connection."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=LIMIT + 1)

    def exhausted(self, now: float) -> bool:
        """Take in that a message made no sense; say whether it was one too many."""
        self._at.append(now)
        return len(self._at) > LIMIT and now - self._at[0] < WINDOW_S
