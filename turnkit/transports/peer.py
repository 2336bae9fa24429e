"""The other end of a WebSocket: Starlette's and uvicorn's ways, translated into ours, once.

Whatever ends the connection first is its verdict; later trouble is a consequence and says nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from turnkit import clock
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
        self._intake = Intake()
        self._read_at = 0.0  # when the next message may be read

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

    def charge(self, audio_s: float) -> None:
        """Account for a message; a peer that sends too fast is left unread for a while.

        Raises WireError when it goes on and on.
        """
        now = clock.now()
        self._read_at = now + self._intake.admit(audio_s, now)

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
