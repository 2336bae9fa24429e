"""An AIgateway for tests: its realtime wire on a real socket, every word known, faults to order.

It understands the audio of `turnkit.testing.spelling`, or has a script of words with their times
against the clock of whatever it hears. It answers with `Results` as Deepgram's `/v1/listen` does: a
guess for the stretch that is being spoken every 0.24 s of audio, and a final one at each pause.
Faults are those of `turnkit.testing.flux_faults`, by the number of connection and message.

Example:
    ::

        async with aigateway_server(Drop(connection=0, message=7)) as server:
            source = aigateway.create(server.url, settings, AudioFormat(16000))
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import anyio
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from turnkit.audio.frames import samples_of
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo, Word, encode
from turnkit.testing.flux_faults import (
    Close,
    Drop,
    DropAt,
    Fail,
    Fault,
    Hang,
    Late,
    Refuse,
    Skip,
    Stall,
    Twice,
)
from turnkit.testing.known_ears import KnownEars
from turnkit.testing.spelling import Reader

Json: TypeAlias = dict[str, Any]
Script: TypeAlias = Sequence[tuple[str, float, float]]
"""Words, and when each begins and ends, in seconds of the audio of a connection."""

KEY = "sk-aig-test"
_GUESS_S = 0.24
_PAUSE_S = 0.3
_KINDS = {
    401: "authentication_error",
    402: "insufficient_credits",
    404: "not_found",
    429: "rate_limit_error",
    500: "server_error",
    503: "service_unavailable",
}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a service answers; the default is everything that is documented."""

    lag_s: float = 0.2
    """How much audio has to follow a word before it is found."""
    word_times: bool = True
    """Whether words have times."""
    times: bool = True
    """Whether results say which stretch they are about."""
    turns: bool = False
    """Whether it sends Flux's TurnInfo and no results."""
    empty: bool = True
    """Whether it says so when it finds nothing."""
    finalizes: bool = False
    """Whether it understands Finalize; otherwise that is an error, as it is to Flux."""
    finals: bool = True
    """Whether it makes results final at pauses."""
    garbage: int = 0
    """How many messages that make no sense come with each other."""


PLAIN = Manner()


@dataclass(slots=True)
class Visit:
    """What one connection asked for, sent, and was told."""

    query: dict[str, str]
    key: str
    audio_bytes: int = 0
    orders: list[str] = field(default_factory=list)
    told: list[Json] = field(default_factory=list)


