"""The connections of HTTP/1.1 to one server, for all calls of a process.

A cancelled request costs its connection: HTTP/1.1 has no other way to say so. So that the next
reply does not wait for a new one, a few more are kept open than there are requests; what is taken
or lost of them is made up for in the background. All are closed that were not used for long.
"""

import asyncio

import structlog

from turnkit import clock
from turnkit.errors import ModelError
from turnkit.llm.http1 import Answer, Connection, Origin, connect

log = structlog.get_logger(__name__)

SPARES = 2
"""So many more connections than there are requests are kept."""
MOST = 1000
"""Connections at a time; a request beyond that fails."""
IDLE_S = 120.0
"""How long an unused connection is kept, and spares after the last request: users pause for long.
"""

_TEND_S = 10.0  # between looks at what is unused
_REST_S = 5.0  # no spare is opened for so long after one failed, or did not last as long


class Pool:
    """Opens connections, and lends each to one request at a time."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._all: set[Connection] = set()
        self._idle: list[Connection] = []  # the one used last is taken first
        self._opening: set[asyncio.Task[None]] = set()
        self._asked_at = 0.0
        self._rest_until = 0.0
        self._tending: asyncio.TimerHandle | None = None
        self._closed = False

    async def ask(self, request: bytes) -> Answer:
        """Send a request; return the answer once it has begun. Raises ModelError.

        If this is cancelled, so is the request, on the server's side too.
        """
        connection = self._idle.pop() if self._idle else await self._connect()
        answer = connection.ask(request)
        self._asked_at = clock.now()
        self._make_up()
        try:
            await answer.begun()
        except BaseException:
            connection.cut(answer)
            raise
        return answer

    async def aclose(self) -> None:
        """Close all connections, and open no more."""
        self._closed = True
        if self._tending is not None:
            self._tending.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for connection in list(self._all):
            connection.close()

    # What the connections do.

    def idle(self, connection: Connection) -> None:
        """Take in that one can be lent again."""
        self._idle.append(connection)

    def gone(self, connection: Connection) -> None:
        """Take in that one is no more."""
        now = clock.now()
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
            if now < connection.opened_at + _REST_S:
                self._rest_until = now + _REST_S  # this server wants none that is unused
        self._make_up()

    async def _connect(self) -> Connection:
        if len(self._all) >= MOST:
            raise ModelError(f"all {MOST} connections to the model's server are in use", "busy")
        connection = await connect(self._origin, self)
        if not connection.is_open:
            raise ModelError("the model's server closes connections at once")
        self._all.add(connection)
        if self._tending is None:
            self._tend()
        return connection

    def _make_up(self) -> None:
        """Open in the background what is missing, as long as there are requests now and then."""
        now = clock.now()
        if self._closed or not self._rest_until <= now < self._asked_at + IDLE_S:
            return
        missing = SPARES - len(self._idle) - len(self._opening)
        for _ in range(min(missing, MOST - len(self._all))):
            task = asyncio.create_task(self._open_spare())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _tend(self) -> None:
        """Close what was not used for long, now and from time to time."""
        now = clock.now()
        for connection in [one for one in self._idle if now >= one.idle_since + IDLE_S]:
            connection.close()
        self._tending = None
        if self._all and not self._closed:
            self._tending = asyncio.get_running_loop().call_later(_TEND_S, self._tend)

    async def _open_spare(self) -> None:
        try:
            connection = await self._connect()
        except ModelError as exc:
            self._rest_until = clock.now() + _REST_S
            log.debug("model.no_spare", reason=str(exc))
        else:
            self._idle.insert(0, connection)  # one that was used is known to work
