"""One connection to Aura: it speaks one text at a time, and none of another's audio.

Nothing that is asked of it waits: a message is on its way when the call returns. So whoever speaks
can be cancelled anywhere, and the line is never left half-way. Aura does not say
whose audio it sends; so what comes between `Clear` and `Cleared` is thrown away, and a line that
sends audio when nobody speaks is closed.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeAlias, assert_never

import anyio
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import broadcast
from websockets.exceptions import ConnectionClosed

from turnkit import clock
from turnkit.bell import Bell
from turnkit.errors import SynthesisError, WireError
from turnkit.tts.aura_address import Address, LineLost, Patience
from turnkit.tts.aura_wire import (
    MAX_CHARS,
    MAX_FLUSHES,
    WINDOW_S,
    AuraWarning,
    Clear,
    Cleared,
    Flush,
    Flushed,
    Metadata,
    ServerMessage,
    Speak,
    Unknown,
    WholeSamples,
    Window,
    check_audio,
    encode,
    parse_server,
    reason_of,
)

log = structlog.get_logger(__name__)

_FRAMES = 8  # of audio nobody took yet; when full, the socket is not read
_FLUSH, _CLEAR = encode(Flush()), encode(Clear())
_MARGIN_S = 1.0  # what the network may add to the time between two messages, or take from it


@dataclass(frozen=True, slots=True)
class _Opening:
    pass


@dataclass(frozen=True, slots=True)
class _Free:
    since: float


@dataclass(frozen=True, slots=True)
class _Speaking:
    utterance: "Utterance"


@dataclass(frozen=True, slots=True)
class _Clearing:
    pass


@dataclass(frozen=True, slots=True)
class _Over:
    pass


_State: TypeAlias = _Opening | _Free | _Speaking | _Clearing | _Over


class Line:
    """One connection. `run` it once."""

    def __init__(self, address: Address, patience: Patience, changed: Callable[[], None]) -> None:
        """Prepare to connect.

        Args:
            address: where to.
            patience: how long to wait for what.
            changed: called, without waiting, when the line has become free, or is no longer.
        """
        self.opened_at: float | None = None
        self._address = address
        self._patience = patience
        self._changed = changed
        self._state: _State = _Opening()
        self._flushes = Window(MAX_FLUSHES, WINDOW_S + _MARGIN_S)
        self._characters = Window(MAX_CHARS, WINDOW_S + _MARGIN_S)
        self._websocket: ClientConnection | None = None  # until it is open
        self._life = anyio.CancelScope()
        self._answer = anyio.CancelScope()  # its deadline is when the server has to have answered

    @property
    def free_since(self) -> float | None:
        """Since when a text may be spoken; None if none may."""
        return self._state.since if isinstance(self._state, _Free) else None

    @property
    def is_coming(self) -> bool:
        """Whether it will be free soon, or end."""
        return isinstance(self._state, _Opening | _Clearing)

    @property
    def is_clearing(self) -> bool:
        """Whether what comes is thrown away until the server says that all has come."""
        return isinstance(self._state, _Clearing)

    def allowed_at(self, characters: int, now: float) -> float:
        """Return when Aura's limits allow so much to be spoken here: now or later."""
        return max(self._flushes.free_at(1, now), self._characters.free_at(characters, now))

    def say(self, text: str) -> "Utterance":
        """Have a text spoken. The line has to be free."""
        assert isinstance(self._state, _Free)
        now = clock.now()
        self._flushes.spend(1, now)
        self._characters.spend(len(text), now)
        utterance = Utterance(self, self._patience)
        self._state = _Speaking(utterance)
        self._send(encode(Speak(text)))
        self._send(_FLUSH)
        return utterance

    def drop(self, utterance: "Utterance") -> None:
        """Stop speaking it, if this line still does."""
        if self._state == _Speaking(utterance):
            self._state = _Clearing()
            self._send(_CLEAR)
            self._answer.deadline = clock.now() + self._patience.cleared_s
            self._changed()

    def hang_up(self) -> None:
        """End the connection."""
        self._end(LineLost(self._address.blame("was hung up on")))
        self._life.cancel()

    def blame(self, what: str) -> str:
        """Say what the server did."""
        return self._address.blame(what)

    async def run(self) -> None:
        """Connect, and serve until the end. Raises LineLost or LineRefused, unless hung up."""
        error: SynthesisError | None = None
        try:
            with self._life:
                error = await self._serve(await self._address.dial(self._patience))
        finally:
            self._end(error or LineLost(self._address.blame("was left")))
        if error is not None:
            raise error

    async def _serve(self, websocket: ClientConnection) -> LineLost:
        """Send and receive until the end; return its cause, which a task group would wrap."""
        self._websocket = websocket
        websocket.transport.set_write_buffer_limits(0)  # or uvloop writes when all else is done
        self.opened_at = clock.now()
        self._become_free()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._check, websocket)
                error = await self._read(websocket)
                self._end(error)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.move_on_after(2 * self._patience.close_s, shield=True):
                await websocket.close()
        return error

    async def _check(self, websocket: ClientConnection) -> None:
        """Ask a line that is free whether it is still there; asking also keeps it open."""
        while True:
            await anyio.sleep(self._patience.ping_s)
            asked_in = self._state
            if not isinstance(asked_in, _Free):
                continue
            try:
                pong = await websocket.ping()
                with anyio.move_on_after(self._patience.ping_s) as waiting:
                    await pong
            except ConnectionClosed:
                return  # the reader learns of it too
            if waiting.cancelled_caught and self._state is asked_in:
                self._answer.deadline = -inf

    async def _read(self, websocket: ClientConnection) -> LineLost:
        """Take in what the server says until it ends or makes no sense; return which."""
        try:
            with self._answer:
                while True:
                    await self._take(await websocket.recv())
        except ConnectionClosed as exc:
            return LineLost(self.blame(f"closed the connection: {reason_of(str(exc))}"))
        except WireError as exc:
            return LineLost(self.blame(f"sent what is not Aura's: {exc}"))
        return LineLost(self.blame("does not answer"))

    async def _take(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._understand(parse_server(message))
            return
        match self._state:
            case _Speaking(utterance):
                check_audio(message)
                await utterance.put(message)
            case _Clearing() | _Opening() | _Over():
                return  # of a text that was dropped
            case _Free():
                raise WireError("audio when nobody speaks")
            case _:
                assert_never(self._state)

    def _understand(self, message: ServerMessage | Unknown) -> None:
        match message:
            case Metadata(request_id=request):
                log.info("aura.opened", request=request)
            case Flushed():
                # One ahead of all audio is that of a text that was dropped.
                if isinstance(self._state, _Speaking) and self._state.utterance.begun:
                    self._state.utterance.finish()
                    self._become_free()
            case Cleared():
                if isinstance(self._state, _Clearing):
                    self._answer.deadline = inf
                    self._become_free()
            case AuraWarning(code=code):
                log.warning("aura.warned", code=code)
            case Unknown(name):
                log.warning("aura.unknown", what=name)
            case _:
                assert_never(message)

    def _become_free(self) -> None:
        self._state = _Free(clock.now())
        self._changed()

    def _send(self, message: str) -> None:
        """Send now. What is not read there piles up here, but no more than Aura's limits allow."""
        assert self._websocket is not None
        broadcast([self._websocket], message)  # the one way to send that does not wait

    def _end(self, error: SynthesisError) -> None:
        state, self._state = self._state, _Over()
        if isinstance(state, _Speaking):
            state.utterance.fail(error)
        if not isinstance(state, _Over):
            self._changed()


class Utterance:
    """The audio of one text, as it comes."""

    def __init__(self, line: Line, patience: Patience) -> None:
        self.begun = False
        self._line = line
        self._patience = patience
        self._samples = WholeSamples()
        self._frames: deque[bytes] = deque()
        self._ended = False
        self._error: SynthesisError | None = None
        self._come = Bell()
        self._taken = Bell()

    @property
    def odd_bytes(self) -> int:
        """How much of the audio so far is no whole sample: 0 or 1."""
        return len(self._samples.rest)

    async def next(self) -> bytes:
        """Wait for more audio; none is its end. Raises LineLost, or SynthesisError on a stall."""
        limit_s = self._patience.stall_s if self.begun else self._patience.first_audio_s
        give_up_at = clock.now() + limit_s
        while True:
            while self._frames:
                if pcm := self._take():
                    return pcm
            if self._error is not None:
                raise self._error
            if self._ended:
                return b""
            if clock.now() >= give_up_at:
                self._line.hang_up()
                raise SynthesisError(self._line.blame(f"sent no audio for {limit_s} s"))
            await self._come.wait(give_up_at)

    def _take(self) -> bytes:
        self._taken.ring()
        return self._samples.feed(self._frames.popleft())

    def drop(self) -> None:
        """Be done with it; what has not been spoken will not be."""
        self._line.drop(self)
        self.finish()
        self._frames.clear()
        self._taken.ring()

    # What the line does.

    async def put(self, frame: bytes) -> None:
        """Add audio, and wait while there is enough."""
        self.begun = True
        self._frames.append(frame)
        self._come.ring()
        while len(self._frames) > _FRAMES:
            await self._taken.wait()

    def finish(self) -> None:
        """Say that this was all."""
        self._ended = True
        self._come.ring()

    def fail(self, error: SynthesisError) -> None:
        """Say that this was all there will be."""
        self._error = error
        self._come.ring()
