"""Run code that may refuse to end: agents are written by others, and can swallow cancellation.

anyio cancels again at every await until the code has ended, so that code which swallows it would
spin for ever and hold up its task group. Here it runs in a task of its own, is cancelled once, and
is left behind after a grace. This and the virtual clock are the two users of asyncio itself.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import anyio

Begun: TypeAlias = "asyncio.Task[None]"
"""Work that was started, and whose end is still to be seen to."""


async def run_unruly(
    work: Callable[[], Coroutine[Any, Any, None]], grace_s: float, abandoned: Callable[[], None]
) -> None:
    """Run `work` to its end; if cancelled, wait for it at most `grace_s`, then call `abandoned`.

    What `work` raises is raised here, unless it was cancelled or abandoned.
    """
    await see_through(begin(work()), grace_s, abandoned)


def begin(work: Coroutine[Any, Any, None]) -> Begun:
    """Start a task; from Python 3.12 on it has run to its first wait when this returns."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        return asyncio.Task(work, loop=loop, eager_start=True)
    return loop.create_task(work)


async def see_through(task: Begun, grace_s: float, abandoned: Callable[[], None]) -> None:
    """Wait for the end of a task as `run_unruly` does."""
    done = anyio.Event()
    task.add_done_callback(lambda _: done.set())
    try:
        await done.wait()
    except anyio.get_cancelled_exc_class():
        task.cancel()
        with anyio.CancelScope(deadline=anyio.current_time() + grace_s, shield=True):
            await done.wait()
        if not task.done():
            task.add_done_callback(_end_quietly)
            abandoned()
        else:
            _end_quietly(task)
        raise
    task.result()


def _end_quietly(task: Begun) -> None:
    """Take what a cancelled task raised on its way out: nobody is left to hear of it."""
    if not task.cancelled():
        task.exception()
