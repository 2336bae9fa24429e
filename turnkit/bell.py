"""Waking whoever waits for a change."""

import anyio


class Bell:
    """Wakes all who wait at this moment. Look at what may have changed, then wait, then look again.

    An `anyio.Event` is made only when somebody waits: it costs more than the rest of a short step.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: anyio.Event | None = None

    def ring(self) -> None:
        """Wake who waits."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Wait for the next ring."""
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()
