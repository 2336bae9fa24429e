"""Runs the application on uvicorn, and ends it without hanging up on anybody.

The first SIGTERM or SIGINT drains: new calls are refused, running ones may finish within `drain_s`.
Then, or at the second signal, those left are closed with 1012 (service restart).
"""

import errno
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from types import FrameType

import anyio
import structlog
import uvicorn
from starlette.applications import Starlette

from turnkit import client_socket, plug, watchdog
from turnkit.calls import Calls
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.transports.client_wire import MAX_MESSAGE_BYTES

log = structlog.get_logger(__name__)

BACKLOG = 2048
"""How many connections may wait to be accepted: uvicorn's own default."""

PROGRESS_S = 5.0
EXIT_S = 2
"""How long the end may take once calls are closed, before we stop asking nicely."""

_THRESHOLDS = gc.get_threshold()
_GARBAGE = 50_000
"""After how many new objects Python looks for garbage: each look halts all calls for 20 to 40 ms,
and few of a call's objects need it. With 200 calls on a core that is each 5 s or so. With 20,000,
where the living were looked at more often, p99 of the overhead was 158 ms instead of 37 to 47."""

PING_S = 5.0
"""A client that answers no ping for so long is gone, whatever TCP believes."""


def serve(app: Starlette, settings: Settings) -> None:
    """Serve until told to stop. Raises ConfigError.

    Args:
        app: from `create_app`, or another that keeps a `Calls` in `app.state.calls`; it may ask for
            larger messages than 64 KiB in `app.state.max_message_bytes`.
        settings: of them, where to listen and how long to drain.
    """
    serve_on(bind(settings.host, settings.port), app, settings)


def serve_on(listener: socket.socket, app: Starlette, settings: Settings) -> None:
    """Serve, as `serve` does, on a socket that is bound already."""
    if (recognizers := getattr(app.state, "recognizers", None)) is not None:
        recognizers.start()  # or the first call would have to wait for them
    try:
        _Server(app, settings, listener).run(sockets=[listener])
    finally:
        _alarm(0)


@asynccontextmanager
async def running(app: Starlette, settings: Settings) -> AsyncIterator[str]:
    """Serve within this event loop, on a free port of loopback; yields the URL of the page.

    Leaving ends the calls that are left.
    """
    listener = bind("127.0.0.1", 0)
    server = _Server(app, settings, listener)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve_within)
        try:
            await server.ready.wait()
            yield server.url
        except Exception as exc:  # noqa: BLE001  # raised below, outside the group that would wrap it
            failure = exc
        finally:
            server.should_exit = True
    if failure is not None:
        raise failure


def bind(host: str, port: int) -> socket.socket:
    """Take the port. Raises ConfigError, saying what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's delay off only where it sees the protocol named.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it means that two servers may have the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, client_socket.SEND_BUFFER_BYTES)
        listener.bind((host, port))
    except (OSError, UnicodeError) as exc:  # UnicodeError of a host that can be no name
        listener.close()
        what = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise ConfigError(f"cannot listen on {host} port {port}: {what}; {_instead(exc)}") from None
    listener.settimeout(0)
    return listener


def _instead(exc: Exception) -> str:
    """Say what to do where a port cannot be taken."""
    no_address = isinstance(exc, UnicodeError | socket.gaierror)
    if no_address or getattr(exc, "errno", None) == errno.EADDRNOTAVAIL:
        return "name an address of this machine with --host or TURNKIT_HOST"
    if isinstance(exc, PermissionError):
        return "choose a port above 1023 with --port or TURNKIT_PORT"
    return "stop what uses it, or choose another with --port or TURNKIT_PORT"


class _Server(uvicorn.Server):
    """uvicorn, whose own shutdown would close every call at once."""

    def __init__(self, app: Starlette, settings: Settings, listener: socket.socket) -> None:
        super().__init__(_uvicorn_config(app))
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.ready = anyio.Event()
        self._listener = listener
        self._calls: Calls = app.state.calls
        self._settings = settings
        self._drain_until = inf
        self._progress_at = 0.0

    async def serve_within(self) -> None:
        """Serve until `should_exit` is set, without signals; cancelling is not the way to end it.

        Cut off in the middle, uvicorn would leave its sockets open.
        """
        with anyio.CancelScope(shield=True):
            await self._serve([self._listener])

    async def _serve(self, sockets: list[socket.socket] | None = None) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watchdog.watch)
            await super()._serve(sockets)
            await plug.close(self._settings)
            tasks.cancel_scope.cancel()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell where."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # what is loaded by now stays; collections need not look at it again
        gc.set_threshold(_GARBAGE, *_THRESHOLDS[1:])
        log.info("server.ready", url=self.url)
        self.ready.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to drain; asked again, end now. Runs amid anything: it only sets flags."""
        if self._calls.draining:
            self.should_exit = self.force_exit = True
            _alarm(EXIT_S)
        self._calls.draining = True

    async def on_tick(self, counter: int) -> bool:
        """Tell uvicorn, ten times a second, whether to shut down."""
        if self._calls.draining and self._drained(anyio.current_time()):
            self.should_exit = True  # never set to False: a signal may come in between
        return await super().on_tick(counter)

    def _drained(self, now: float) -> bool:
        if self._drain_until == inf:
            self._drain_until = now + self._settings.drain_s
        left = len(self._calls)
        if left and now >= self._progress_at:
            self._progress_at = now + PROGRESS_S
            log.info(
                "server.draining",
                calls=left,
                oldest_s=round(self._calls.oldest_s(now)),
                left_s=round(self._drain_until - now),
                advice="signal again to end now",
            )
        return not left or now >= self._drain_until

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the calls that are left and end."""
        log.info("server.stopping", calls=len(self._calls))
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn skips this, and then complains of what it skipped
            with anyio.move_on_after(EXIT_S / 2):
                await self.lifespan.shutdown()
        gc.unfreeze()
        gc.set_threshold(*_THRESHOLDS)
        if self._calls.draining:  # told to end: asyncio waits for tasks that refuse to, for ever
            _alarm(EXIT_S)


def _alarm(seconds: int) -> None:
    """Have the system end this process then, even if the event loop is blocked; 0 to call it off.

    No timer thread: a signal handler may have interrupted whoever holds the lock it needs.
    """
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
        signal.alarm(seconds)


def _uvicorn_config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        backlog=BACKLOG,
        loop="auto",  # uvloop where it is installed
        http=client_socket.HttpConnection,
        ws=client_socket.WebSocketConnection,
        ws_max_size=getattr(app.state, "max_message_bytes", MAX_MESSAGE_BYTES),
        ws_per_message_deflate=False,  # audio does not shrink, and inflating is an attack
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        log_config=None,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=EXIT_S,
    )