class AIgatewayServer:
    """What is known of a running server. Make one with `aigateway_server`."""

    def __init__(self, faults: Sequence[Fault], manner: Manner, script: Script | None) -> None:
        self.url = ""
        self.visits: list[Visit] = []
        """The connections that were accepted, in order."""
        self.knocked_at: list[float] = []
        """When somebody began a handshake, those refused included."""
        self._faults = faults
        self._manner = manner
        self._script = script
        self._numbers: dict[ServerConnection, int] = {}

    async def welcome(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a handshake: None accepts it."""
        number = self._numbers[connection] = len(self.knocked_at)
        self.knocked_at.append(anyio.current_time())
        for fault in self._faults:
            match fault:
                case Refuse(connection=n, status=status, retry_after=after) if n == number:
                    return _refusal(connection, status, after)
                case Hang(connection=n) if n == number:
                    await anyio.sleep_forever()
                case _:
                    continue
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return _refusal(connection, 401, None)
        return None

    async def serve(self, websocket: ServerConnection) -> None:
        """Serve one connection."""
        number = self._numbers.pop(websocket)
        assert websocket.request is not None
        query = dict(parse_qsl(urlsplit(websocket.request.path).query))
        visit = Visit(query, websocket.request.headers["Authorization"])
        self.visits.append(visit)
        mine = [fault for fault in self._faults if fault.connection == number]
        await _Service(websocket, visit, mine, self._manner, self._script).run()


@asynccontextmanager
async def aigateway_server(
    *faults: Fault, manner: Manner = PLAIN, script: Script | None = None
) -> AsyncIterator[AIgatewayServer]:
    """Serve on a free port of this machine.

    Args:
        faults: what goes wrong, and when. Connections and messages count from 0.
        manner: how the service answers.
        script: what it understands in place of what comes, beginning anew with each connection.
    """
    server = AIgatewayServer(faults, manner, script)
    async with serve(
        server.serve,
        "127.0.0.1",
        0,
        compression=None,
        ping_interval=None,
        close_timeout=0.1,
        process_request=server.welcome,
    ) as running:
        server.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/v1/realtime"
        yield server


def _refusal(connection: ServerConnection, status: int, retry_after: str | None) -> Response:
    error = {"type": _KINDS.get(status, "error"), "message": "asked for"}
    response = connection.respond(status, json.dumps({"error": error}))
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response


class _Hearing:
    """Which words a connection's audio has, so far."""

    def __init__(self, rate_hz: int, script: Script | None) -> None:
        self.heard_s = 0.0
        self._rate_hz = rate_hz
        self._reader = Reader()
        self._script = script

    def hear(self, audio: bytes) -> None:
        samples = samples_of(audio)
        self.heard_s += len(samples) / self._rate_hz
        if self._script is None:
            self._reader.feed(samples)

    def words(self, until_s: float) -> list[Word]:
        """Return the words that ended by then."""
        if self._script is None:
            return [word for word in self._reader.words if (word.end or 0.0) <= until_s]
        return [Word(word, 0.9, start, end) for word, start, end in self._script if end <= until_s]


class _Service:
    """One connection, until its end."""

    def __init__(
        self,
        websocket: ServerConnection,
        visit: Visit,
        faults: Sequence[Fault],
        manner: Manner,
        script: Script | None,
    ) -> None:
        self._websocket = websocket
        self._visit = visit
        self._faults = faults
        self._manner = manner
        rate_hz = int(visit.query["sample_rate"])
        self._hearing = _Hearing(rate_hz, script)
        self._told = 0
        self._stalled = False
        self._waiting: list[Json] = []
        self._final_words = 0
        self._final_s = 0.0
        self._guessed_s = 0.0
        parameters = ListenParameters("flux-general-en", "linear16", 16000, 0.5)
        self._ears = KnownEars(parameters, reads=True)

    async def run(self) -> None:
        try:
            async for message in self._websocket:
                if isinstance(message, bytes):
                    await self._hear(message)
                elif not await self._obey(message):
                    return
        except (ConnectionClosed, _Over):
            return

    async def _hear(self, audio: bytes) -> None:
        self._visit.audio_bytes += len(audio)
        chunk = round(self._hearing.heard_s / 0.08)
        if any(isinstance(fault, DropAt) and fault.audio == chunk for fault in self._faults):
            self._break_off()
        if self._manner.turns:
            told = [m for m in self._ears.feed(audio) if isinstance(m, TurnInfo)]
            await self._tell([json.loads(encode(info)) for info in told])
            return
        self._hearing.hear(audio)
        known_s = self._hearing.heard_s - self._manner.lag_s
        words = self._hearing.words(known_s)[self._final_words :]
        last_s = words[-1].end if words else None
        if self._manner.finals and last_s is not None and known_s - last_s >= _PAUSE_S:
            await self._final(words, known_s, speech_final=True)
        elif known_s - self._guessed_s >= _GUESS_S:
            self._guessed_s = known_s
            if words or self._manner.empty:
                await self._tell([self._results(words, known_s)])

    async def _final(self, words: list[Word], until_s: float, **more: bool) -> None:
        told = self._results(words, until_s, is_final=True, **more)
        self._final_words += len(words)
        self._final_s = self._guessed_s = until_s
        await self._tell([told])

    async def _obey(self, text: str) -> bool:
        """Carry out an order; return False if it was the last."""
        kind = json.loads(text)["type"]
        self._visit.orders.append(kind)
        heard_s = self._hearing.heard_s
        words = self._hearing.words(heard_s)[self._final_words :]
        if kind == "Finalize" and self._manner.finalizes:
            await self._final(words, heard_s, from_finalize=True)
            return True
        if kind == "CloseStream":
            if not self._manner.turns:
                await self._final(words, heard_s)
                await self._tell([{"type": "Metadata", "duration": heard_s, "channels": 1}])
        else:
            description = f"unknown variant `{kind}`"
            error = {"type": "Error", "code": "UNPARSABLE", "description": description}
            await self._tell([error])
        async with self._websocket.send_context():
            self._websocket.protocol.send_close()
        return False

    def _results(
        self, words: list[Word], until_s: float, *, is_final: bool = False, **more: bool
    ) -> Json:
        alternative: Json = {"transcript": " ".join(word.word for word in words)}
        if self._manner.word_times:
            alternative["words"] = [
                {"word": word.word, "start": word.start, "end": word.end, "confidence": 0.9}
                for word in words
            ]
        told: Json = {
            "type": "Results",
            "is_final": is_final,
            "channel": {"alternatives": [alternative]},
            **more,
        }
        if self._manner.times:
            told |= {"start": self._final_s, "duration": until_s - self._final_s}
        return told

    async def _tell(self, messages: list[Json]) -> None:
        for message in messages:
            number, self._told = self._told, self._told + 1
            for one in await self._with_faults(message, number):
                self._visit.told.append(one)
                for _ in range(self._manner.garbage):
                    await self._websocket.send("nonsense")
                await self._websocket.send(json.dumps(one))

    async def _with_faults(self, message: Json, number: int) -> list[Json]:
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
                    error = {"error": {"type": code, "message": "asked for"}}
                    await self._websocket.send(json.dumps(error))
                    await self._websocket.close()
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

    def _break_off(self) -> None:
        self._websocket.transport.abort()
        raise _Over


class _Over(Exception):
    """The connection was ended by a fault."""
