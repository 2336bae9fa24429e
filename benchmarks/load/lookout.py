"""A process on the subject's cores that notices when nothing runs there: the machine stands still.

    python -m benchmarks.load.lookout

It does next to nothing, at a higher priority than the subject, so it is never the subject that
makes it late. Without a real-time priority it would be, so then there is none. Order: `collect`.
"""

import asyncio
from time import monotonic

from benchmarks.load.records import STALL_S
from benchmarks.load.worker import Handler, work

_EACH_S = 0.002

Stalls = list[tuple[float, float]]


class Lookout:
    """Sleeps, and notes when it wakes up late."""

    def __init__(self) -> None:
        self._stalls: Stalls = []
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            due = monotonic() + _EACH_S
            await asyncio.sleep(_EACH_S)
            if (now := monotonic()) > due + STALL_S:
                self._stalls.append((due, now))

    async def collect(self, _given: bytes) -> object:
        """Return from when to when the machine stood still, and begin anew."""
        stalls, self._stalls = self._stalls, []
        return stalls


async def _begin() -> tuple[object, dict[str, Handler]]:
    lookout = Lookout()
    return "ready", {"collect": lookout.collect}


if __name__ == "__main__":
    work(_begin)
