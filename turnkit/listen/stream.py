"""One client's stream, from Connected to the close.

Audio and control messages are worked on one at a time and in their order; a client that sends
faster than that is left unread once its backlog is full.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import assert_never

import anyio
import structlog
from anyio import to_thread
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from turnkit.backlog import Backlog
from turnkit.client_socket import connection_of
from turnkit.errors import TransportClosed, WireError
from turnkit.listen.service import OpenService, Service
from turnkit.listen.trouble import (
    Babble,
    BreakOff,
    HangUp,
    Pause,
    PlayDead,
    Say,
    Step,
    Trouble,
)
from turnkit.listen.visits import Visit
from turnkit.sources.flux_wire import (
    UNPARSABLE,
    ClientMessage,
    CloseStream,
    Configure,
    ServerMessage,
    encode,
    parse_client,
)
from turnkit.transports.peer import Peer

log = structlog.get_logger(__name__)

IDLE_S = 60.0
"""How long a client may say nothing: Flux's own limit. Pings count."""

DEAD_S = 300.0
"""How long a connection or a handshake plays dead, where that was asked for."""

MAX_FRAME_BYTES = 1 << 20  # 33 s of 16 kHz linear16, against the 2560 bytes Flux recommends

_PIECE_BYTES = 1 << 15  # about a second: then its messages go out, and others get their turn
_INTERNAL = "INTERNAL_SERVER_ERROR"
_UNREADABLE = 1007  # a WireError's own close code, for which Flux sends an Error instead


@dataclass(frozen=True, slots=True)
class _End:
    """Why a stream ended, and what to close with: by default no status code, as Flux does it."""

    reason: str
    code: int | None = None
    silent: bool = False
    """Whether there is to be no close at all."""


class _Over(Exception):
    """A fault ended the stream."""

    def __init__(self, end: _End) -> None:
        super().__init__(end.reason)
        self.end = end


