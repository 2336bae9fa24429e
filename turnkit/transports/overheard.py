"""A transport whose turn source is told what the user is played, to know its echo from speech."""

from collections.abc import Callable

from turnkit.audio.frames import AudioFormat
from turnkit.sources.base import HearsAgent, TurnSource
from turnkit.transports.base import Incoming, Transport


def overheard(transport: Transport, source: TurnSource) -> Transport:
    """Return a transport that tells the source, or the very same where the source does not care."""
    return _Overheard(transport, source) if isinstance(source, HearsAgent) else transport


class _Overheard:
    """Passes everything on; what is played or dropped is told to the source as well."""

    def __init__(self, transport: Transport, source: HearsAgent) -> None:
        self._transport = transport
        self._source = source

    @property
    def incoming(self) -> AudioFormat:
        return self._transport.incoming

    @incoming.setter
    def incoming(self, audio: AudioFormat) -> None:
        self._transport.incoming = audio

    @property
    def outgoing_hz(self) -> int:
        return self._transport.outgoing_hz

    @outgoing_hz.setter
    def outgoing_hz(self, rate_hz: int) -> None:
        self._transport.outgoing_hz = rate_hz

    @property
    def reports_playout(self) -> bool:
        return self._transport.reports_playout

    @reports_playout.setter
    def reports_playout(self, reports: bool) -> None:
        self._transport.reports_playout = reports

    def pass_to(self, take: Callable[[Incoming], None]) -> None:
        self._transport.pass_to(take)

    async def receive(self) -> Incoming:
        return await self._transport.receive()

    def play(self, reply: int, frame: bytes) -> None:
        self._transport.play(reply, frame)
        self._source.played(frame)

    def finish(self, reply: int) -> None:
        self._transport.finish(reply)

    def clear(self, reply: int) -> None:
        self._transport.clear(reply)
        self._source.silenced()

    async def run(self) -> None:
        await self._transport.run()
