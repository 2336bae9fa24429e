"""Sends a caller what waits in the outbox: at once if they keep up, otherwise as fast as they read.

At once means before `send` returns, without waking a task: 20 ms after a frame the next one is due.
"""

from collections.abc import Callable, Iterable, Iterator

from turnkit.transports.outbox import Clear, Frame, Outbox, Outgoing
from turnkit.transports.peer import Peer


class Sender:
    """Between one outbox and one peer.

    Args:
        worded: says an item of the outbox in the messages of the peer's protocol.
    """

    def __init__(
        self, peer: Peer, outbox: Outbox, worded: Callable[[Outgoing], Iterable[str | bytes]]
    ) -> None:
        self._peer = peer
        self._outbox = outbox
        self._worded = worded
        self._running = False
        self._reply = -1  # the newest that a frame was sent of

    def send(self) -> None:
        """Send what is queued, as far as the peer keeps up; `run` sees to the rest."""
        while self._running and self._peer.keeps_up:
            if (item := self._outbox.next()) is None:
                return
            urgent = self._is_urgent(item)
            for message in self._worded(item):
                self._peer.write(message, urgent=urgent)
        self._outbox.ring()

    def _is_urgent(self, item: Outgoing) -> bool:
        """Tell whether the user waits for it: the first sound of a reply, or that it ceases."""
        if isinstance(item, Frame) and item.reply != self._reply:
            self._reply = item.reply
            return True
        return isinstance(item, Clear)

    async def run(self) -> None:
        """Send until cancelled, and nothing before. Raises TransportClosed."""
        self._running = True
        try:
            while True:
                await self._outbox.wait()
                await self._peer.send_all(self._messages())
        finally:
            self._running = False

    def _messages(self) -> Iterator[str | bytes]:
        """Yield what is queued by now; what is queued meanwhile is looked at before each."""
        while (item := self._outbox.next()) is not None:
            yield from self._worded(item)