class Stream:
    """Serves one client."""

    def __init__(
        self, websocket: WebSocket, request_id: str, trouble: Trouble, visit: Visit
    ) -> None:
        self._websocket = websocket
        self._request_id = request_id
        self._trouble = trouble
        self._visit = visit
        self._connection = connection_of(websocket)
        self._peer = Peer(websocket)
        self._backlog = Backlog()
        self._end = _End("CloseStream")
        self._reading = anyio.CancelScope()
        self._slow: tuple[float, Configure] | None = None  # when it is to be answered

    async def run(self, open_service: OpenService) -> None:
        """Serve the client until one side closes."""
        log.info("listen.started", request_id=self._request_id)
        parameters = self._trouble.wanted(self._visit.parameters)
        try:
            with closing(
                await to_thread.run_sync(open_service, parameters, self._request_id)
            ) as service:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._read, tasks.cancel_scope)
                    self._end = await self._serve(service)
                    tasks.cancel_scope.cancel()
            log.info("listen.ended", request_id=self._request_id, reason=self._end.reason)
            if not self._end.silent:
                await self._close(self._end)
        finally:
            self._visit.end(self._end.reason)

    async def _read(self, stream: anyio.CancelScope) -> None:
        """Read what comes. If nothing does, or nothing can, the stream is over at once."""
        with self._reading:
            try:
                while True:
                    await self._backlog.put(await self._receive())
            except TimeoutError:
                self._end = _End("NET-0001", 1011)
            except TransportClosed as exc:
                self._end = _End(str(exc))
            stream.cancel()

    async def _receive(self) -> str | bytes:
        """Wait for a message. Raises TimeoutError, TransportClosed."""
        quiet_since = anyio.current_time()
        while True:
            with anyio.CancelScope(deadline=quiet_since + IDLE_S):
                return await self._peer.receive()
            pinged_at = 0.0 if self._connection is None else self._connection.pinged_at
            if pinged_at <= quiet_since:
                raise TimeoutError
            quiet_since = pinged_at

    async def _serve(self, service: Service) -> _End:
        """Answer what was read until there is nothing more to say."""
        try:
            await self._answer(service)
        except _Over as exc:
            return exc.end
        except TransportClosed as exc:
            return _End(str(exc), self._peer.verdict.code if self._peer.verdict else None)
        except WireError as exc:
            if exc.close_code != _UNREADABLE:
                return _End(str(exc), exc.close_code)
            return await self._give_up(service, UNPARSABLE, str(exc))
        except Exception:  # one stream's end, not the server's
            log.exception("listen.failed", request_id=self._request_id)
            return await self._give_up(service, _INTERNAL, "the engine broke down")
        return _End("CloseStream")

    async def _answer(self, service: Service) -> None:
        """Answer until CloseStream. Raises WireError, TransportClosed and _Over."""
        await self._tell([service.connected()])
        while True:
            match await self._next():
                case bytes() as audio:
                    self._visit.heard(audio)
                    await self._hear(service, audio)
                case str() as text:
                    order = parse_client(text)
                    self._visit.ordered(order)
                    await self._obey(service, order)
                    if isinstance(order, CloseStream):
                        return
                case Configure() as order:
                    await self._carry_out(service, order)

    async def _next(self) -> str | bytes | Configure:
        """Wait for what was read, or for a Configure whose time has come."""
        if self._slow is None:
            return await self._backlog.take()
        due_at, order = self._slow
        with anyio.CancelScope(deadline=due_at):
            return await self._backlog.take()
        self._slow = None
        return order

    async def _hear(self, service: Service, audio: bytes) -> None:
        if len(audio) > MAX_FRAME_BYTES:
            raise WireError(f"a frame of audio holds at most {MAX_FRAME_BYTES} bytes", 1009)
        for start in range(0, len(audio), _PIECE_BYTES):
            piece = audio[start : start + _PIECE_BYTES]
            await self._tell(await to_thread.run_sync(service.feed, piece))

    async def _obey(self, service: Service, order: ClientMessage) -> None:
        trouble = self._trouble
        if not isinstance(order, Configure):
            await self._carry_out(service, order)
        elif self._slow is not None:
            await self._do(trouble.refusal("Too many pending Configure messages."))
        elif trouble.refuses_configure():
            await self._do(trouble.refusal("a fault that was asked for"))
        elif trouble.configure_s:
            self._slow = anyio.current_time() + trouble.configure_s, order
        else:
            await self._carry_out(service, order)

    async def _carry_out(self, service: Service, order: ClientMessage) -> None:
        await self._tell(await to_thread.run_sync(service.handle, order))

    async def _give_up(self, service: Service, code: str, description: str) -> _End:
        try:
            await self._tell([service.fail(code, description)])
        except _Over as exc:
            return exc.end
        except TransportClosed as exc:
            return _End(str(exc))
        return _End(code)

    async def _tell(self, messages: list[ServerMessage]) -> None:
        for message in messages:
            await self._do(self._trouble.tell(message))

    async def _do(self, steps: list[Step]) -> None:
        """Say what is to be said, and do what is to go wrong with it. Raises _Over."""
        for step in steps:
            match step:
                case Say(message):
                    self._visit.answered(message)
                    await self._peer.send(encode(message))
                case Babble(frame):
                    await self._peer.send(frame)
                case Pause(for_s):
                    await anyio.sleep(for_s)
                case HangUp(code, reason):
                    raise _Over(_End(reason or "a fault that was asked for", code))
                case BreakOff():
                    if self._connection is not None:
                        self._connection.abort()
                    raise _Over(_End("broken off, as was asked for", silent=True))
                case PlayDead():
                    await self._play_dead()
                case _:
                    assert_never(step)

    async def _play_dead(self) -> None:
        """Stay, and do nothing. Raises _Over when that has been long enough."""
        self._reading.cancel()
        with anyio.move_on_after(DEAD_S):
            if self._connection is not None:
                self._connection.play_dead()
                await self._connection.gone.wait()
        if self._connection is not None:
            self._connection.abort()
        raise _Over(_End("half-open, as was asked for", silent=True))

    async def _close(self, end: _End) -> None:
        """Close, with an empty close frame if there is no code.

        Starlette's own `close` insists on a code; this way uvicorn's protocol on websockets'
        sans-I/O core is asked for None, and sends none.
        """
        if self._websocket.client_state is WebSocketState.DISCONNECTED:
            return
        frame = {"type": "websocket.close", "code": end.code, "reason": end.reason}
        try:
            await self._websocket.send(frame if end.code else {**frame, "reason": ""})
        except (WebSocketDisconnect, RuntimeError):
            log.debug("listen.gone", request_id=self._request_id)  # the client was faster
