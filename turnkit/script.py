"""What a reply is to say, on its way from the agent, who writes as it thinks, to the voice.

A line is handed over the moment it is complete; words in between disturb nobody.
"""

from collections import deque
from math import inf

from turnkit import clock
from turnkit.agent import Speech
from turnkit.bell import Bell
from turnkit.tts.clauses import ClauseCutter

_AHEAD_LINES = 4
"""How many lines may wait for the voice before the agent has to wait as well."""

_PAUSE_S = 0.1
"""How long an agent says nothing until a full stop counts as the end of a sentence.

Without that, "One moment." would wait for the slow work that it is to bridge: only what follows
tells whether a full stop ends a sentence.
"""


class Script:
    """The lines of one reply, clauses and recordings, in order. One writes, and one reads."""

    def __init__(self) -> None:
        self._cutter = ClauseCutter()
        self._lines: deque[Speech] = deque()
        self._pause_at = inf  # when the words that are left count as a line
        self._ended = False
        self._written = Bell()
        self._taken = Bell()

    async def write(self, piece: Speech) -> None:
        """Add what is said next, and wait while too many lines do."""
        if isinstance(piece, str):
            self._lines.extend(self._cutter.feed(piece))
        else:
            self._lines.extend([*self._cutter.flush(), piece])
        self._pause_at = clock.now() + _PAUSE_S if self._cutter.could_end else inf
        if self._lines:
            self._written.ring()
            await clock.others_first()  # the voice, for one, whom the user waits for
        elif self._pause_at < inf:
            self._written.ring()
        while len(self._lines) > _AHEAD_LINES:
            await self._taken.wait()

    def end(self) -> None:
        """Say that this was all."""
        self._lines.extend(self._cutter.flush())
        self._ended = True
        self._written.ring()

    async def next(self) -> Speech | None:
        """Wait for the next line; None once all were taken and there will be no more."""
        while not self._lines and not self._ended:
            if clock.now() >= self._pause_at:
                self._lines.extend(self._cutter.flush())
                self._pause_at = inf
            else:
                await self._written.wait(self._pause_at)
        self._taken.ring()
        return self._lines.popleft() if self._lines else None
