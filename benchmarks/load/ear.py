"""What a caller can have heard: audio plays in order, without a gap while there is any. Pure."""

from collections import deque
from typing import Generic, TypeVar

from benchmarks.load.records import Clear

T = TypeVar("T")


class Ear(Generic[T]):
    """A player at the far end of a call, and what it has to report when it gets there."""

    def __init__(self) -> None:
        self.at: list[float] = []
        self.seconds: list[float] = []
        self.keys: list[bytes] = []
        self.clears: list[Clear] = []
        self._silent_at = 0.0
        self._marks: deque[tuple[float, T]] = deque()

    def hear(self, now: float, seconds: float, key: bytes) -> None:
        """Take in audio."""
        self.at.append(now)
        self.seconds.append(seconds)
        self.keys.append(key)
        self._silent_at = max(self._silent_at, now) + seconds

    def clear(self, now: float) -> list[T]:
        """Drop what is not played; return what was to be reported behind it."""
        self.clears.append(Clear(now, max(0.0, self._silent_at - now)))
        self._silent_at = min(self._silent_at, now)
        dropped = [mark for _, mark in self._marks]
        self._marks.clear()
        return dropped

    def mark(self, now: float, mark: T) -> float:
        """Report this once all audio before it is played; return when that is."""
        due = max(self._silent_at, now)
        self._marks.append((due, mark))
        return due

    def reached(self, now: float) -> list[T]:
        """Return what is to be reported by now."""
        reached = []
        while self._marks and self._marks[0][0] <= now:
            reached.append(self._marks.popleft()[1])
        return reached
