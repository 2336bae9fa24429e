"""One connection's part of a call: it sends the audio in order and follows what the server says.

It ends when all was said, or with the error that ended it; what to do then, its caller decides.
"""

import dataclasses
from math import inf
from typing import assert_never

import anyio
import structlog

from turnkit import clock
from turnkit.errors import SourceError
from turnkit.sources.base import ConfigureRefused, ConfigureUnsupported
from turnkit.sources.feed import CHUNK_S
from turnkit.sources.flux.call import Call
from turnkit.sources.flux.contract import Contract
from turnkit.sources.flux.endings import GRACE_S, MANUAL, WATCHDOG, Progress
from turnkit.sources.flux.line import Gone, Line
from turnkit.sources.flux.route import Lost
from turnkit.sources.flux_wire import (
    NO_ACTIVE_TURN,
    CloseStream,
    ConfigureFailure,
    ConfigureSuccess,
    Connected,
    FluxError,
    FluxWarning,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
    Unknown,
)
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.supply import Supply
from turnkit.turn.events import EndOfTurn, UserEvent

log = structlog.get_logger(__name__)


class Connection:
    """A conversation over a line that is ready for audio. `run` it once."""

    def __init__(self, line: Line, call: Call, patience: Patience) -> None:
        self.explained = False
        """Whether it is known what the server did not understand, and it will not be sent again."""
        self._line = line
        self._call = call
        self._patience = patience
        self._contract = Contract()
        self._supply = self._resume()
        self._level_at: float | None = None
        self._forced = False  # whether a ForceEndTurn has no answer yet
        self._listened_at = clock.now()  # when the server last said something
        self._listened = call.ring.end  # and how much audio there was then
        self._error: SourceError | None = None
        self._scope = anyio.CancelScope()

    @property
    def replayed_s(self) -> float:
        """How much audio is sent that was sent before."""
        return self._supply.replayed_s

    @property
    def missing_s(self) -> float:
        """How much audio was needed and is not kept any more."""
        return self._supply.missing_s

    async def run(self) -> SourceError | None:
        """Converse until the end, and close; return its cause, or None if all was said."""
        error: SourceError | None = None
        try:
            error = await self._converse()
        finally:
            if error is None:
                await self._line.close(2 * self._patience.close_s)
            else:
                self._line.abort()
        return error and self._call.understood(error, explained=self.explained)

    async def _converse(self) -> SourceError | None:
        async with anyio.create_task_group() as tasks:
            self._scope = tasks.cancel_scope
            tasks.start_soon(self._send)
            tasks.start_soon(self._watch)
            try:
                await self._follow()
            except SourceError as exc:  # a task group would wrap it
                self._error = self._error or exc
            tasks.cancel_scope.cancel()
        if self._error is not None:
            self._learn(self._error)
        return self._error  # a server that does not close has still said all it had to say

    def _resume(self) -> Supply:
        """Decide from where the audio is sent."""
        call, ring = self._call, self._call.ring
        oldest_s = max(ring.seconds(ring.start), call.turns.heard_s - self._patience.replay_s)
        supply = Supply(call, call.turns.resume_at_s(oldest_s), self._patience.catch_up)
        call.turns.connected(ring.seconds(supply.base))
        route = self._line.route
        call.orders.connected(None if route.configures else route.host)
        call.endings.disconnected()
        return supply

    # What goes up.

    async def _send(self) -> None:
        """Send all there is to the end, beginning with what has waited."""
        self._call.forward = self._forward
        try:
            while (due_at := self._advance()) is not None:
                if due_at > clock.now():
                    await self._call.news.wait(due_at)
                else:  # much is waiting; let others run in between
                    await self._line.drain()
                    await anyio.lowlevel.checkpoint()
            self._line.closing = True
            self._scope.deadline = clock.now() + self._patience.drain_s
            await self._line.send(CloseStream())
        except Gone:
            return  # who reads learns of it too, and why
        finally:
            self._call.forward = None

    def _forward(self) -> None:
        """Send what was just heard, without waking `_send` unless there is more to do."""
        try:
            if self._advance() == inf:
                return
        except Gone:
            pass
        self._call.wake()

    def _advance(self) -> float | None:
        """See to orders, and send a piece if one is due; return when there is more to do.

        None means that all is sent, for good. Raises Gone.
        """
        self._attend()
        now = clock.now()
        piece, due = self._supply.next(now)
        if piece is not None and clock.tick(due) <= now and self._line.keeps_up:
            self._line.post(piece.audio)
            self._supply.sent(piece)
            _, due = self._supply.next(now)
        return None if self._supply.over else clock.tick(due)

    def _attend(self) -> None:
        """See to the orders, and to a turn that has to be ended for the server."""
        if (message := self._call.orders.next()) is not None:
            self._line.post(message)
        action = self._call.endings.next(
            self._progress(),
            clock.now(),
            timeout_s=self._call.orders.active.eot_timeout_ms / 1000,
            forces=self._line.route.forces,
        )
        match action:
            case None:
                return
            case "force":
                self._forced = True
                self._line.post(ForceEndTurn())
            case "replay":
                self._lose("does not end the turn")
            case "manual" | "watchdog":
                self._end(action)
            case _:
                assert_never(action)

    def _progress(self) -> Progress | None:
        turns, ring = self._call.turns, self._call.ring
        if not turns.is_open:
            return None
        sent_s = ring.seconds(self._supply.position)
        still = sent_s - turns.progress_s >= GRACE_S  # or it does not matter what ears have heard
        return Progress(
            turn=turns.turn,
            heard_s=turns.heard_s,
            moved_s=turns.progress_s,
            spoken_s=self._call.listen().spoken_s if still else 0.0,
            sent_s=sent_s,
            unconfirmed_s=turns.unconfirmed_s,
        )

    def _end(self, trigger: str) -> None:
        log.warning("flux.ended_here", turn=self._call.turns.turn, trigger=trigger)
        self._call.tell(self._call.turns.end(trigger))

    # What comes down.

    async def _follow(self) -> None:
        """Take in what the server says until it closes as it was asked to."""
        while (message := await self._line.receive()) is not None:
            self._listened_at, self._listened = clock.now(), self._call.ring.end
            if self._is_new(message):
                self._take(message)

    async def _watch(self) -> None:
        """Give up a connection that says nothing although there is audio.

        No audio either means that it was us who stood still: then there is much to read first.
        """
        ring, silent_s = self._call.ring, self._patience.silent_s
        while not self._line.closing:
            if clock.now() < self._listened_at + silent_s:
                await anyio.sleep_until(self._listened_at + silent_s)
            elif ring.seconds(ring.end - self._listened) < silent_s - 2 * CHUNK_S:
                await anyio.sleep(CHUNK_S)
            else:
                self._lose(f"sent nothing for {silent_s} s")
                return

    def _is_new(self, message: ServerMessage | Unknown) -> bool:
        if isinstance(message, Unknown):
            return True
        breach = self._contract.number(message.sequence_id)
        if breach is not None:
            self._call.breach(breach)
        return breach != "sequence repeats"

    def _take(self, message: ServerMessage | Unknown) -> None:
        match message:
            case TurnInfo():
                self._take_turn(message)
            case ConfigureSuccess():
                self._call.orders.succeeded()
                self._call.wake()
            case ConfigureFailure():
                self._take_failure(message)
            case FluxWarning(code=code):
                log.warning("flux.warned", code=code)
                if code == NO_ACTIVE_TURN and self._forced and self._call.turns.is_open:
                    self._end(self._forced_trigger())  # it never knew of the turn, or lost it
                self._forced = False
            case Connected() | FluxError() | Unknown():
                return  # nothing to do with turns
            case _:
                assert_never(message)

    def _take_turn(self, info: TurnInfo) -> None:
        call = self._call
        sent_s = call.ring.seconds(self._supply.position)
        for kind in self._contract.check(info, sent_s - call.ring.seconds(self._supply.base)):
            call.breach(kind)
        if info.trigger is not None:
            self._line.route.said_trigger()
        call.tell([self._as_forced(event) for event in call.turns.take(info, sent_s)])
        self._forced = self._forced and info.trigger != MANUAL
        self._watch_lag()

    def _as_forced(self, event: UserEvent) -> UserEvent:
        """Say whose end it was: the server calls all forced ends manual."""
        if isinstance(event, EndOfTurn) and event.trigger == MANUAL and self._forced:
            return dataclasses.replace(event, trigger=self._forced_trigger())
        return event

    def _forced_trigger(self) -> str:
        forced = self._call.endings.forced
        return WATCHDOG if forced is not None and forced[1] == WATCHDOG else MANUAL

    def _take_failure(self, message: ConfigureFailure) -> None:
        code = message.code or message.error_code or "unknown"
        quoted = self._line.route.quote(message.description or "no reason given")
        if self._call.orders.unanswered:
            log.warning("flux.configure_refused", code=code)
            self._call.orders.failed(ConfigureRefused(code, quoted))
            self._call.wake()

    def _watch_lag(self) -> None:
        """Give up a connection that falls behind for good; messages that come in bursts do not.

        One that never was level is kept: it catches up, or the network can do no better.
        """
        ring, turns = self._call.ring, self._call.turns
        now = clock.now()
        lag_s = ring.seconds(ring.end) - turns.told_s
        if lag_s <= self._patience.behind_s:
            self._level_at = now
        elif self._level_at is not None and now - self._level_at >= self._patience.silent_s:
            self._lose(f"is {lag_s:.1f} s behind")

    def _lose(self, why: str) -> None:
        """Break off: this connection is of no use any more."""
        self._error = self._error or self._line.route.lost(why)
        self._scope.cancel()

    def _learn(self, error: SourceError) -> None:
        """Draw conclusions from the end, before the next connection repeats it.

        A server says that it does not understand an order, or only hangs up on it. That may have
        been an accident: without ForceEndTurn turns can still be ended here, so once is enough;
        without Configure nothing can be changed, so it takes two.
        """
        if not isinstance(error, Lost):
            return
        orders, route = self._call.orders, self._line.route
        self.explained = error.unparsable and (self._forced or orders.unanswered)
        if self._forced and (error.unparsable or error.hung_up):
            route.cannot_force()
        if orders.unanswered and (error.unparsable or (error.hung_up and orders.broke_off())):
            route.cannot_configure()
            orders.failed(ConfigureUnsupported(route.host))
            self._call.wake()
