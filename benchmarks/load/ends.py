"""The far ends of calls: a telephone by way of Twilio Media Streams, and a program on `/ws`.

Each sends when it is told to, and writes down what comes (`Ear`). The wires are Twilio's
(twilio.com/docs/voice/media-streams/websocket-messages) and turnkit's own (docs/ws.md).
"""

import asyncio
import base64
from time import monotonic
from typing import Protocol

import msgspec
import numpy as np
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks.load import codes
from benchmarks.load.ear import Ear
from turnkit.audio.g711 import encode_mulaw

_REPORT_S = 0.1  # how often the page's player tells how far it is
_NOISE = np.random.default_rng(1).normal(0, 500, 16000).astype(np.int16)
"""A second of a quiet room: some subjects look at the audio."""
_PIECES = 50
_MULAW = [base64.b64encode(encode_mulaw(part[::2])).decode() for part in np.split(_NOISE, _PIECES)]
_LINEAR = [part.tobytes() for part in np.split(_NOISE, _PIECES)]


class End(Protocol):
    """The far end of one call."""

    encoding: str

    @property
    def ear(self) -> Ear[str]:
        """What it heard."""

    def speak(self) -> None:
        """Send 20 ms of audio."""

    def hang_up(self) -> str:
        """End the call; return what went wrong with it before, or nothing."""


class _Media(msgspec.Struct):
    payload: bytes = b""


class _Mark(msgspec.Struct):
    name: str = ""


class _FromSubject(msgspec.Struct):
    event: str
    media: _Media | None = None
    mark: _Mark | None = None


class _Note(msgspec.Struct):
    type: str
    reply: int = 0


_from_subject = msgspec.json.Decoder(_FromSubject).decode
_note = msgspec.json.Decoder(_Note).decode


class _Socket(WSListener):
    """What both have in common: the socket, and reports that wait for their audio."""

    def __init__(self, number: int) -> None:
        self.ear: Ear[str] = Ear()
        self.number = number
        self.sent = 0
        self._transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        self._transport = None

    def _send(self, text: str) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, text.encode())

    def _leave(self) -> str:
        if self._transport is None:
            return "the subject hung up"
        self._transport.send_close(WSCloseCode.OK)
        self._transport.disconnect()
        return ""

    def _report_later(self, report: str) -> None:
        now = monotonic()
        due = self.ear.mark(now, report)
        asyncio.get_running_loop().call_later(due - now, self._report)

    def _report(self) -> None:
        for report in self.ear.reached(monotonic() + 0.001):  # the loop counts in milliseconds
            self._send(report)


class Telephone(_Socket):
    """Twilio, with a caller behind it."""

    encoding = "mulaw"

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Say which stream it is."""
        super().on_ws_connected(transport)
        self._stream = f"MZ{self.number:032x}"
        self._send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        call = f"CA{self.number:032x}"
        self._send(
            f'{{"event":"start","sequenceNumber":"1","start":{{"accountSid":"AC{0:032x}",'
            f'"streamSid":"{self._stream}","callSid":"{call}","tracks":["inbound"],'
            '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
            f'"customParameters":{{}}}},"streamSid":"{self._stream}"}}'
        )

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take in what the subject sends."""
        if frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()
        if frame.msg_type is not WSMsgType.TEXT:
            return
        now = monotonic()
        message = _from_subject(frame.get_payload_as_bytes())
        match message:
            case _FromSubject(event="media", media=_Media(payload)):
                self.ear.hear(now, len(payload) / 8000, codes.key(payload, "mulaw", 8000))
            case _FromSubject(event="clear"):
                for report in self.ear.clear(now):
                    self._send(report)
            case _FromSubject(event="mark", mark=_Mark(name)):
                self._report_later(
                    f'{{"event":"mark","sequenceNumber":"{self.sent + 2}",'
                    f'"streamSid":"{self._stream}","mark":{{"name":"{name}"}}}}'
                )
            case _:
                raise ValueError(f"Twilio knows no message {message.event!r} with these fields")

    def speak(self) -> None:
        """Send 20 ms of audio."""
        self.sent += 1
        self._send(
            f'{{"event":"media","sequenceNumber":"{self.sent + 1}","media":{{"track":"inbound",'
            f'"chunk":"{self.sent}","timestamp":"{self.sent * 20}",'
            f'"payload":"{_MULAW[self.sent % _PIECES]}"}},"streamSid":"{self._stream}"}}'
        )

    def hang_up(self) -> str:
        """End the call; return what went wrong with it before, or nothing."""
        self._send(f'{{"event":"stop","streamSid":"{self._stream}","stop":{{}}}}')
        return self._leave()


class Program(_Socket):
    """A client of `/ws` as the page is one: 16 kHz up, 24 kHz down, and it reports its playout."""

    encoding = "linear16"
    query = "?input_rate=16000&output_rate=24000&playout=reported"

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._reply = 0
        self._played_s = 0.0
        self._reported_s = 0.0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take in what the subject sends."""
        match frame.msg_type:
            case WSMsgType.BINARY:
                self._hear(frame.get_payload_as_bytes())
            case WSMsgType.TEXT:
                self._understand(_note(frame.get_payload_as_bytes()))
            case WSMsgType.CLOSE:
                transport.disconnect()

    def _hear(self, audio: bytes) -> None:
        seconds = len(audio) / 48000
        self.ear.hear(monotonic(), seconds, codes.key(audio, "linear16", 24000))
        self._played_s += seconds
        if self._played_s >= self._reported_s + _REPORT_S - 1e-6:
            self._report_played()

    def _understand(self, note: _Note) -> None:
        match note.type:
            case "audio":
                self._reply, self._played_s, self._reported_s = note.reply, 0.0, 0.0
            case "finish":
                self._report_played()
            case "clear":
                self.ear.clear(monotonic())

    def _report_played(self) -> None:
        self._reported_s = self._played_s
        played = round(self._played_s * 1000)
        self._report_later(f'{{"type":"playout","reply":{self._reply},"played_ms":{played}}}')

    def speak(self) -> None:
        """Send 20 ms of audio."""
        self.sent += 1
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, _LINEAR[self.sent % _PIECES])

    def hang_up(self) -> str:
        """End the call; return what went wrong with it before, or nothing."""
        self._send('{"type":"bye"}')
        return self._leave()


ENDS: dict[str, type[Telephone] | type[Program]] = {"twilio": Telephone, "ws": Program}
