"""A telephone call over Twilio Media Streams.

Marks tell how far the caller has heard. After a clear Twilio sends back all marks at once, so those
of a cleared reply say nothing (twilio.com/docs/voice/media-streams/websocket-messages).
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import assert_never

import anyio
import structlog
from starlette.websockets import WebSocket

from turnkit import clock
from turnkit.audio.frames import FRAME_S, AudioFormat, samples_of
from turnkit.audio.g711 import encode_mulaw
from turnkit.errors import TransportClosed, WireError
from turnkit.transports import twilio_wire
from turnkit.transports.base import DigitPressed, Incoming, PlayoutReported
from turnkit.transports.chunks import Chunks
from turnkit.transports.outbox import Clear, Finish, Frame, Outbox, Outgoing, Tell
from turnkit.transports.peer import Peer, Verdict
from turnkit.transports.sender import Sender
from turnkit.transports.twilio_wire import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    Start,
    Stop,
    StreamInfo,
    Unknown,
)

log = structlog.get_logger(__name__)

MULAW = AudioFormat(8000, "mulaw")

START_S = 10.0
"""How long Twilio may take to say which stream it is; in practice it comes with the handshake."""

MARK_FRAMES = 5
"""A mark every 100 ms: finer than a word, and a tenth of the messages."""

FAULTS = 10
FAULTS_S = 10.0
"""So many messages we cannot read within so many seconds, and the peer is not Twilio."""


async def answer(websocket: WebSocket) -> "TwilioTransport":
    """Wait until Twilio says which stream this is. Raises TransportClosed."""
    peer = Peer(websocket)
    inbox = _Inbox(peer)
    with anyio.move_on_after(START_S):
        while True:
            match await inbox.next():
                case Start(info):
                    return TwilioTransport(peer, inbox, info)
                case Stop():
                    raise await _refused(peer, 1000, "hung up")
                case Connected():
                    continue
                case Media() | Dtmf() | Mark() | Unknown():
                    inbox.ignored["before_start"] += 1
    raise await _refused(peer, 1002, f"no start within {START_S:g} s")


class TwilioTransport:
    """A caller on the telephone. Made by `answer`."""

    incoming = MULAW
    outgoing_hz = MULAW.sample_rate_hz
    reports_playout = True

    def __init__(self, peer: Peer, inbox: "_Inbox", info: StreamInfo) -> None:
        self.call_sid = info.call_sid
        self.parameters = info.custom_parameters
        """What the TwiML gave along."""
        self._stream = info.stream_sid
        self._peer = peer
        self._inbox = inbox
        self._outbox = Outbox(AudioFormat(self.outgoing_hz))
        self._sender = Sender(peer, self._outbox, self._worded)
        self._chunks = Chunks(MULAW.silence(FRAME_S))
        self._unmarked = 0

    @property
    def verdict(self) -> Verdict | None:
        """How the call ended, once it has."""
        return self._peer.verdict

    def pass_to(self, take: Callable[[Incoming], None]) -> None:
        """Give what comes to `take` the moment it comes, where the server is turnkit's own."""
        self._peer.divert(lambda data: self._passed(data, take))

    async def receive(self) -> Incoming:
        """Wait for audio, playout news or a digit. Raises TransportClosed."""
        while True:
            news = self._understood(await self._inbox.next())
            if news is not None:
                return news

    def play(self, reply: int, frame: bytes) -> None:
        """Send one frame of a reply, due now."""
        self._outbox.play(reply, frame)
        self._sender.send()

    def finish(self, reply: int) -> None:
        """Say that the reply's last frame was given to `play`."""
        self._outbox.finish(reply)
        self._sender.send()

    def clear(self, reply: int) -> None:
        """Have Twilio drop what it has not played, ahead of all else queued."""
        self._outbox.clear(reply)
        self._sender.send()

    async def run(self) -> None:
        """Send what is queued, until cancelled. Raises TransportClosed."""
        await self._sender.run()

    async def close(self, failure: str | None = None) -> None:
        """Close, which hands the call back to what follows in the TwiML.

        Args:
            failure: what broke on our side, if it did.
        """
        if failure is not None:
            self._peer.left(1011, failure)
        odd = Counter(repeated=self._chunks.repeated, lost=self._chunks.lost) + self._inbox.ignored
        if odd:
            log.warning("twilio.oddities", **odd)
        await self._peer.close([])

    def _passed(self, data: str | bytes, take: Callable[[Incoming], None]) -> bool:
        """Pass on a message if it is one that calls come to; `receive` sees to any other."""
        if isinstance(data, bytes):
            return False
        try:
            message = twilio_wire.parse(data)
        except WireError:
            return False
        if not isinstance(message, (Media, Mark, Dtmf)) or not self._peer.admit(_length_s(message)):
            return False
        if (news := self._understood(message)) is not None:
            take(news)
        return True

    def _understood(self, message: FromTwilio) -> Incoming | None:
        match message:
            case Media(sound) if sound.track == "inbound":
                return self._chunks.feed(sound.chunk, sound.payload) or None
            case Dtmf(key):
                return DigitPressed(key.digit)
            case Mark(mark):
                return self._heard(mark.name)
            case Stop():
                raise self._peer.left(1000, "hung up")
            case Start():
                raise self._peer.left(1002, "a second start; one stream is one connection")
            case Connected() | Media() | Unknown():
                self._inbox.ignored["unexpected"] += 1
                return None
            case _:
                assert_never(message)

    def _heard(self, mark: str) -> PlayoutReported | None:
        played = twilio_wire.marked(mark)
        if played is None or self._outbox.cleared(played[0]):
            return None
        return PlayoutReported(*played)

    def _worded(self, item: Outgoing) -> Iterator[str]:
        match item:
            case Frame(reply, pcm, end_s):
                yield twilio_wire.media(self._stream, encode_mulaw(samples_of(pcm)))
                self._unmarked += 1
                if self._unmarked >= MARK_FRAMES:
                    yield self._mark(reply, end_s)
            case Finish(reply, end_s):
                if self._unmarked:
                    yield self._mark(reply, end_s)
            case Clear():
                self._unmarked = 0
                yield twilio_wire.clear(self._stream)
            case Tell():
                return
            case _:
                assert_never(item)

    def _mark(self, reply: int, end_s: float) -> str:
        self._unmarked = 0
        return twilio_wire.mark(self._stream, reply, end_s)


