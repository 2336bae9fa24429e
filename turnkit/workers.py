"""Several processes behind one port, each with an event loop and calls of its own.

All take connections from one listening socket, so that a worker that dies ends its own calls and no
others: whoever waits to be let in is let in by the next. A dead worker is replaced, up to a limit;
one that cannot live is not worth the machine. The first SIGTERM or SIGINT drains every worker, as
`turnkit.server` says; the second ends them.
"""

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from types import FrameType

import structlog
from starlette.applications import Starlette

from turnkit import log as logs
from turnkit import server
from turnkit.config import Settings
from turnkit.errors import ConfigError, TurnkitError

log = structlog.get_logger(__name__)

RESTARTS = 5
"""So many workers may die within `RESTARTS_S`; those that die after that are not replaced."""

RESTARTS_S = 60.0

KILL_S = server.EXIT_S + 3.0
"""How long workers may take to end once they were told twice; then they are killed."""

Build = Callable[[], Starlette]
"""Makes the application, in the worker: something that can be pickled."""


def serve(build: Build, settings: Settings) -> None:
    """Serve with `settings.workers` processes until told to stop.

    Raises:
        ConfigError: this system has no sockets that processes can share, or the port is taken.
        TurnkitError: all have died, and too often to be replaced.
    """
    if os.name != "posix":
        raise ConfigError("workers: several of them need Linux or macOS; serve with 1 here")
    listener = server.bind(settings.host, settings.port)
    listener.listen(server.BACKLOG)
    _Supervisor(build, settings, listener).run()


class RestartLimit:
    """Says whether and when a dead worker may be replaced. Pure."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque()

    def died(self, now: float) -> float | None:
        """Take in a death; return how many seconds to wait before its replacement, None for never.

        The first is replaced at once; each further one within the minute waits twice as long.
        """
        while self._deaths and self._deaths[0] <= now - RESTARTS_S:
            self._deaths.popleft()
        before = len(self._deaths)
        self._deaths.append(now)
        if before >= RESTARTS:
            return None
        return 0.0 if before == 0 else 0.5 * 2 ** (before - 1)


class _Supervisor:
    """Starts workers, replaces them, and passes signals on."""

    def __init__(self, build: Build, settings: Settings, listener: socket.socket) -> None:
        self._build = build
        self._settings = settings
        self._listener = listener
        self._spawning = multiprocessing.get_context("spawn")  # a fork would copy our threads
        self._tally: MutableSequence[int] = self._spawning.RawArray("i", settings.workers)
        self._workers: dict[int, SpawnProcess] = {}
        self._due: dict[int, float] = {}  # when to replace which
        self._limit = RestartLimit()
        self._signals = 0
        self._told = 0
        self._kill_at = float("inf")

    def run(self) -> None:
        with self._listener, _wake_on_signals(self._handle) as woken:
            for index in range(self._settings.workers):
                self._start(index)
            while self._workers or self._due:
                sentinels = [worker.sentinel for worker in self._workers.values()]
                wait([woken, *sentinels], timeout=self._patience_s())
                _drain(woken)
                self._bury()
                self._pass_on()
                self._replace()
        if not self._signals:
            raise TurnkitError(f"every worker has died, more than {RESTARTS} times in a minute")

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1  # amid anything: the loop does the rest

    def _start(self, index: int) -> None:
        arguments = (index, self._build, self._settings, self._listener, self._tally)
        worker = self._spawning.Process(target=_work, args=arguments, name=f"turnkit-{index}")
        worker.start()
        self._workers[index] = worker
        log.info("worker.started", worker=index, pid=worker.pid)

    def _bury(self) -> None:
        """Look who has died."""
        for index, worker in list(self._workers.items()):
            if worker.exitcode is None:
                continue
            del self._workers[index]
            calls, self._tally[index] = self._tally[index], 0
            if self._signals:
                log.info("worker.ended", worker=index)
                continue
            wait_s = self._limit.died(time.monotonic())
            log.error(
                "worker.died",
                worker=index,
                exitcode=worker.exitcode,
                calls_lost=calls,
                replaced_in_s=wait_s,
            )
            if wait_s is not None:
                self._due[index] = time.monotonic() + wait_s

    def _pass_on(self) -> None:
        """Tell the workers what we were told, as often as we were, up to twice."""
        if self._signals:
            self._due.clear()
        while self._told < min(self._signals, 2):
            self._told += 1
            for worker in self._workers.values():
                worker.terminate()
        if self._told == 2:
            self._kill_at = min(self._kill_at, time.monotonic() + KILL_S)
        if time.monotonic() >= self._kill_at:
            for worker in self._workers.values():
                worker.kill()

    def _replace(self) -> None:
        for index in [i for i, at in self._due.items() if at <= time.monotonic()]:
            del self._due[index]
            self._start(index)

    def _patience_s(self) -> float | None:
        at = min([self._kill_at, *self._due.values()])
        return None if at == float("inf") else max(0.0, at - time.monotonic())


@contextmanager
def _wake_on_signals(
    handle: Callable[[int, FrameType | None], None],
) -> Iterator[socket.socket]:
    """Yield a socket that can be read after a signal: waiting on it misses none."""
    ours, pythons = socket.socketpair()
    with ours, pythons:
        ours.settimeout(0)
        pythons.settimeout(0)
        before = signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
        handlers = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield ours
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)


def _drain(woken: socket.socket) -> None:
    try:
        woken.recv(256)
    except BlockingIOError:
        return


def _work(
    index: int,
    build: Build,
    settings: Settings,
    listener: socket.socket,
    tally: MutableSequence[int],
) -> None:
    """Be a worker."""
    os.setpgid(0, 0)  # Ctrl-C is the supervisor's to pass on, or we should hear it twice
    logs.configure(settings)
    structlog.contextvars.bind_contextvars(worker=index)
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        app = build()
        app.state.calls.share(tally, index)
        server.serve_on(listener, app, settings)
    except ConfigError as exc:
        log.error("worker.failed", error=str(exc))
        sys.exit(2)


def _follow_parent() -> None:
    """Drain when the supervisor is gone, however it went."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
