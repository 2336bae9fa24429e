"""A turn source behind Flux's WebSocket that stays connected, over one route or several.

Audio since the open turn's start is kept. When a connection is lost, a new one gets it again,
faster than real time, and the turn goes on as if nothing had happened.
"""

import random
from collections import Counter, deque
from collections.abc import Sequence

import anyio
from pydantic import SecretStr

from turnkit.audio.frames import AudioFormat
from turnkit.errors import SourceError, SourceLost
from turnkit.sources.base import Change, Report
from turnkit.sources.feed import Feed
from turnkit.sources.flux.call import Call
from turnkit.sources.flux.connection import Connection
from turnkit.sources.flux.line import open_line
from turnkit.sources.flux.route import Route, routes_of
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.reconnecting import Outage, Reconnecting
from turnkit.sources.link.retries import Chance

_PATIENCE = Patience()


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
        self._routes = routes_of(where, key) if isinstance(where, str) else list(where)
        for route in self._routes:
            route.service.check(route.url, parameters)
        self._patience = patience
        self._feed = Feed(AudioFormat(parameters.sample_rate_hz, parameters.encoding))
        self._call = Call(parameters)
        self._reconnecting = Reconnecting(self._routes, self._connect, patience.retries, chance)

    @property
    def outages(self) -> deque[Outage]:
        """The last hundred times without a connection in mid-call, and what each cost."""
        return self._reconnecting.outages

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
        if not self._reconnecting.connected:
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
        try:
            await self._reconnecting.run(self._hear)
        finally:
            self._call.orders.abandon(SourceLost(f"turn source {self._routes[0].host} is gone"))
            self._call.wake()

    async def _hear(self) -> None:
        call = self._call
        while (chunk := await self._feed.next_chunk()) is not None:
            call.hear(chunk)
            lost = self._reconnecting.lost_at is not None
            if lost and call.listen().speech_s >= self._patience.barge_in_s:
                call.tell(call.turns.begin(call.ring.seconds(call.ring.end)))
        call.ring.finished = True
        call.wake()

    async def _connect(self, route: Route) -> Connection:
        call, patience = self._call, self._patience
        try:
            line = await open_line(route, call.orders.active, patience, call.oddities)
        except SourceError as exc:
            raise call.understood(exc, explained=False) from exc
        return Connection(line, call, patience)
