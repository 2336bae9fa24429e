"""The calls of one server: how many there are, how old they are, and whether more may come."""

from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager

import anyio


class Calls:
    """Counts calls in and out. One per server; `create_app` keeps it as `app.state.calls`."""

    def __init__(self, limit: int) -> None:
        self.draining = False
        """Whether the server is on its way out: calls may end but not begin."""
        self._limit = limit
        self._began_at: dict[str, float] = {}
        self._tally: MutableSequence[int] = [0]
        self._place = 0

    def __len__(self) -> int:
        return len(self._began_at)

    def share(self, tally: MutableSequence[int], place: int) -> None:
        """Have the limit be one for several processes.

        Args:
            tally: how many calls each has, in memory that they share. It is read without a lock, so
                that calls which arrive at the very same time may exceed the limit by one a process.
            place: which of them we are.
        """
        self._tally, self._place = tally, place

    @property
    def refusal(self) -> str | None:
        """Why a call cannot be taken now, or None if it can."""
        if self.draining:
            return "shutting down; try another server"
        if sum(self._tally) >= self._limit:
            return f"all {self._limit} lines are busy; try again later"
        return None

    @contextmanager
    def admit(self, call: str) -> Iterator[None]:
        """Count the call for as long as it lasts. Look at `refusal` first."""
        assert self.refusal is None
        self._began_at[call] = anyio.current_time()
        self._tally[self._place] += 1
        try:
            yield
        finally:
            del self._began_at[call]
            self._tally[self._place] -= 1

    def oldest_s(self, now: float) -> float:
        """Return how long the longest call has lasted; 0 if there is none."""
        return now - min(self._began_at.values(), default=now)
