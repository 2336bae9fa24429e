"""A turn source behind Flux's WebSocket that stays connected, over one route or several.

Audio since the open turn's start is kept. When a connection is lost, a new one gets it again,
faster than real time, and the turn goes on as if nothing had happened.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import anyio
import anyio.lowlevel
import structlog
from pydantic import SecretStr

from turnkit import clock
from turnkit.audio.frames import AudioFormat
from turnkit.errors import SourceError, SourceLost, SourceRefused
from turnkit.sources.base import Change, Report
from turnkit.sources.feed import Feed
from turnkit.sources.flux.call import Call
from turnkit.sources.flux.connection import Connection
from turnkit.sources.flux.crowd import Crowd
from turnkit.sources.flux.line import open_line
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux.retries import Chance, Retries
from turnkit.sources.flux.route import Lost, Route, routes_of
from turnkit.sources.flux_query import ListenParameters

log = structlog.get_logger(__name__)

_crowd: anyio.lowlevel.RunVar[Crowd] = anyio.lowlevel.RunVar(f"{__name__}.crowd")

_OUTAGES = 100  # kept to look at; a call that has more has other worries
_PATIENCE = Patience()


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


class FluxSource:
    """A turn source behind a WebSocket. Nothing is sent before it is run."""

    def __init__(
        self,
        where: str | Sequence[Route],
        parameters: ListenParameters,
        *,
        key: SecretStr | None = None,
        patience: Patience = _PATIENCE,
        chance: Chance = random.random,
    ) -> None:
        """Check the address, the key, and whether all of it goes together. Raises ConfigError.

        Args:
            where: a server's URL; without a path, `/v2/listen` is meant. After a comma, another one
                to turn to when the first is lost, and so on. Or routes, from `read_places`.
            parameters: what to ask for in the handshake.
            key: for URLs. It is sent only over TLS or to this machine, for others could read it.
            patience: how long to wait for what.
            chance: spreads the tries of many calls over time.
        """
        self.outages: deque[Outage] = deque(maxlen=_OUTAGES)
        self._routes = routes_of(where, key) if isinstance(where, str) else list(where)
        for route in self._routes:
            route.service.check(route.url, parameters)
        self._patience = patience
        self._chance = chance
        self._feed = Feed(AudioFormat(parameters.sample_rate_hz, parameters.encoding))
        self._call = Call(parameters)
        self._connected = False
        self._lost_at: float | None = None
        self._tried = False
        self._unparsable = False  # whether a server did not understand us, for no reason known

    @property
    def dropped_bytes(self) -> int:
        """How much audio was dropped because no server took it."""
        return self._feed.dropped_bytes + self._call.unsent_bytes

    @property
    def malformed(self) -> int:
        """How many messages made no sense."""
        return self._call.oddities.malformed

    @property
    def unknown(self) -> Counter[str]:
        """Which words of the server's were unknown, and how often they came."""
        return self._call.oddities.unknown

    @property
    def breaches(self) -> Counter[str]:
        """Which promises the server broke, and how often."""
        return self._call.breaches

    @property
    def unsupported(self) -> dict[str, frozenset[str]]:
        """Which servers were found not to understand what, by host."""
        return {route.host: frozenset(route.unsupported) for route in self._routes}

    @property
    def active(self) -> ListenParameters:
        """What is in force, as far as is known."""
        return self._call.orders.active

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio; 30 s wait at most, then the oldest goes."""
        if not self._connected:
            self._feed.hear(audio)
        elif (chunk := self._feed.hear_at_once(audio)) is not None:
            self._call.hear(chunk)

    def finish(self) -> None:
        """Say that no more audio will come."""
        self._feed.finish()

    def end_turn(self) -> None:
        """End the open turn on what was heard up to now.

        A server known to understand ForceEndTurn does it. Otherwise, or if it does not within a
        second, the turn is ended here; words the server finds later begin the next one.
        """
        call = self._call
        if call.turns.is_open:
            call.endings.ask(call.turns.turn, call.ring.seconds(call.ring.end))
            call.wake()

    async def configure(self, change: Change) -> None:
        """Change how the server listens; return when it has said yes.

        Changes asked for at once go in one message, and only one is unanswered at a time. What is
        in force stays so on further connections. Raises ConfigureRefused (ConfigureUnsupported, if
        this server knows no changes), or SourceLost after 10 s without an answer.
        """
        orders = self._call.orders
        number = orders.ask(change)
        self._call.wake()
        with anyio.move_on_after(self._patience.configure_s):
            while orders.settled < number:
                await self._call.news.wait()
        if orders.settled < number:
            limit_s = self._patience.configure_s
            raise SourceLost(
                f"turn source {self._routes[0].host} did not answer Configure in {limit_s} s"
            )
        if (failure := orders.outcome(number)) is not None:
            raise failure

    async def run(self, report: Report) -> None:
        """Connect, send what is heard, report events; return after `finish` and the last event.

        What ends it otherwise is SourceRefused, at once, or SourceLost, when trying again has not
        helped for as long as the settings allow.
        """
        self._call.report_to(report)
        error: SourceError | None = None
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._hear)
                error = await self._stay_connected()
                tasks.cancel_scope.cancel()
        except* SourceError as group:  # whoever is told of events could not take them
            error = _first(group)
        finally:
            self._call.orders.abandon(SourceLost(f"turn source {self._routes[0].host} is gone"))
            self._call.wake()
        if error is not None:
            raise error

    async def _hear(self) -> None:
        call = self._call
        while (chunk := await self._feed.next_chunk()) is not None:
            call.hear(chunk)
            lost = self._lost_at is not None and not self._connected
            if lost and call.listen().speech_s >= self._patience.barge_in_s:
                call.tell(call.turns.begin(call.ring.seconds(call.ring.end)))
        call.ring.finished = True
        call.wake()

    async def _stay_connected(self) -> SourceError | None:
        """Converse over one connection after the other; return what ended that, if anything."""
        began_at = clock.now()
        retries = Retries(self._patience.retries, len(self._routes), began_at)
        while True:
            route = self._routes[retries.route]
            error = await self._try(route, retries)
            if error is None:
                return None
            now = clock.now()
            wait_s = self._wait_s(error, retries, now)
            log.warning("flux.lost", host=route.host, error=str(error), wait_s=wait_s)
            if wait_s is None:
                return error
            if self._connected:
                self._connected, self._lost_at = False, now
            await anyio.sleep(wait_s)

    def _wait_s(self, error: SourceError, retries: Retries, now: float) -> float | None:
        """Decide how long to wait before the next try; None if there is to be none."""
        match error:
            case Lost(retry_after_s=retry_after_s):
                return retries.lost(now, self._chance, retry_after_s)
            case SourceRefused():
                return retries.refused(now, self._chance)
            case _:
                return None

    async def _try(self, route: Route, retries: Retries) -> SourceError | None:
        """Connect over this route and converse; return what went wrong, or None."""
        call, patience = self._call, self._patience
        try:
            with anyio.CancelScope(deadline=retries.deadline) as limited:
                await self._stand_in_line()
                line = await open_line(route, call.orders.active, patience, call.oddities)
        except SourceError as exc:
            return self._understood(exc, explained=False)
        if limited.cancelled_caught:
            return route.lost("cannot be reached in time")
        connection = Connection(line, call, patience)
        self._enter(route, retries, connection)
        error: SourceError | None = None
        try:
            error = await connection.run()
        finally:
            if error is None:
                await line.close(2 * patience.close_s)
            else:
                line.abort()
        return self._understood(error, explained=connection.explained)

    async def _stand_in_line(self) -> None:
        """Wait until it is this call's turn to come back; a call that begins need not."""
        if self._tried:
            crowd = _crowd.get(None) or Crowd()
            _crowd.set(crowd)
            await anyio.sleep_until(crowd.admit(clock.now()))
        self._tried = True

    def _enter(self, route: Route, retries: Retries, connection: Connection) -> None:
        """Take note of a new connection, and of the outage it ended."""
        self._connected = True
        if self._lost_at is not None:
            outage = Outage(
                began_at=self._lost_at,
                gap_s=clock.now() - self._lost_at,
                tries=retries.failures,
                replayed_s=connection.replayed_s,
                missing_s=connection.missing_s,
                host=route.host,
            )
            self.outages.append(outage)
            log.info("flux.reconnected", **asdict(outage))
        retries.connected()

    def _understood(self, error: SourceError | None, *, explained: bool) -> SourceError | None:
        """Make an end of it where a server twice did not understand us, and nobody knows why."""
        if not (isinstance(error, Lost) and error.unparsable) or explained:
            return error
        again, self._unparsable = self._unparsable, True
        return SourceRefused(str(error)) if again else error


def _first(group: BaseExceptionGroup[SourceError]) -> SourceError:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
