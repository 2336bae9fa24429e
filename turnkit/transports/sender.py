"""Sends a caller what waits in the outbox: at once if they keep up, otherwise as fast as they read.

At once means before `send` returns, without waking a task: 20 ms after a frame the next one is due.
"""

from collections.abc import Callable, Iterable, Iterator

from turnkit.transports.outbox import Outbox, Outgoing
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

    def send(self) -> None:
        """Send what is queued, as far as the peer keeps up; `run` sees to the rest."""
        while self._running and self._peer.keeps_up:
            if (item := self._outbox.next()) is None:
                return
            for message in self._worded(item):
                self._peer.write(message)
        self._outbox.ring()

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
