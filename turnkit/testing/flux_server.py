"""A Flux server for tests: the real wire on a real socket, every word known, and faults to order.

It understands the audio of `turnkit.testing.spelling`, or plays a script of such audio against
the clock of whatever it hears. Turn-taking is that of the embedded engine. Faults are those of
`turnkit listen`, mostly given by the connection and the message at which they happen; what one of
them leaves to chance is the same each time.

Example:
    ::

        async with flux_server(Drop(connection=0, message=7)) as server:
            source = FluxSource(server.url, parameters)
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import assert_never
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
from turnkit.testing.flux_faults import MODERN, Deployment, DropAt, Fault, Hang, Refuse
from turnkit.testing.spelling import Reader

_WORKERS_AI = {
    *("encoding", "sample_rate", "eager_eot_threshold", "eot_threshold", "eot_timeout_ms"),
    *("keyterm", "mip_opt_out", "tag"),
}


@dataclass(slots=True)
class Visit:
    """What one connection asked for, sent, and was told."""

    parameters: ListenParameters
    opened_at: float
    audio: list[tuple[float, int]] = field(default_factory=list)
    """When each piece came, and how many bytes it had."""
    orders: list[ClientMessage] = field(default_factory=list)
    told: list[ServerMessage] = field(default_factory=list)
    over: anyio.Event = field(default_factory=anyio.Event)
    """Set when the connection has ended."""


class FluxServer:
    """What is known of a running server. Make one with `flux_server`."""

    def __init__(self, faults: Sequence[Fault], script: bytes | None, runs: Deployment) -> None:
        self.url = ""
        self.visits: list[Visit] = []
        """The connections that were accepted, in order."""
        self.knocked_at: list[float] = []
        """When somebody began a handshake, those refused included."""
        self.requests: list[Request] = []
        """What they asked with."""
        self._faults = faults
        self._script = script
        self._deployment = runs
        self._numbers: dict[ServerConnection, tuple[int, Trouble]] = {}

    async def welcome(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake: None accepts it."""
        number = len(self.knocked_at)
        faults = [fault for fault in self._faults if not isinstance(fault, DropAt)]
        trouble = Trouble(faults, number, Random(number).random)
        self._numbers[connection] = number, trouble
        self.knocked_at.append(anyio.current_time())
        self.requests.append(request)
        match trouble.at_the_door():
            case Refuse(status=status, retry_after=after):
                response = connection.respond(status, '{"code":"FAULT","description":"asked"}')
                if after is not None:
                    response.headers["Retry-After"] = after
                return response
            case Hang():
                await anyio.sleep_forever()
        admits = self._deployment.admits
        if admits is not None and not _shown_by(request) & set(admits):
            return connection.respond(401, '{"code":"INVALID_AUTH"}')
        try:
            self._parameters(request)
        except ParameterRefused as exc:
            return connection.respond(400, f'{{"code":"{exc.code}"}}')
        return None

    def _parameters(self, request: Request) -> ListenParameters:
        """Return what is asked for. Raises ParameterRefused."""
        pairs = parse_qsl(urlsplit(request.path).query, keep_blank_values=True)
        if not self._deployment.workers_ai:
            return parse_query(pairs)
        asked = [pair for pair in pairs if pair != ("model", "@cf/deepgram/flux")]
        unknown = {name for name, _ in asked} - _WORKERS_AI
        if unknown or ("encoding", "linear16") not in asked:
            raise ParameterRefused(f"not Cloudflare's: {sorted(unknown)}")
        return parse_query([("model", "flux-general-en"), *asked])

    def introduce(
        self, _connection: ServerConnection, _request: Request, response: Response
    ) -> None:
        """Put into an accepted handshake what tells turnkit's servers from others."""
        if self._deployment.introduces:
            response.headers[OURS] = "test"

    async def serve(self, websocket: ServerConnection) -> None:
        """Serve one connection."""
        number, trouble = self._numbers.pop(websocket)
        assert websocket.request is not None
        visit = Visit(self._parameters(websocket.request), anyio.current_time())
        self.visits.append(visit)
        drops = [f for f in self._faults if isinstance(f, DropAt) and f.connection == number]
        service = _Service(websocket, visit, trouble, self._script, self._deployment)
        service.drops_at = frozenset(drop.audio for drop in drops)
        async with anyio.create_task_group() as tasks:
            await service.run(tasks)
            tasks.cancel_scope.cancel()
        visit.over.set()


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
        select_subprotocol=lambda _, offered: offered[0] if offered else None,
    ) as running:
        server.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/v2/listen"
        yield server


