"""Browsers and programs over a WebSocket: docs/ws.md."""

from collections.abc import Callable, Iterator
from typing import assert_never

import structlog
from starlette.websockets import WebSocket

from turnkit import clock
from turnkit.audio.frames import AudioFormat
from turnkit.errors import WireError
from turnkit.listeners.base import Item
from turnkit.transports import client_wire
from turnkit.transports.base import DigitPressed, EndTurnRequested, Incoming, PlayoutReported
from turnkit.transports.client_wire import Bye, Terms
from turnkit.transports.outbox import Clear, Finish, Frame, Outbox, Outgoing, Tell
from turnkit.transports.peer import Peer, Verdict
from turnkit.transports.sender import Sender

log = structlog.get_logger(__name__)


class WebSocketTransport:
    """A caller at `/ws`. It is a Listener too: what happens in the call is told to the caller."""

    def __init__(self, websocket: WebSocket, terms: Terms, call: str) -> None:
        self.incoming = AudioFormat(terms.input_hz)
        self.outgoing_hz = terms.output_hz
        self.reports_playout = terms.reports_playout
        self._outgoing = AudioFormat(terms.output_hz)
        self._peer = Peer(websocket)
        self._outbox = Outbox(self._outgoing)
        self._sender = Sender(self._peer, self._outbox, self._worded)
        self._call = call
        self._began_at = clock.now()
        self._half_sample = b""
        self._announced = -1  # the reply whose audio the caller expects

    @property
    def verdict(self) -> Verdict | None:
        """How the call ended, once it has."""
        return self._peer.verdict

    def pass_to(self, take: Callable[[Incoming], None]) -> None:
        """Give audio to `take` the moment it comes, where the server is turnkit's own."""
        self._peer.divert(lambda data: self._passed(data, take))

    async def receive(self) -> Incoming:
        """Wait for audio, playout news or a digit. Raises TransportClosed."""
        try:
            while True:
                match await self._peer.receive():
                    case bytes() as data:
                        if audio := self._heard(data):
                            return audio
                    case str() as text:
                        self._peer.charge(0.0)
                        return self._understood(text)
        except WireError as exc:
            raise self._peer.blame(exc) from None

    def play(self, reply: int, frame: bytes) -> None:
        """Send one frame of a reply, due now."""
        skipped_s = self._outbox.skipped_s(reply)
        self._outbox.play(reply, frame)
        self._sender.send()
        if (now_s := self._outbox.skipped_s(reply)) > skipped_s:
            log.warning("playout.skipped", reply=reply, skipped_ms=round(now_s * 1000))

    def finish(self, reply: int) -> None:
        """Say that the reply's last frame was given to `play`."""
        self._outbox.finish(reply)
        self._sender.send()

    def clear(self, reply: int) -> None:
        """Have the client drop what it has not played of this reply, ahead of all else queued."""
        self._outbox.clear(reply)
        self._sender.send()

    def note(self, at: float, item: Item) -> None:
        """Tell the client what happened, as soon as nothing else is to be done."""
        self._outbox.tell(at, item)
        self._outbox.ring()

    async def run(self) -> None:
        """Send what is queued, until cancelled. Raises TransportClosed."""
        await self._peer.send(client_wire.hello(self._call, self.incoming, self._outgoing))
        self._began_at = clock.now()
        await self._sender.run()

    async def close(self, failure: str | None = None) -> None:
        """Send the notes that are left, say how it ended and close. Takes two seconds at most.

        Args:
            failure: what broke on our side, if it did.
        """
        notes = [self._told(note) for note in self._outbox.take_notes()]
        if failure is not None:
            self._peer.left(1011, failure)
        match self._peer.verdict:
            case None | Verdict(code=1000):
                final = client_wire.end(self._peer.verdict.reason if self._peer.verdict else "")
            case Verdict(reason=reason):
                final = client_wire.error(reason)
        if self._outbox.dropped_notes:
            log.warning("notes.dropped", notes=self._outbox.dropped_notes)
        await self._peer.close([*notes, final])

    def _passed(self, data: str | bytes, take: Callable[[Incoming], None]) -> bool:
        """Pass on a message if it is audio; `receive` sees to any other."""
        if isinstance(data, str) or len(data) > client_wire.MAX_MESSAGE_BYTES:
            return False
        if not self._peer.admit(self.incoming.seconds_in(len(data))):
            return False
        if audio := self._whole_samples(data):
            take(audio)
        return True

    def _heard(self, data: bytes) -> bytes:
        if len(data) > client_wire.MAX_MESSAGE_BYTES:
            limit = client_wire.MAX_MESSAGE_BYTES
            raise WireError(f"message of {len(data)} bytes; at most {limit}", 1009)
        self._peer.charge(self.incoming.seconds_in(len(data)))
        return self._whole_samples(data)

    def _whole_samples(self, data: bytes) -> bytes:
        """Return whole samples; a lone last byte waits for the next message."""
        data = self._half_sample + data
        whole = len(data) - len(data) % self.incoming.sample_bytes
        self._half_sample = data[whole:]
        return data[:whole]

    def _understood(self, text: str) -> PlayoutReported | DigitPressed | EndTurnRequested:
        match client_wire.parse(text):
            case PlayoutReported(reply, played_s):
                # What was skipped on the way there counts as played: it will not come any more.
                return PlayoutReported(reply, played_s + self._outbox.skipped_s(reply))
            case DigitPressed() | EndTurnRequested() as order:
                return order
            case Bye():
                raise self._peer.left(1000, "hung up")
            case unreachable:
                assert_never(unreachable)

    def _told(self, note: Tell) -> str:
        return client_wire.note(round((note.at - self._began_at) * 1000), note.item)

    def _worded(self, item: Outgoing) -> Iterator[str | bytes]:
        match item:
            case Frame(reply, pcm):
                if reply != self._announced:
                    self._announced = reply
                    yield client_wire.audio(reply)
                yield pcm
            case Finish(reply):
                yield client_wire.finish(reply)
            case Clear(reply):
                yield client_wire.clear(reply)
            case Tell():
                yield self._told(item)
            case _:
                assert_never(item)
