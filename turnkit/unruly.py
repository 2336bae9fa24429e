"""Run code that may refuse to end: agents are written by others, and can swallow cancellation.

anyio cancels again at every await until the code has ended, so that code which swallows it would
spin for ever and hold up its task group. Here it runs in a task of its own, is cancelled once, and
is left behind after a grace.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import anyio


class Begun:
    """Work that was started, and whose end is still to be seen to."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a task; from Python 3.12 on it has run to its first wait when this returns."""
        loop = asyncio.get_running_loop()
        if sys.version_info >= (3, 12):
            self.task = asyncio.Task(work, loop=loop, eager_start=True)
        else:
            self.task = loop.create_task(work)
        self._cancelled = False
        self._left_behind = False
        self._asked = False
        self._error: BaseException | None = None

    @property
    def error(self) -> BaseException | None:
        """What it raised, once it has ended; None if it was cancelled.

        To be asked for even of what was cancelled: until then the task keeps where it was, which
        keeps the task, until a collection of garbage stops all calls. An error with its traceback
        does the same.
        """
        if not self._asked:
            self._asked = True
            try:
                self.task.result()
            except asyncio.CancelledError:
                return None
            except BaseException as exc:  # noqa: BLE001  # whoever asks decides
                self._error = exc
        return self._error

    def cancel(self) -> None:
        """Cancel it, once: whatever it does next, it does not get to do."""
        if not self._cancelled:
            self._cancelled = True
            self.task.cancel()

    async def end(self, grace_s: float, abandoned: Callable[[], None]) -> None:
        """Cancel it and wait for its end, at most `grace_s`; then call `abandoned`, once.

        This cannot be cancelled. What the work raises on its way out is for `error` to tell.
        """
        self.cancel()
        if not self.task.done() and not self._left_behind:
            with anyio.CancelScope(shield=True):
                await asyncio.wait([self.task], timeout=grace_s)
        if self.task.done():
            _ = self.error
        elif not self._left_behind:
            self._left_behind = True
            self.task.add_done_callback(lambda _: self.error)
            abandoned()


async def run_unruly(
    work: Callable[[], Coroutine[Any, Any, None]], grace_s: float, abandoned: Callable[[], None]
) -> None:
    """Run `work` to its end; if cancelled, wait for it at most `grace_s`, then call `abandoned`.

    What `work` raises is raised here, unless it was cancelled or abandoned.
    """
    begun = Begun(work())
    try:
        await asyncio.wait([begun.task])
    except asyncio.CancelledError:
        await begun.end(grace_s, abandoned)
        raise
    begun.task.result()
