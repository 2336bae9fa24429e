"""The user's audio on its way to a turn source: pieces of any length in, 80 ms chunks out.

Flux's clock is the audio it gets, and the embedded engine's likewise: without audio no turn ever
ends. So when the user's audio pauses, digital silence takes its place at the pace of real time.
"""

import anyio
import anyio.lowlevel

from turnkit import clock
from turnkit.audio.frames import AudioFormat
from turnkit.bell import Bell

CHUNK_S = 0.08
"""Flux's frame, and the length of chunk it recommends."""
SLACK_S = 0.2
"""How late a chunk may be before silence goes in its place: three frames of a telephone network
and then some, yet little beside the seconds after which a pause ends a turn."""
LIMIT_S = 30.0
"""How much audio may wait for a source that does not take it."""


class Feed:
    """Holds what was heard until the source takes it.

    It is bounded: beyond `limit_s` the oldest audio goes, counted in `dropped_bytes`.
    """

    def __init__(self, audio: AudioFormat, limit_s: float = LIMIT_S) -> None:
        self.dropped_bytes = 0
        self._sample_bytes = audio.sample_bytes
        self._limit_bytes = audio.bytes_in(limit_s)
        self._silence = audio.silence(CHUNK_S)
        self._waiting = bytearray()  # begins with a whole sample, may end in the middle of one
        self._news = Bell()
        self._finished = False
        self._silence_at: float | None = None  # when silence stands in; None before the call

    def hear(self, audio: bytes) -> None:
        """Take in audio. What comes after `finish` is not heard."""
        if not self._finished:
            self._keep(audio)
            self._ring()

    def hear_at_once(self, audio: bytes) -> bytes | None:
        """Take in audio as `hear` does; return the chunk that is complete with it, if there is one.

        That saves the task in `next_chunk` its waking. It gets what is left, and begins the call.
        """
        if self._finished:
            return None
        self._keep(audio)
        if len(self._waiting) < len(self._silence) or self._silence_at is None:
            return None
        chunk = self._next(clock.now())
        self._ring()
        return chunk

    def finish(self) -> None:
        """Say that no more audio will come."""
        self._finished = True
        self._news.ring()

    async def next_chunk(self) -> bytes | None:
        """Wait for the next 80 ms; None once all is taken after `finish`.

        The call begins when it is first asked, so silence also goes ahead of audio that is late to
        begin. Audio that silence has stood in for is not lost: it follows. Nor does cancelling lose
        anything.
        """
        await anyio.lowlevel.checkpoint()  # much may be waiting; let others run in between
        if self._silence_at is None:
            self._silence_at = clock.tick(clock.now() + CHUNK_S + SLACK_S)
        while not self._ready() and clock.now() < self._silence_at:
            await self._news.wait(self._silence_at)
        return self._next(clock.now())

    def _keep(self, audio: bytes) -> None:
        self._waiting += audio
        excess = len(self._waiting) - self._limit_bytes
        if excess > 0:
            excess += -excess % self._sample_bytes  # whole samples, or the rest would be noise
            self.dropped_bytes += len(self._cut(excess))

    def _ready(self) -> bool:
        return self._finished or len(self._waiting) >= len(self._silence)

    def _ring(self) -> None:
        if self._ready():
            self._news.ring()

    def _next(self, now: float) -> bytes | None:
        if self._ready():
            self._silence_at = clock.tick(now + CHUNK_S + SLACK_S)
        else:  # in a pause that goes on, silence needs no more patience
            assert self._silence_at is not None
            self._silence_at = clock.tick(max(self._silence_at + CHUNK_S, now))
        return self._take()

    def _take(self) -> bytes | None:
        """Take a chunk, filled up with silence; None if there will be no more."""
        whole = min(len(self._waiting), len(self._silence))
        whole -= whole % self._sample_bytes
        if self._finished and not whole:
            return None
        return self._cut(whole) + self._silence[whole:]

    def _cut(self, size_bytes: int) -> bytes:
        oldest = bytes(self._waiting[:size_bytes])
        del self._waiting[:size_bytes]
        return oldest
