"""The other end of a WebSocket: Starlette's and uvicorn's ways, translated into ours, once.

Where the server is turnkit's own, messages can take a shortcut past ASGI, both ways, as long as
nothing is unusual: `divert` and `write`. Whatever is goes by `receive` and `send`, which is also
how all of it goes under any other server.

Whatever ends the connection first is its verdict; later trouble is a consequence and says nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from turnkit import clock
from turnkit.client_socket import connection_of
from turnkit.errors import TransportClosed, WireError
from turnkit.transports.intake import Intake

DRAIN_S = 5.0
"""How long a peer may read nothing before it counts as gone."""

_SLACK_S = 1.0  # to move a deadline costs as much as to send a message
_CLOSE_S = 2.0
_REASONS = {1012: "server is shutting down"}
_REASON_BYTES = 123  # RFC 6455, section 5.5: a control frame holds 125, and 2 are the code


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a connection ended: the close code (RFC 6455, section 7.4.1) and why."""

    code: int
    reason: str


class Peer:
    """One accepted WebSocket. Not more than one task sends, and one receives."""

    def __init__(self, websocket: WebSocket) -> None:
        self.verdict: Verdict | None = None
        self._websocket = websocket
        self._connection = connection_of(websocket)
        self._intake = Intake()
        self._read_at = 0.0  # when the next message may be read
        self._sending = False

    def divert(self, take: Callable[[str | bytes], bool]) -> None:
        """Offer messages to `take` as they arrive, so that `receive` gets those that it declines.

        Under another server than turnkit's own `receive` gets all.
        """
        if self._connection is not None:
            self._connection.divert(take)

    async def receive(self) -> str | bytes:
        """Wait for a message. Raises TransportClosed."""
        if self.verdict is not None:
            raise TransportClosed(self.verdict.reason)
        if self._read_at > clock.now():
            await anyio.sleep_until(self._read_at)
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            code = message.get("code", 1005)
            raise self.left(code, message.get("reason") or _REASONS.get(code, "hung up"))
        data: str | bytes | None = message.get("bytes")
        return message["text"] if data is None else data

    @property
    def keeps_up(self) -> bool:
        """Whether the peer reads as fast as it is sent to, and `write` may be called."""
        return (
            self._connection is not None
            and self._connection.keeps_up
            and not self._sending  # what is being sent goes first
            and self.verdict is None
        )

    def write(self, message: str | bytes, *, urgent: bool = False) -> None:
        """Send a message in this round of the event loop, or now. Only while the peer keeps up."""
        assert self._connection is not None
        self._connection.write(message, urgent=urgent)

    async def send(self, message: str | bytes) -> None:
        """Send a message. Raises TransportClosed, also when the peer reads nothing for long."""
        await self.send_all([message])

    async def send_all(self, messages: Iterable[str | bytes]) -> None:
        """Send messages, as `send` does.

        Args:
            messages: each is taken when the one before has been sent.
        """
        if self.verdict is not None:
            raise TransportClosed(self.verdict.reason)
        self._sending = True
        try:
            with anyio.fail_after(DRAIN_S) as patience:
                for message in messages:
                    if isinstance(message, str):
                        await self._websocket.send_text(message)
                    else:
                        await self._websocket.send_bytes(message)
                    if patience.deadline < clock.now() + DRAIN_S - _SLACK_S:
                        patience.deadline = clock.now() + DRAIN_S
        except TimeoutError:
            raise self.left(1008, "slow_consumer") from None
        except (WebSocketDisconnect, RuntimeError):  # the latter: closed by uvicorn meanwhile
            raise self.left(1006, "hung up") from None
        finally:
            self._sending = False

    def charge(self, audio_s: float) -> None:
        """Account for a message; a peer that sends too fast is left unread for a while.

        Raises WireError when it goes on and on.
        """
        self._charge(audio_s, clock.now())

    def _charge(self, audio_s: float, now: float) -> None:
        self._read_at = now + self._intake.admit(audio_s, now)

    def admit(self, audio_s: float) -> bool:
        """Account for a message that was diverted; return False if `receive` has to see to it."""
        if (now := clock.now()) < self._read_at:
            return False
        try:
            self._charge(audio_s, now)
        except WireError:
            return False  # `receive` is charged for it again, and raises it again
        return True

    def left(self, code: int, reason: str) -> TransportClosed:
        """Note how it ended; return the exception that says so."""
        self.verdict = self.verdict or Verdict(code, reason)
        return TransportClosed(self.verdict.reason)

    def blame(self, error: WireError) -> TransportClosed:
        """Note that it ended by the peer's fault; return the exception that says so."""
        return self.left(error.close_code, str(error))

    async def close(self, last_words: list[str]) -> None:
        """Send the last words and close as the verdict says. Takes two seconds at most."""
        verdict = self.verdict = self.verdict or Verdict(1000, "call ended")
        if self._websocket.client_state is WebSocketState.DISCONNECTED:
            return
        with anyio.move_on_after(_CLOSE_S, shield=True):
            try:
                if verdict.reason != "slow_consumer":
                    for words in last_words:
                        await self._websocket.send_text(words)
                await self._websocket.close(verdict.code, _shortened(verdict.reason))
            except (WebSocketDisconnect, RuntimeError):
                return  # the peer was faster


def _shortened(reason: str) -> str:
    return reason.encode()[:_REASON_BYTES].decode(errors="ignore")
