"""Keeps a call connected over one route or several, one connection after the other.

When to try which route again is decided in `retries`, and how many calls may come back to a server
at once in `crowd`. What is said on a connection is its own affair.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, Protocol, TypeVar

import anyio
import anyio.lowlevel
import structlog

from turnkit import clock
from turnkit.errors import SourceError, SourceLost, SourceRefused
from turnkit.sources.link.crowd import Crowd
from turnkit.sources.link.retries import Chance, Retries, RetryPolicy

log = structlog.get_logger(__name__)

_OUTAGES = 100  # kept to look at; a call that has more has other worries

_crowds: anyio.lowlevel.RunVar[dict[str, Crowd]] = anyio.lowlevel.RunVar(f"{__name__}.crowds")
"""By host, as settings name them: they are few."""


class ConnectionLost(SourceLost):
    """A connection was lost or not to be had, and another may be.

    `retry_after_s` is how long the server wants to be left alone.
    """

    def __init__(self, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Route(Protocol):
    """A way to a server."""

    @property
    def host(self) -> str:
        """Whom we speak to, for messages."""

    def lost(self, what: str) -> ConnectionLost:
        """Say that it is not there, or no more."""


class Connection(Protocol):
    """A connection over which a call can go on."""

    @property
    def replayed_s(self) -> float:
        """How much audio is sent that was sent before."""

    @property
    def missing_s(self) -> float:
        """How much audio was needed and is not kept any more."""

    async def run(self) -> SourceError | None:
        """Converse until the end, and close; return its cause, or None if all was said."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A time without a connection in mid-call, and what it cost."""

    began_at: float
    gap_s: float
    """Until the next connection was ready."""
    tries: int
    replayed_s: float
    """How much audio was sent a second time."""
    missing_s: float
    """How much audio could not be, since it was too long ago: its words may be lost."""
    host: str
    """Who took over."""


R = TypeVar("R", bound=Route)


class Reconnecting(Generic[R]):
    """Stays connected for one call.

    Args:
        routes: where to connect to; when one is lost, the next is asked.
        connect: opens a connection over a route. Raises ConnectionLost and SourceRefused.
        policy: how stubborn to be.
        chance: spreads the tries of many calls over time.
    """

    def __init__(
        self,
        routes: Sequence[R],
        connect: Callable[[R], Awaitable[Connection]],
        policy: RetryPolicy,
        chance: Chance,
    ) -> None:
        self.outages: deque[Outage] = deque(maxlen=_OUTAGES)
        self.connected = False
        self.lost_at: float | None = None
        """Since when a call that was connected is not."""
        self.routes = routes
        self._connect = connect
        self._policy = policy
        self._chance = chance
        self._tried = False

    async def run(self, hear: Callable[[], Coroutine[object, object, None]]) -> None:
        """Converse until all was said, while `hear` takes in the user's audio.

        What ends it otherwise is SourceRefused, at once, or SourceLost, when trying again has not
        helped for as long as the policy allows.
        """
        error: SourceError | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(hear)
                error = await self._stay_connected()
                tasks.cancel_scope.cancel()
        except* SourceError as group:  # whoever is told of events could not take them
            error = _first(group)
        if error is not None:
            raise error

    async def _stay_connected(self) -> SourceError | None:
        """Converse over one connection after the other; return what ended that, if anything."""
        retries = Retries(self._policy, len(self.routes), clock.now())
        while True:
            route = self.routes[retries.route]
            error = await self._try(route, retries)
            if error is None:
                return None
            now = clock.now()
            wait_s = self._wait_s(error, retries, now)
            log.warning("source.lost", host=route.host, error=str(error), wait_s=wait_s)
            if wait_s is None:
                return error
            if self.connected:
                self.connected, self.lost_at = False, now
            await anyio.sleep(wait_s)

    def _wait_s(self, error: SourceError, retries: Retries, now: float) -> float | None:
        """Decide how long to wait before the next try; None if there is to be none."""
        match error:
            case ConnectionLost(retry_after_s=retry_after_s):
                return retries.lost(now, self._chance, retry_after_s)
            case SourceRefused():
                return retries.refused(now, self._chance)
            case _:
                return None

    async def _try(self, route: R, retries: Retries) -> SourceError | None:
        """Connect over this route and converse; return what went wrong, or None."""
        try:
            with anyio.CancelScope(deadline=retries.deadline) as limited:
                await self._stand_in_line(route)
                connection = await self._connect(route)
        except SourceError as exc:
            return exc
        if limited.cancelled_caught:
            return route.lost("cannot be reached in time")
        self._enter(route, retries, connection)
        return await connection.run()

    async def _stand_in_line(self, route: R) -> None:
        """Wait until it is this call's turn to come back; a call that begins need not."""
        if self._tried:
            crowds = _crowds.get({})
            _crowds.set(crowds)
            crowd = crowds.setdefault(route.host, Crowd())
            await anyio.sleep_until(crowd.admit(clock.now()))
        self._tried = True

    def _enter(self, route: R, retries: Retries, connection: Connection) -> None:
        """Take note of a new connection, and of the outage it ended."""
        if self.lost_at is not None:
            outage = Outage(
                began_at=self.lost_at,
                gap_s=clock.now() - self.lost_at,
                tries=retries.failures,
                replayed_s=connection.replayed_s,
                missing_s=connection.missing_s,
                host=route.host,
            )
            self.outages.append(outage)
            log.info("source.reconnected", **asdict(outage))
        self.connected, self.lost_at = True, None
        retries.connected()


def _first(group: BaseExceptionGroup[SourceError]) -> SourceError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
