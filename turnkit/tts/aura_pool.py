"""The connections to Aura that a call keeps: one, and a second once something was cancelled.

A line that was cleared is free again a round trip later; meanwhile the other one speaks. Which has
been free longest is taken, so that a line just cleared has time to show that it sends no more.
Nobody but `Pool.keep` opens a line ahead of need, so a call that was never kept leaves none behind.
"""

from math import inf

import anyio
import structlog
from anyio.abc import TaskGroup

from turnkit import clock
from turnkit.bell import Bell
from turnkit.errors import SynthesisError
from turnkit.tts.aura_address import Address, LineRefused, Patience
from turnkit.tts.aura_line import Line

log = structlog.get_logger(__name__)

_KEPT = 2
_MOST = 4  # at once: replies that were abandoned may hold on to theirs for a while
_ATTEMPTS = 2  # at opening a line for a text that waits


class Pool:
    """Opens lines in a task group, and lends them."""

    def __init__(self, tasks: TaskGroup, address: Address, patience: Patience) -> None:
        self._tasks = tasks
        self._address = address
        self._patience = patience
        self._lines: list[Line] = []
        self._kept = 0
        self._failures = 0
        self._error: SynthesisError | None = None  # of the last failure
        self._retry_at = -inf
        self._over = False
        self._news = Bell()

    async def keep(self) -> None:
        """Keep lines open until cancelled, each replaced before Aura ends it."""
        self._kept = 1
        try:
            while True:
                self._tend(clock.now())
                await anyio.sleep(self._patience.tend_s)
        finally:
            self._kept = 0
            self._over = True
            self._changed()

    async def take(self, characters: int) -> Line:
        """Wait for a line that is free and may speak so much now; `say` has to follow at once.

        Raises SynthesisError when it could not be had in two attempts.
        """
        failures = self._failures
        held_back = False
        while (line := self._free(characters)) is None:
            if self._over:
                raise SynthesisError("the voice is no longer kept; the call is over")
            if self._error is not None and self._given_up(self._failures - failures):
                raise type(self._error)(str(self._error)) from self._error
            if len(self._lines) < _MOST and not any(line.is_coming for line in self._lines):
                self._open()
            now = clock.now()
            allowed_at = self._allowed_at(characters, now)
            if now < allowed_at < inf and len(self._lines) == _MOST and not held_back:
                held_back = True
                log.warning("aura.held_back", wait_s=round(allowed_at - now, 1))
            await self._news.wait(allowed_at)
        return line

    def _given_up(self, failures: int) -> bool:
        return failures >= _ATTEMPTS or (failures > 0 and isinstance(self._error, LineRefused))

    def _free(self, characters: int) -> Line | None:
        """Return the line to speak on: a young one if there is, and the longest free of those."""
        now = clock.now()
        found, least = None, (True, inf)
        for line in self._lines:
            since = line.free_since
            if since is None or line.allowed_at(characters, now) > now:
                continue
            rank = self._is_old(line, now), since
            if rank < least:
                found, least = line, rank
        return found

    def _allowed_at(self, characters: int, now: float) -> float:
        free = [line for line in self._lines if line.free_since is not None]
        return min((line.allowed_at(characters, now) for line in free), default=inf)

    def _is_old(self, line: Line, now: float) -> bool:
        return line.opened_at is not None and now - line.opened_at >= self._patience.rotate_s

    def _tend(self, now: float) -> None:
        """Open what is missing, and close what is old or one too many."""
        young = [line for line in self._lines if not self._is_old(line, now)]
        free = [line for line in young if line.free_since is not None]
        for line in self._lines.copy():
            if free and line not in young and line.free_since is not None:
                line.hang_up()
        for line in free[: max(0, len(young) - self._kept)]:
            if line.free_since is not None and now - line.free_since >= self._patience.spare_s:
                line.hang_up()
        if now >= self._retry_at:
            for _ in range(min(self._kept - len(young), _MOST - len(self._lines))):
                self._open()

    def _open(self) -> None:
        line = Line(self._address, self._patience, self._changed)
        self._lines.append(line)
        self._tasks.start_soon(self._hold, line)

    async def _hold(self, line: Line) -> None:
        try:
            await line.run()
        except SynthesisError as exc:
            log.warning("aura.lost", reason=str(exc))
            if line.opened_at is None:
                self._failures += 1
                self._error = exc
                refused = isinstance(exc, LineRefused)
                wait_s = inf if refused else self._patience.retry_s
                self._retry_at = clock.now() + wait_s
        finally:
            self._lines.remove(line)
            self._changed()

    def _changed(self) -> None:
        """Tell those who wait; and get the second line once there was use for one."""
        if 0 < self._kept < _KEPT and any(line.is_clearing for line in self._lines):
            self._kept = _KEPT
            self._tend(clock.now())
        self._news.ring()
