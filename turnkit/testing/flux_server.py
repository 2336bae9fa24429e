"""A Flux server for tests: the real wire on a real socket, every word known, and faults to order.

It understands the audio of `turnkit.testing.spelling`, or plays a script of such audio against
the clock of whatever it hears. Turn-taking is that of the embedded engine. Faults are given by the
connection and the message at which they happen; nothing is left to chance.

Example:
    ::

        async with flux_server(Drop(connection=0, message=7)) as server:
            source = FluxSource(server.url, parameters)
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlsplit

import anyio
import msgspec
from anyio.abc import TaskGroup
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from turnkit.audio.frames import AudioFormat
from turnkit.engine.engine import Engine
from turnkit.errors import WireError
from turnkit.sources.flux.route import OURS
from turnkit.sources.flux_query import ListenParameters, ParameterRefused, parse_query
from turnkit.sources.flux_wire import (
    UNPARSABLE,
    ClientMessage,
    CloseStream,
    Configure,
    ConfigureFailure,
    ConfigureSuccess,
    ForceEndTurn,
    ServerMessage,
    TurnInfo,
    encode,
    parse_client,
)
from turnkit.testing.ears import RATE_HZ, LoudnessVad
from turnkit.testing.flux_faults import (
    MODERN,
    Close,
    Deployment,
    Drop,
    DropAt,
    Fail,
    Fault,
    Forgetful,
    Hang,
    Late,
    Refuse,
    Skip,
    Stall,
    Twice,
    Unending,
)
from turnkit.testing.spelling import Reader


@dataclass(slots=True)
class Visit:
    """What one connection asked for, sent, and was told."""

    parameters: ListenParameters
    opened_at: float
    audio: list[tuple[float, int]] = field(default_factory=list)
    """When each piece came, and how many bytes it had."""
    orders: list[ClientMessage] = field(default_factory=list)
    told: list[ServerMessage] = field(default_factory=list)


class FluxServer:
    """What is known of a running server. Make one with `flux_server`."""

    def __init__(self, faults: Sequence[Fault], script: bytes | None, runs: Deployment) -> None:
        self.url = ""
        self.visits: list[Visit] = []
        """The connections that were accepted, in order."""
        self.knocked_at: list[float] = []
        """When somebody began a handshake, those refused included."""
        self._faults = faults
        self._script = script
        self._deployment = runs
        self._numbers: dict[ServerConnection, int] = {}

    async def welcome(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake: None accepts it."""
        number = self._numbers[connection] = len(self.knocked_at)
        self.knocked_at.append(anyio.current_time())
        for fault in self._faults:
            match fault:
                case Refuse(connection=n, status=status, retry_after=after) if n == number:
                    response = connection.respond(status, '{"code":"FAULT","description":"asked"}')
                    if after is not None:
                        response.headers["Retry-After"] = after
                    return response
                case Hang(connection=n) if n == number:
                    await anyio.sleep_forever()
                case _:
                    continue
        try:
            parse_query(parse_qsl(urlsplit(request.path).query))
        except ParameterRefused as exc:
            return connection.respond(400, f'{{"code":"{exc.code}"}}')
        return None

    def introduce(
        self, _connection: ServerConnection, _request: Request, response: Response
    ) -> None:
        """Put into an accepted handshake what tells turnkit's servers from others."""
        if self._deployment.introduces:
            response.headers[OURS] = "test"

    async def serve(self, websocket: ServerConnection) -> None:
        """Serve one connection."""
        number = self._numbers.pop(websocket)
        assert websocket.request is not None
        parameters = parse_query(parse_qsl(urlsplit(websocket.request.path).query))
        visit = Visit(parameters, anyio.current_time())
        self.visits.append(visit)
        mine = [fault for fault in self._faults if fault.connection == number]
        service = _Service(websocket, visit, mine, self._script, self._deployment)
        async with anyio.create_task_group() as tasks:
            await service.run(tasks)
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def flux_server(
    *faults: Fault, script: bytes | None = None, runs: Deployment = MODERN
) -> AsyncIterator[FluxServer]:
    """Serve on a free port of this machine.

    Args:
        faults: what goes wrong, and when. Connections and messages count from 0; message 0 is
            Connected.
        script: audio of `turnkit.testing.spelling` that is understood in place of what comes, as
            much of it as comes. It begins anew with each connection.
        runs: what the server can do.
    """
    server = FluxServer(faults, script, runs)
    async with serve(
        server.serve,
        "127.0.0.1",
        0,
        compression=None,
        ping_interval=None,
        close_timeout=0.1,
        process_request=server.welcome,
        process_response=server.introduce,
    ) as running:
        server.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/v2/listen"
        yield server


