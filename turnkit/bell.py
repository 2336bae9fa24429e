"""Waking whoever waits for a change."""

from asyncio import Future, get_running_loop
from math import inf


class Bell:
    """Wakes all who wait at this moment. Look at what may have changed, then wait, then look again.

    Made of the event loop's own futures and timers: an `anyio.Event` within a `CancelScope` takes
    some fifty calls to make and to leave, and every step of a reply waits for the one before.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[Future[None]] = []

    def ring(self) -> None:
        """Wake who waits."""
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                _wake(waiter)

    async def wait(self, until: float = inf) -> None:
        """Wait for the next ring; or until then, about (see `clock.tick`), on the loop's clock."""
        loop = get_running_loop()
        waiter: Future[None] = loop.create_future()
        self._waiters.append(waiter)
        alarm = None if until == inf else loop.call_at(until, _wake, waiter)
        try:
            await waiter
        finally:
            if alarm is not None:
                alarm.cancel()
            if waiter in self._waiters:  # it was not the bell that ended it
                self._waiters.remove(waiter)


def _wake(waiter: "Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