class _Service:
    """One connection, from Connected to its end."""

    def __init__(
        self,
        websocket: ServerConnection,
        visit: Visit,
        trouble: Trouble,
        script: bytes | None,
        runs: Deployment,
    ) -> None:
        self.drops_at: frozenset[int] = frozenset()
        """After which pieces of audio the connection is broken off."""
        self._websocket = websocket
        self._visit = visit
        self._trouble = trouble
        self._script = script
        self._deployment = runs
        self._audio = AudioFormat(visit.parameters.sample_rate_hz, visit.parameters.encoding)
        self._heard_bytes = 0
        asked = trouble.wanted(visit.parameters)
        wanted = replace(asked, encoding="linear16", sample_rate_hz=RATE_HZ)
        self._engine = Engine(wanted, "test", vad=LoudnessVad(), recognizer=Reader())

    async def run(self, tasks: TaskGroup) -> None:
        try:
            greeting = self._engine.connected()
            await self._tell([greeting] if self._deployment.greets else [])
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
        if len(self._visit.audio) - 1 in self.drops_at:
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
            error = self._engine.fail(UNPARSABLE, str(exc))
            await self._tell([error] if can.explains else [])
            await self._close()
            return False
        self._visit.orders.append(order)
        if isinstance(order, Configure) and self._trouble.refuses_configure():
            await self._do(self._trouble.refusal("asked for"))
            return True
        wait_s = can.configure_s or self._trouble.configure_s
        if isinstance(order, Configure) and wait_s:
            tasks.start_soon(self._configure_later, order, wait_s)
            return True
        await self._tell([self._refused(one) for one in self._engine.handle(order)])
        if isinstance(order, CloseStream):
            await self._close()
            return False
        return True

    async def _configure_later(self, order: Configure, wait_s: float) -> None:
        await anyio.sleep(wait_s)
        await self._tell(self._engine.handle(order))

    def _refused(self, answer: ServerMessage) -> ServerMessage:
        if not (self._deployment.refuses_changes and isinstance(answer, ConfigureSuccess)):
            return answer
        return ConfigureFailure(
            answer.request_id, answer.sequence_id, "INVALID_PARAMETER", "asked for"
        )

    async def _tell(self, messages: list[ServerMessage]) -> None:
        for message in messages:
            await self._do(self._trouble.tell(self._as_deployed(message)))

    async def _do(self, steps: list[Step]) -> None:
        """Say what is to be said, and do what is to go wrong with it."""
        for step in steps:
            match step:
                case Say(message):
                    self._visit.told.append(message)
                    await self._websocket.send(self._encoded(message))
                case Babble(frame):
                    await self._websocket.send(frame)
                case Pause(for_s):
                    await anyio.sleep(for_s)
                case HangUp(code, reason):
                    await self._hang_up(code, reason)
                case BreakOff():
                    self._break_off()
                case PlayDead():
                    self._websocket.transport.pause_reading()
                    await self._websocket.wait_closed()
                    raise _Over
                case _:
                    assert_never(step)

    def _encoded(self, message: ServerMessage) -> str:
        text = encode(message)
        if self._deployment.typed:
            return text
        fields = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        del fields["type"]
        return msgspec.json.encode(fields).decode()

    def _as_deployed(self, message: ServerMessage) -> ServerMessage:
        """Take away what this server does not say."""
        if not isinstance(message, TurnInfo):
            return message
        if not self._deployment.triggers:
            message = msgspec.structs.replace(message, trigger=None)
        if not self._deployment.word_times:
            words = tuple(msgspec.structs.replace(w, start=None, end=None) for w in message.words)
            message = msgspec.structs.replace(message, words=words)
        return message

    async def _hang_up(self, code: int | None, reason: str) -> None:
        if code is None:
            await self._close()
        else:
            await self._websocket.close(code, reason)
        raise _Over

    def _break_off(self) -> None:
        self._websocket.transport.abort()
        raise _Over

    async def _close(self) -> None:
        """Close without a status code, as Flux does."""
        async with self._websocket.send_context():
            self._websocket.protocol.send_close()


def _shown_by(request: Request) -> set[str]:
    """Return all that could let somebody in, in the words of `Deployment.admits`."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(", ")
    headers = {f"{name.lower()}: {value}" for name, value in request.headers.raw_items()}
    return {f"{scheme.lower()} {secret}", " ".join(offered), *headers}


class _Over(Exception):
    """The connection was ended by a fault."""