class _Service:
    """One connection, from Connected to its end."""

    def __init__(
        self,
        websocket: ServerConnection,
        visit: Visit,
        faults: Sequence[Fault],
        script: bytes | None,
        runs: Deployment,
    ) -> None:
        self._websocket = websocket
        self._visit = visit
        self._faults = faults
        self._script = script
        self._deployment = runs
        self._audio = AudioFormat(visit.parameters.sample_rate_hz, visit.parameters.encoding)
        self._heard_bytes = 0
        self._told = 0
        self._stalled = False
        self._waiting: list[ServerMessage] = []
        self._in_turn = False
        wanted = replace(visit.parameters, encoding="linear16", sample_rate_hz=RATE_HZ)
        if any(isinstance(fault, Unending) for fault in faults):
            wanted = replace(
                wanted, eager_eot_threshold=None, eot_threshold=1.0, eot_timeout_ms=60000
            )
        self._engine = Engine(wanted, "test", vad=LoudnessVad(), recognizer=Reader())

    async def run(self, tasks: TaskGroup) -> None:
        try:
            await self._tell([self._engine.connected()])
            async for message in self._websocket:
                if isinstance(message, bytes):
                    await self._hear(message)
                elif not await self._obey(message, tasks):
                    return
        except (ConnectionClosed, _Over):
            return

    async def _hear(self, audio: bytes) -> None:
        self._visit.audio.append((anyio.current_time(), len(audio)))
        if self._deployment.bytes_per_s is not None:
            await anyio.sleep(len(audio) / self._deployment.bytes_per_s)
        for fault in self._faults:
            if isinstance(fault, DropAt) and fault.audio == len(self._visit.audio) - 1:
                self._break_off()
        if self._script is not None:
            audio = self._from_script(self._script, len(audio))
        await self._tell(self._engine.feed(audio))

    def _from_script(self, script: bytes, size_bytes: int) -> bytes:
        start = round(self._audio.seconds_in(self._heard_bytes) * RATE_HZ) * 2
        self._heard_bytes += size_bytes
        end = round(self._audio.seconds_in(self._heard_bytes) * RATE_HZ) * 2
        return script[start:end].ljust(end - start, b"\0")

    async def _obey(self, text: str, tasks: TaskGroup) -> bool:
        """Carry out an order; return False if it was the last."""
        can = self._deployment
        try:
            order = parse_client(text)
            unknown = (isinstance(order, ForceEndTurn) and not can.forces) or (
                isinstance(order, Configure) and not can.configures
            )
            if unknown:
                raise WireError(f"unknown variant `{type(order).__name__}`")  # noqa: TRY301
        except WireError as exc:
            await self._tell([self._engine.fail(UNPARSABLE, str(exc))])
            await self._close()
            return False
        self._visit.orders.append(order)
        if isinstance(order, Configure) and can.configure_s:
            tasks.start_soon(self._configure_later, order)
            return True
        await self._tell([self._refused(one) for one in self._engine.handle(order)])
        if isinstance(order, CloseStream):
            await self._close()
            return False
        return True

    async def _configure_later(self, order: Configure) -> None:
        await anyio.sleep(self._deployment.configure_s)
        await self._tell(self._engine.handle(order))

    def _refused(self, answer: ServerMessage) -> ServerMessage:
        if not (self._deployment.refuses_changes and isinstance(answer, ConfigureSuccess)):
            return answer
        return ConfigureFailure(
            answer.request_id, answer.sequence_id, "INVALID_PARAMETER", "asked for"
        )

    async def _tell(self, messages: list[ServerMessage]) -> None:
        for message in messages:
            number, self._told = self._told, self._told + 1
            sent = await self._with_faults(self._as_deployed(message), number)
            for one in sent:
                self._visit.told.append(one)
                await self._websocket.send(encode(one))

    async def _with_faults(self, message: ServerMessage, number: int) -> list[ServerMessage]:
        """Return what to send in place of a message; do what else is to go wrong with it."""
        sent = [message]
        for fault in self._faults:
            if getattr(fault, "message", None) != number:
                continue
            match fault:
                case Drop():
                    self._break_off()
                case Close(code=code, reason=reason):
                    await self._websocket.close(code, reason)
                    raise _Over
                case Fail(code=code):
                    await self._websocket.send(encode(self._engine.fail(code, "asked for")))
                    await self._close()
                    raise _Over
                case Stall():
                    self._stalled = True
                case Skip():
                    sent = []
                case Twice():
                    sent = [message, message]
                case Late():
                    self._waiting.append(message)
                    return []
                case _:
                    continue
        waiting, self._waiting = self._waiting, []
        return [] if self._stalled else [*sent, *waiting]

    def _as_deployed(self, message: ServerMessage) -> ServerMessage:
        """Take away what this server does not say."""
        if not isinstance(message, TurnInfo):
            return message
        if not self._deployment.triggers:
            message = msgspec.structs.replace(message, trigger=None)
        if not self._deployment.word_times:
            words = tuple(msgspec.structs.replace(w, start=None, end=None) for w in message.words)
            message = msgspec.structs.replace(message, words=words)
        forgets = any(isinstance(fault, Forgetful) for fault in self._faults)
        if forgets and self._in_turn and message.trigger != "manual":
            empty: tuple[()] = ()
            return msgspec.structs.replace(
                message, event="Update", transcript="", words=empty, trigger=None, turn_index=0
            )
        self._in_turn = message.event == "StartOfTurn" or (
            self._in_turn and message.event != "EndOfTurn"
        )
        return message

    def _break_off(self) -> None:
        self._websocket.transport.abort()
        raise _Over

    async def _close(self) -> None:
        """Close without a status code, as Flux does."""
        async with self._websocket.send_context():
            self._websocket.protocol.send_close()


class _Over(Exception):
    """The connection was ended by a fault."""