class _Inbox:
    """Reads messages, and overlooks some that cannot be read."""

    def __init__(self, peer: Peer) -> None:
        self.ignored: Counter[str] = Counter()
        self._peer = peer
        self._faults: deque[float] = deque(maxlen=FAULTS)

    async def next(self) -> FromTwilio:
        """Wait for a message that can be read. Raises TransportClosed."""
        while True:
            try:
                return self._read(await self._peer.receive())
            except WireError as exc:
                self._blame(exc)

    def _read(self, data: str | bytes) -> FromTwilio:
        if isinstance(data, bytes):
            raise self._peer.left(1003, "binary message; Twilio sends JSON text")
        message = twilio_wire.parse(data)
        self._peer.charge(_length_s(message))
        return message

    def _blame(self, error: WireError) -> None:
        """Overlook a message that cannot be read, unless there are too many or it is too fast."""
        if error.close_code in (1008, 1009):
            raise self._peer.blame(error)
        self.ignored["unreadable"] += 1
        now = clock.now()
        self._faults.append(now)
        if len(self._faults) == FAULTS and now - self._faults[0] < FAULTS_S:
            raise self._peer.left(1003, f"{FAULTS} unreadable messages; the last: {error}")


def _length_s(message: FromTwilio) -> float:
    if isinstance(message, Media):
        return len(message.media.payload) / MULAW.sample_rate_hz  # a byte is a sample
    return 0.0


async def _refused(peer: Peer, code: int, reason: str) -> TransportClosed:
    closed = peer.left(code, reason)
    await peer.close([])
    return closed
