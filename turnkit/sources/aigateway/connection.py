"""One connection's part of a call: it sends the audio in order and passes on what comes back.

It ends when all was said, or with the error that ended it; what to do then, its caller decides.
"""

from math import inf

import anyio
import anyio.lowlevel
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from turnkit.audio.pcm import recoder
from turnkit.errors import SourceError, WireError
from turnkit.sources.aigateway.call import Call
from turnkit.sources.aigateway.pulse import Pulse
from turnkit.sources.aigateway.results_wire import (
    CLOSE_STREAM,
    FINALIZE,
    Failed,
    Message,
    Results,
    parse,
)
from turnkit.sources.aigateway.route import Route
from turnkit.sources.link.knock import knock
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.ring import Piece
from turnkit.sources.link.supply import Supply
from turnkit.sources.link.tolerance import Tolerance

_WATCH_S = 0.25
_NORMAL = frozenset({1000, 1005, 1006})


class Connection:
    """A conversation over a WebSocket that is open. `run` it once."""

    def __init__(
        self, websocket: ClientConnection, route: Route, call: Call, patience: Patience
    ) -> None:
        self._websocket = websocket
        self._route = route
        self._call = call
        self._patience = patience
        self._recode = recoder(call.audio.encoding)
        self._supply = self._resume()
        self._pauses = call.pauses
        self._finalized_at = -inf
        self._closing = False
        self._pulse = Pulse(anyio.current_time(), patience.silent_s, call.steady)
        self._tolerance = Tolerance()
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
        try:
            error = await self._converse()
            if error is None:
                with anyio.move_on_after(2 * self._patience.close_s, shield=True):
                    await self._websocket.close()
        finally:
            self._websocket.transport.abort()
        return error

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
        self._call.supply, self._call.suspect = None, False
        self._call.story.disconnected()
        return self._error  # a service that does not close has still said all it had to say

    def _resume(self) -> Supply:
        """Decide from where the audio is sent."""
        call, ring = self._call, self._call.ring
        sent_s = ring.seconds(call.sent)
        oldest_s = max(ring.seconds(ring.start), sent_s - self._patience.replay_s)
        resume_at_s = call.story.resume_at_s(oldest_s, sent_s)
        call.supply = Supply(call, resume_at_s, self._patience.catch_up)
        call.story.connected(ring.seconds(call.supply.base))
        return call.supply

    # What goes up.

    async def _send(self) -> None:
        try:
            while (piece := await self._next_piece()) is not None:
                audio = piece.audio if self._recode is None else self._recode(piece.audio)
                await self._websocket.send(audio)
                self._supply.sent(piece)
            self._closing = True
            self._scope.deadline = anyio.current_time() + self._patience.drain_s
            await self._websocket.send(CLOSE_STREAM)
        except ConnectionClosed:
            return  # who reads learns of it too, and why

    async def _next_piece(self) -> Piece | None:
        """Wait until the next audio is due; None once all is sent at the end."""
        await anyio.lowlevel.checkpoint()  # much may be waiting; let others run in between
        while not self._supply.over:
            news = self._call.news
            await self._finalize()
            now = anyio.current_time()
            piece, due = self._supply.next(now)
            if due <= now:
                return piece
            with anyio.CancelScope(deadline=due):
                await news.wait()
        return None

    async def _finalize(self) -> None:
        """Ask for the words up to a pause at once, where that is understood."""
        again, self._pauses = self._pauses, self._call.pauses
        if self._route.finalizes and again != self._pauses and not self._call.story.remote:
            self._finalized_at = anyio.current_time()
            await self._websocket.send(FINALIZE)

    # What comes down.

    async def _follow(self) -> None:
        """Pass on what the service says until it closes as it was asked to."""
        while (message := await self._receive()) is not None:
            if isinstance(message, Failed):
                self._blame_finalize()
                raise self._route.failed(message)
            call = self._call
            self._feel(message)
            call.tell(call.story.take(message, call.sent_s))

    def _feel(self, message: Message) -> None:
        """Take the pulse of a service that says something."""
        call = self._call
        words = isinstance(message, Results) and bool(message.best.transcript)
        self._pulse.hear(anyio.current_time(), idle=not call.story.expects_words, words=words)
        call.steady = self._pulse.steady = self._pulse.steady or call.story.remote
        call.suspect = False

    async def _receive(self) -> Message | None:
        """Wait for a message that makes sense; None when the service closed as it should."""
        while True:
            try:
                # As bytes: invalid UTF-8 is to cost a message, not the connection.
                text = await self._websocket.recv(decode=False)
            except ConnectionClosed as exc:
                if self._closing and (exc.rcvd is None or exc.rcvd.code in _NORMAL):
                    return None
                self._blame_finalize()
                raise self._route.closed(exc) from exc
            try:
                return parse(text)
            except WireError as exc:
                self._call.count("malformed")
                if self._tolerance.exhausted(anyio.current_time()):
                    raise self._route.lost(f"sends messages that make no sense: {exc}") from exc

    def _blame_finalize(self) -> None:
        """Draw the conclusion, should the connection have ended over our Finalize."""
        if anyio.current_time() - self._finalized_at <= self._patience.silent_s:
            self._call.warn_once("finalize", "the connection ended after Finalize: not sent again")
            self._route.cannot_finalize()

    async def _watch(self) -> None:
        """Give up a connection that is dead, or that says nothing although it should."""
        pulse, call, silent_s = self._pulse, self._call, self._patience.silent_s
        asked_at = anyio.current_time()
        while not self._closing:
            await anyio.sleep(_WATCH_S)
            now = anyio.current_time()
            pulse.wait(_WATCH_S, idle=not call.story.expects_words)
            call.suspect = pulse.suspect(now)
            if pulse.dead(now):
                self._lose(f"has said nothing for {now - pulse.listened_at:.1f} s")
            elif now - max(pulse.listened_at, asked_at) >= silent_s:
                asked_at = now
                if not await self._answers():
                    self._lose(f"did not answer a ping for {silent_s} s")

    async def _answers(self) -> bool:
        try:
            pong = await self._websocket.ping()
            with anyio.move_on_after(self._patience.silent_s) as limited:
                await pong
        except ConnectionClosed:
            return True  # who reads learns of it too, and why
        return not limited.cancelled_caught

    def _lose(self, why: str) -> None:
        """Break off: this connection is of no use any more."""
        self._error = self._error or self._route.lost(why)
        self._scope.cancel()


async def connect(route: Route, call: Call, patience: Patience) -> Connection:
    """Open a connection. Raises GatewayLost, GatewayRefused or SourceRefused."""
    address = route.address(call.audio.sample_rate_hz)
    websocket = await knock(route, address, route.offer, patience)
    return Connection(websocket, route, call, patience)
