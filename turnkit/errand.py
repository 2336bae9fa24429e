"""Work beside an async generator, which must not hold a task group while it yields.

The work has a task of its own, and the `async with` block does not end before it has. Whoever
refuses to end is the problem of `turnkit.unruly`, which every agent runs under.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio

from turnkit.unruly import Begun


class Errand:
    """Work that was begun."""

    def __init__(self, begun: Begun) -> None:
        self._begun = begun
        self._task = begun.task
        self._ended = anyio.Event()
        self._task.add_done_callback(lambda _: self._ended.set())

    async def ended(self) -> None:
        """Wait for the end of the work, and raise what it raised."""
        await self._ended.wait()
        self._task.result()

    async def cancel(self) -> None:
        """Cancel the work if it is under way, and wait for its end; what it raises is dropped."""
        self._task.cancel()
        with anyio.CancelScope(shield=True):
            await self._ended.wait()
        if self._task.cancelled():
            _ = self._begun.error
        else:
            self._task.exception()


@asynccontextmanager
async def errand(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncGenerator[Errand, None]:
    """Run `work` while the block does; what is left of it when the block ends is cancelled."""
    begun = Errand(Begun(work()))
    try:
        yield begun
    finally:
        await begun.cancel()
