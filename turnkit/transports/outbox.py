"""What waits to be sent to one caller, in the order it should go. Nothing in here waits but `wait`.

Orders to clear overtake everything; audio overtakes notes. The items are msgspec's structs, since
there are 50 a second of every call, and a frozen dataclass takes five times as long to make.
"""

from collections import deque
from typing import TypeAlias

import msgspec

from turnkit.audio.frames import AudioFormat
from turnkit.bell import Bell
from turnkit.listeners.base import Item

LIVE_S = 0.2
"""How much audio is left when a backlog is skipped: what the session keeps ahead of the clock."""

BACKLOG_S = 3.0
"""How much may wait: the largest lead the settings allow (2 s), and 1 s of drift."""

NOTES = 256


class Frame(msgspec.Struct, frozen=True):
    """Audio of a reply. `end_s` is how far into the reply it reaches."""

    reply: int
    pcm: bytes
    end_s: float


class Finish(msgspec.Struct, frozen=True):
    """The reply's last frame has gone before. `end_s` is how long the reply is."""

    reply: int
    end_s: float


class Clear(msgspec.Struct, frozen=True):
    """What is not played of the reply is to be dropped."""

    reply: int


class Tell(msgspec.Struct, frozen=True):
    """What happened in the conversation, for a caller who wants to know."""

    at: float
    item: Item


Outgoing: TypeAlias = Frame | Finish | Clear | Tell


class Outbox:
    """Bounded, each kind in its way.

    Audio that a slow peer leaves waiting for more than `BACKLOG_S` is skipped up to the newest
    `LIVE_S`, so that the peer is late but not ever later. Of notes the oldest go first.
    """

    def __init__(self, format_: AudioFormat) -> None:
        self.dropped_notes = 0
        self._format = format_
        self._limit_bytes = format_.bytes_in(BACKLOG_S)
        self._clears: deque[Clear] = deque()
        self._audio: deque[Frame | Finish] = deque()
        self._notes: deque[Tell] = deque()
        self._waiting_bytes = 0
        self._reply = -1  # the newest
        self._reply_bytes = 0  # given to `play` of it
        self._skipped_reply = -1
        self._skipped_bytes = 0  # of that reply
        self._cleared = -1
        self._news = Bell()

    def play(self, reply: int, pcm: bytes) -> None:
        """Queue a frame, unless its reply has been cleared."""
        if reply <= self._cleared:
            return
        if reply != self._reply:
            self._reply, self._reply_bytes = reply, 0
        self._reply_bytes += len(pcm)
        self._waiting_bytes += len(pcm)
        self._audio.append(Frame(reply, pcm, self._format.seconds_in(self._reply_bytes)))
        if self._waiting_bytes > self._limit_bytes:
            self._skip()

    def finish(self, reply: int) -> None:
        """Queue the news that the reply is all there."""
        if reply <= self._cleared:
            return
        size = self._reply_bytes if reply == self._reply else 0
        self._audio.append(Finish(reply, self._format.seconds_in(size)))

    def clear(self, reply: int) -> None:
        """Drop what is queued of this reply and of those before it, and order the same there."""
        self._cleared = max(self._cleared, reply)
        self._audio = deque(item for item in self._audio if item.reply > self._cleared)
        self._waiting_bytes = sum(_size(item) for item in self._audio)
        self._clears.append(Clear(reply))

    def tell(self, at: float, item: Item) -> None:
        """Queue a note; if there are too many, the oldest is dropped and counted."""
        if len(self._notes) == NOTES:
            self._notes.popleft()
            self.dropped_notes += 1
        self._notes.append(Tell(at, item))

    def cleared(self, reply: int) -> bool:
        """Tell whether this reply has been ordered to be dropped."""
        return reply <= self._cleared

    def skipped_s(self, reply: int) -> float:
        """Return how much of this reply the peer will never receive."""
        size = self._skipped_bytes if reply == self._skipped_reply else 0
        return self._format.seconds_in(size)

    def ring(self) -> None:
        """Wake who waits: there is something to send."""
        self._news.ring()

    async def wait(self) -> None:
        """Wait until there is something to send, and somebody rings."""
        if not (self._clears or self._audio or self._notes):
            await self._news.wait()

    def next(self) -> Outgoing | None:
        """Take what is to be sent next; None if nothing is waiting."""
        for queue in (self._clears, self._audio, self._notes):
            if queue:
                item: Outgoing = queue.popleft()
                self._waiting_bytes -= _size(item)
                return item
        return None

    def take_notes(self) -> list[Tell]:
        """Take all notes at once, for when nothing else matters any more."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    def _skip(self) -> None:
        """Drop the oldest audio down to `LIVE_S`, but not the news of where replies end."""
        ends: list[Finish] = []
        while self._waiting_bytes > self._format.bytes_in(LIVE_S):
            match self._audio.popleft():
                case Finish() as end:
                    ends.append(end)
                case Frame(reply, pcm):
                    if reply != self._skipped_reply:
                        self._skipped_reply, self._skipped_bytes = reply, 0
                    self._skipped_bytes += len(pcm)
                    self._waiting_bytes -= len(pcm)
        self._audio.extendleft(reversed(ends))


def _size(item: Outgoing) -> int:
    return len(item.pcm) if isinstance(item, Frame) else 0
