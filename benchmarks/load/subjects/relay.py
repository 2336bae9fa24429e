"""The bare relay: what this machine allows, without a framework. Every subject is held against it.

It speculates words and sound on EagerEndOfTurn, holds the sound until EndOfTurn, and clears on
StartOfTurn. picows on uvloop, since of the WebSocket libraries at hand it adds least to a round
trip: 1 us over raw TCP, where websockets adds 20. What a framework is for is missing: no lost
connection is mended, nothing is logged, and nobody learns what was heard.
"""

import asyncio
import base64
import gc
import signal
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
import uvloop
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from benchmarks.load.subjects import contract  # found only now
from benchmarks.load.subjects.relay_model import Model

FRAME_S, FRAME_BYTES = 0.02, 160
LEAD_S = 0.2
"""How far ahead of the clock audio is sent: as turnkit does."""
_SENTENCE_ENDS = (".", "!", "?")


class _Media(msgspec.Struct):
    payload: bytes


class _Start(msgspec.Struct, rename="camel"):
    stream_sid: str


class _FromTwilio(msgspec.Struct):
    event: str
    media: _Media | None = None
    start: _Start | None = None


class _FromFlux(msgspec.Struct):
    type: str
    event: str = ""
    transcript: str = ""


class _FromVoice(msgspec.Struct):
    type: str


_from_twilio = msgspec.json.Decoder(_FromTwilio, strict=False).decode
_from_flux = msgspec.json.Decoder(_FromFlux).decode
_from_voice = msgspec.json.Decoder(_FromVoice).decode


class Call(WSListener):
    """One call: Twilio's end of it, and all that is known."""

    def __init__(self, task: contract.Task) -> None:
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._flux: WSTransport | None = None
        self._voice: WSTransport | None = None
        self._early: list[bytes] = []  # audio before Flux was reached
        self._model = Model(task.llm, self._say, self._thought)
        self._draft = ""  # the words that are being answered
        self._final = False
        self._sentence: list[str] = []
        self._frames: deque[bytes] = deque()
        self._thinking = False
        self._unspoken = 0  # sentences whose audio is not complete
        self._clearing = 0  # Clears that Cleared has not answered
        self._silent_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Reach the providers."""
        self._twilio = transport
        self._dialing = self._loop.create_task(self._dial())

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """Leave the providers."""
        self._dialing.cancel()
        self._model.close()
        for peer in (self._flux, self._voice):
            if peer is not None:
                peer.disconnect(graceful=False)
        if self._timer is not None:
            self._timer.cancel()

    async def _dial(self) -> None:
        sound = "encoding=mulaw&sample_rate=8000"
        self._voice, _ = await ws_connect(
            lambda: _Peer(self._on_voice), f"{self._task.voice}?model=aura-2-thalia-en&{sound}"
        )
        self._model.connect()
        flux, _ = await ws_connect(
            lambda: _Peer(self._on_flux),
            f"{self._task.flux}?model=flux-general-en&{sound}&eager_eot_threshold=0.5",
        )
        for audio in self._early:
            flux.send(WSMsgType.BINARY, audio)
        self._flux = flux

    # From the caller.

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Hand on the caller's audio."""
        match frame.msg_type:
            case WSMsgType.CLOSE:
                transport.send_close(WSCloseCode.OK)
                transport.disconnect()
            case WSMsgType.TEXT:
                match _from_twilio(frame.get_payload_as_bytes()):
                    case _FromTwilio(media=_Media(audio)):
                        if self._flux is not None:
                            self._flux.send(WSMsgType.BINARY, audio)
                        else:
                            self._early.append(audio)
                    case _FromTwilio(start=_Start(stream)):
                        head = f'{{"event":"media","streamSid":"{stream}","media":{{"payload":"'
                        self._head = head.encode()
                        self._clear = f'{{"event":"clear","streamSid":"{stream}"}}'.encode()

    # From Flux.

    def _on_flux(self, frame: WSFrame) -> None:
        message = _from_flux(frame.get_payload_as_bytes())
        match message.event:
            case "StartOfTurn":
                self._drop()
            case "EagerEndOfTurn":
                self._begin(message.transcript)
            case "TurnResumed":
                self._drop()
            case "EndOfTurn":
                if message.transcript != self._draft:
                    self._drop()
                    self._begin(message.transcript)
                self._final = True
                self._play()

    def _begin(self, transcript: str) -> None:
        self._draft = transcript
        self._thinking = True
        self._model.ask(transcript)

    def _drop(self) -> None:
        """Forget the reply, wherever it is."""
        if self._thinking:
            self._model.cancel()
            self._thinking = False
        if self._unspoken and self._voice is not None:
            self._voice.send(WSMsgType.TEXT, b'{"type":"Clear"}')
            self._clearing += 1
            self._unspoken = 0
        if self._final and self._silent_at > self._loop.time():
            self._twilio.send(WSMsgType.TEXT, self._clear)
            self._silent_at = 0.0
        if self._draft:
            self._model.settle(heard=self._final)
        self._frames.clear()
        self._sentence.clear()
        self._draft, self._final = "", False

    # From the model, to the voice.

    def _say(self, token: str) -> None:
        self._sentence.append(token)
        if token.endswith(_SENTENCE_ENDS):
            self._speak()

    def _thought(self) -> None:
        self._thinking = False
        if self._sentence:
            self._speak()

    def _speak(self) -> None:
        text = msgspec.json.encode("".join(self._sentence))
        self._sentence.clear()
        self._unspoken += 1
        assert self._voice is not None
        self._voice.send(WSMsgType.TEXT, b'{"type":"Speak","text":' + text + b"}")
        self._voice.send(WSMsgType.TEXT, b'{"type":"Flush"}')

    # From the voice, to the caller.

    def _on_voice(self, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.BINARY:
            if not self._clearing:
                audio = frame.get_payload_as_bytes()
                self._frames.extend(
                    audio[at : at + FRAME_BYTES] for at in range(0, len(audio), FRAME_BYTES)
                )
                if self._final:
                    self._play()
            return
        match _from_voice(frame.get_payload_as_bytes()).type:
            case "Flushed":
                self._unspoken -= not self._clearing
            case "Cleared":
                self._clearing -= 1

    def _play(self) -> None:
        """Send what may leave now; come back when more may."""
        now = self._loop.time()
        while self._frames and self._silent_at + FRAME_S - LEAD_S <= now + 0.001:
            payload = base64.b64encode(self._frames.popleft())
            self._twilio.send(WSMsgType.TEXT, self._head + payload + b'"}}')
            self._silent_at = max(self._silent_at, now) + FRAME_S
        if self._frames and self._timer is None:
            due = self._silent_at + FRAME_S - LEAD_S
            self._timer = self._loop.call_at(due, self._again)

    def _again(self) -> None:
        self._timer = None
        if self._final:
            self._play()


class _Peer(WSListener):
    """A connection of ours: hands on what comes."""

    def __init__(self, take: Callable[[WSFrame], None]) -> None:
        self._take = take

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._take(frame)
        elif frame.msg_type is WSMsgType.CLOSE:
            transport.disconnect()


async def _serve(task: contract.Task) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)

    def take(request: WSUpgradeRequest) -> WSListener | None:
        return Call(task) if request.path == b"/twilio" else None

    server = await ws_create_server(take, "127.0.0.1", task.port, backlog=1024)
    gc.collect()
    gc.freeze()
    await ended.wait()
    server.close()


if __name__ == "__main__":
    uvloop.run(_serve(contract.read()))
