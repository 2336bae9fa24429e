"""What a peer has sent and nobody has worked on yet: in order, and bounded by its size."""

from collections import deque

import anyio

LIMIT_BYTES = 8 << 20
"""Over four minutes of 16 kHz linear16, for clients that send recordings as fast as they can."""

_MESSAGE_BYTES = 64  # what an empty message takes all the same


class Backlog:
    """Holds messages between one task that puts and one that takes. When it is full, `put` waits.

    So the peer is left unread, and its own network holds it up.
    """

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._waiting_bytes = 0
        self._messages: deque[str | bytes] = deque()
        self._changed = anyio.Condition()

    async def put(self, message: str | bytes) -> None:
        """Add a message, once there is room."""
        async with self._changed:
            while self._waiting_bytes >= self._limit_bytes:
                await self._changed.wait()
            self._messages.append(message)
            self._waiting_bytes += len(message) + _MESSAGE_BYTES
            self._changed.notify()

    async def take(self) -> str | bytes:
        """Wait for the oldest message."""
        async with self._changed:
            while not self._messages:
                await self._changed.wait()
            message = self._messages.popleft()
            self._waiting_bytes -= len(message) + _MESSAGE_BYTES
            self._changed.notify()
            return message
