"""One connection's part of a call: it sends the audio in order and passes on what comes back.

It ends when all was said, or with the error that ended it; what to do then, its caller decides.
"""

from collections import deque
from math import inf

import anyio
import anyio.lowlevel
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from turnkit.audio.pcm import recoder
from turnkit.dial import NotTrusted, Refused, Unreachable, dial
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
from turnkit.sources.flux.pace import Pace
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux.ring import Piece

_WATCH_S = 0.25
_WRITE_LIMIT_BYTES = 4096  # audio that cannot leave is to wait in the ring, where it is bounded
_MALFORMED_LIMIT = 10
_MALFORMED_WINDOW_S = 10.0
_NORMAL = frozenset({1000, 1005, 1006})


class Connection:
    """A conversation over a WebSocket that is open. `run` it once."""

    def __init__(
        self, websocket: ClientConnection, route: Route, call: Call, patience: Patience
    ) -> None:
        self.replayed_s = 0.0
        """How much audio is sent that was sent before."""
        self.missing_s = 0.0
        """How much audio was needed and is not kept any more."""
        self._websocket = websocket
        self._route = route
        self._call = call
        self._patience = patience
        self._recode = recoder(call.audio.encoding)
        self._position = self._resume()
        self._pace: Pace | None = None
        self._pauses = call.pauses
        self._finalized_at = -inf
        self._closing = False
        self._pulse = Pulse(anyio.current_time(), patience.silent_s, call.steady)
        self._malformed_at: deque[float] = deque(maxlen=_MALFORMED_LIMIT + 1)
        self._error: SourceError | None = None
        self._scope = anyio.CancelScope()

    async def run(self) -> SourceError | None:
        """Converse until the end; return its cause, or None if all was said."""
        async with anyio.create_task_group() as tasks:
            self._scope = tasks.cancel_scope
            tasks.start_soon(self._send)
            tasks.start_soon(self._watch)
            try:
                await self._follow()
            except SourceError as exc:  # a task group would wrap it
                self._error = self._error or exc
            tasks.cancel_scope.cancel()
        self._call.position, self._call.suspect = None, False
        self._call.story.disconnected()
        return self._error  # a service that does not close has still said all it had to say

    def _resume(self) -> int:
        """Decide from where the audio is sent; return the place."""
        call, ring = self._call, self._call.ring
        sent_s = ring.seconds(call.sent)
        oldest_s = max(ring.seconds(ring.start), sent_s - self._patience.replay_s)
        place = ring.place(call.story.resume_at_s(oldest_s, sent_s))
        piece = ring.read(place)
        base = ring.end if piece is None else piece.start
        self.replayed_s = ring.seconds(max(0, call.sent - base))
        self.missing_s = ring.seconds(max(0, ring.start - place))
        call.position = base
        call.story.connected(ring.seconds(base))
        return base

    # What goes up.

    async def _send(self) -> None:
        try:
            while (piece := await self._next_piece()) is not None:
                audio = piece.audio if self._recode is None else self._recode(piece.audio)
                await self._websocket.send(audio)
                self._position = self._call.position = piece.end
                self._call.sent = max(self._call.sent, piece.end)
            self._closing = True
            self._scope.deadline = anyio.current_time() + self._patience.drain_s
            await self._websocket.send(CLOSE_STREAM)
        except ConnectionClosed:
            return  # who reads learns of it too, and why

    async def _next_piece(self) -> Piece | None:
        """Wait until the next audio is due; None once all is sent at the end."""
        await anyio.lowlevel.checkpoint()  # much may be waiting; let others run in between
        ring = self._call.ring
        while True:
            news = self._call.news
            await self._finalize()
            now = anyio.current_time()
            piece = ring.read(self._position)
            if piece is None and ring.finished:
                return None
            due = inf if piece is None else self._due(piece, now)
            if piece is not None and due <= now:
                return piece
            with anyio.CancelScope(deadline=due):
                await news.wait()

    def _due(self, piece: Piece, now: float) -> float:
        if self._pace is None:
            self._pace = Pace(now, piece.at, self._patience.catch_up)
        return self._pace.due(piece.at)

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
                self._bear(exc)

    def _bear(self, exc: WireError) -> None:
        self._malformed_at.append(anyio.current_time())
        spread_s = self._malformed_at[-1] - self._malformed_at[0]
        if len(self._malformed_at) > _MALFORMED_LIMIT and spread_s < _MALFORMED_WINDOW_S:
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


async def connect(route: Route, call: Call, patience: Patience) -> ClientConnection:
    """Open a WebSocket. Raises GatewayLost, GatewayRefused or SourceRefused."""
    try:
        return await dial(
            route.address(call.audio.sample_rate_hz),
            route.offer,
            open_s=patience.open_s,
            close_s=patience.close_s,
            write_limit_bytes=_WRITE_LIMIT_BYTES,
        )
    except Refused as exc:
        raise route.refused(exc.response) from exc
    except NotTrusted as exc:
        raise route.not_trusted(str(exc)) from exc
    except Unreachable as exc:
        raise route.lost(f"cannot be reached: {exc}") from exc
