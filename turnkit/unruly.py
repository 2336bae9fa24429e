"""Run code that may refuse to end: agents are written by others, and can swallow cancellation.

anyio cancels again at every await until the code has ended, so that code which swallows it would
spin for ever and hold up its task group. Here it runs in a task of its own, is cancelled once, and
is left behind after a grace. This and the virtual clock are the two users of asyncio itself.
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

    def cancel(self) -> None:
        """Cancel it, once: whatever it does next, it does not get to do."""
        if not self._cancelled:
            self._cancelled = True
            self.task.cancel()


async def run_unruly(
    work: Callable[[], Coroutine[Any, Any, None]], grace_s: float, abandoned: Callable[[], None]
) -> None:
    """Run `work` to its end; if cancelled, wait for it at most `grace_s`, then call `abandoned`.

    What `work` raises is raised here, unless it was cancelled or abandoned.
    """
    await see_through(Begun(work()), grace_s, abandoned)


async def see_through(begun: Begun, grace_s: float, abandoned: Callable[[], None]) -> None:
    """Wait for the end of a task as `run_unruly` does."""
    done, task = anyio.Event(), begun.task
    task.add_done_callback(lambda _: done.set())
    try:
        await done.wait()
    except anyio.get_cancelled_exc_class():
        begun.cancel()
        with anyio.CancelScope(deadline=anyio.current_time() + grace_s, shield=True):
            await done.wait()
        if not task.done():
            task.add_done_callback(_end_quietly)
            abandoned()
        else:
            _end_quietly(task)
        raise
    task.result()


def _end_quietly(task: "asyncio.Task[None]") -> None:
    """Take what a cancelled task raised on its way out: nobody is left to hear of it."""
    if not task.cancelled():
        task.exception()
