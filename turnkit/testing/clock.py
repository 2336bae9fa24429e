"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it.

An hour of conversation takes milliseconds, and instants are exact. Time stands still while a
worker thread started through `anyio.to_thread` or the loop's executor is at work, so that
recognizers, synthesizers and look-ups in threads keep their place in the order of things. Sockets
and child processes are not waited for: a slow peer looks like idle time. Keep them out of virtual
time, or use `LoopbackLoop` where both ends of every socket are in one loop.
"""

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

import anyio.to_thread

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PATIENCE_S = 10.0  # for a datagram to oneself; it takes microseconds, unless the machine stalls
_ROUNDS = 4  # SYN, SYN-ACK, ACK, data: each is sent when the one before has come
_THREAD_POLL_S = 0.05  # a thread's end wakes the selector; this only bounds a missed wake-up


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop on virtual time, starting at 0.0 seconds."""

    def __init__(self) -> None:
        self._now = 0.0
        self._threads: anyio.CapacityLimiter | None = None
        self._errands = 0  # of the loop's own executor, which looks up addresses
        super().__init__(self._new_selector())
        self.call_soon(lambda: self.create_task(self._find_limiter()))

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def jump(self, seconds: float) -> None:
        """Move the clock forward, as if that time had passed."""
        # 1.6999999999999997 is 1.7; never rounded down, or a timer would be early for ever.
        then = self._now + seconds
        self._now = max(then, round(then, 9))

    def _new_selector(self) -> "_JumpingSelector":
        return _JumpingSelector(self)

    @property
    def threads_at_work(self) -> bool:
        """Whether a worker thread is still to deliver its result."""
        borrowed = 0 if self._threads is None else self._threads.borrowed_tokens
        return borrowed + self._errands > 0

    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Call a function in a thread; time stands still meanwhile."""
        future = super().run_in_executor(executor, func, *args)
        self._errands += 1
        future.add_done_callback(self._errand_done)
        return future

    def _errand_done(self, _: asyncio.Future[Any]) -> None:
        self._errands -= 1

    async def _find_limiter(self) -> None:
        # A task of its own: anyio tells its limiter only to a running task.
        self._threads = anyio.to_thread.current_default_thread_limiter()


class _JumpingSelector(selectors.DefaultSelector):
    """Polls real I/O; where it would have waited for a timer, moves the clock instead."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        while self._loop.threads_at_work:
            if ready := super().select(_THREAD_POLL_S):
                return ready
        if timeout is None:  # nothing is due, ever: only a signal or a socket can wake us
            return super().select(None)
        self._loop.jump(timeout)
        return []


class LoopbackLoop(VirtualTimeLoop):
    """Virtual time that waits for sockets of this very process before each jump.

    It does so by cause, not by the clock: what is written to loopback comes in the order in which
    it was written, so a datagram to oneself comes behind all that is under way.
    """

    def _new_selector(self) -> "_JumpingSelector":
        return _LoopbackSelector(self)


class _LoopbackSelector(_JumpingSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__(loop)
        self._probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._probe.settimeout(_PATIENCE_S)
        self._probe.bind(("127.0.0.1", 0))
        self._probe.connect(self._probe.getsockname())

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        for _ in range(_ROUNDS if timeout != 0 else 0):
            if ready := selectors.DefaultSelector.select(self, 0):
                return ready
            self._probe.send(b".")
            self._probe.recv(1)
        return super().select(timeout)

    def close(self) -> None:
        self._probe.close()
        super().close()


def run_virtual(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` to its end on virtual time and return its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main())
