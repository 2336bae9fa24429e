"""An Aura with a set pace: `/v1/speak` (developers.deepgram.com/docs/tts-websocket-streaming).

It begins with a sentence when its last character has come, or at a Flush; one after the other.
"""

import asyncio
import re
from collections import deque
from itertools import chain, repeat
from urllib.parse import parse_qs, urlsplit

import msgspec
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from benchmarks.load import codes
from benchmarks.load.codes import Code
from benchmarks.load.journal import Journal
from benchmarks.load.plan import Pace

_SENTENCE = re.compile(r"[^.!?]*\S[^.!?]*[.!?]+")
_METADATA = (
    '{"type":"Metadata","request_id":"00000000-0000-4000-8000-000000000000",'
    '"model_name":"bench","model_version":"1","model_uuid":"0","additional_model_uuids":[]}'
)


class _Told(msgspec.Struct):
    type: str = ""
    text: str = ""


class _Sentence(msgspec.Struct):
    code: Code
    due: float


_told = msgspec.json.Decoder(_Told).decode


class VoiceConnection(WSListener):
    """One connection."""

    def __init__(self, path: str, pace: Pace, journal: Journal) -> None:
        query = parse_qs(urlsplit(path).query)
        self._encoding = query.get("encoding", ["linear16"])[0]
        default = "24000" if self._encoding == "linear16" else "8000"
        self._rate_hz = int(query.get("sample_rate", [default])[0])
        self._pace = pace
        self._journal = journal
        self._text = ""
        self._answers = 0
        self._jobs: deque[_Sentence | None] = deque()  # None is a Flush
        self._timer: asyncio.TimerHandle | None = None
        self._code = Code(-1, -1, 0)

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Introduce itself."""
        self._transport = transport
        self._link = self._journal.open("voice")
        transport.send(WSMsgType.TEXT, _METADATA.encode())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Carry out an order."""
        if frame.msg_type is WSMsgType.CLOSE:
            self._leave(transport)
        if frame.msg_type is not WSMsgType.TEXT:
            return
        told = _told(frame.get_payload_as_bytes())
        match told.type:
            case "Speak":
                self._take(told.text)
            case "Flush":
                if self._text.strip():
                    self._queue(self._text)
                self._text = ""
                self._jobs.append(None)
                self._advance()
            case "Clear":
                self._note("voice.clear", self._busy)
                self._drop()
                self._answer("Cleared")
            case "Close":
                self._leave(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:  # noqa: ARG002
        """Stop."""
        self._note("voice.gone", self._busy)
        self._drop()

    @property
    def _busy(self) -> str:
        return "busy" if self._timer is not None or self._jobs or self._text else ""

    def _leave(self, transport: WSTransport) -> None:
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()

    def _take(self, text: str) -> None:
        self._text += text
        while found := _SENTENCE.match(self._text):
            self._queue(found[0])
            self._text = self._text[found.end() :]
        self._advance()

    def _queue(self, sentence: str) -> None:
        code = codes.said(sentence)
        if code == Code(0, 0, 0) and self._code.call >= 0:
            code = self._code  # what was left of a reply that was cut short, behind a Flush
        self._code = code
        self._note("voice.text", str(code.part))
        due = asyncio.get_running_loop().time() + self._pace.first_audio_s
        self._jobs.append(_Sentence(code, due))

    def _drop(self) -> None:
        self._jobs.clear()
        self._text = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _advance(self) -> None:
        """Begin with the next sentence, unless one is under way."""
        loop = asyncio.get_running_loop()
        while self._timer is None and self._jobs:
            match self._jobs.popleft():
                case None:
                    self._answer("Flushed")
                case _Sentence(code, due):
                    self._due = max(due, loop.time())
                    self._chunks = self._sound(code)
                    self._timer = loop.call_at(self._due, self._begin, code)

    def _sound(self, code: Code) -> "chain[bytes]":
        pace = self._pace
        one = codes.frame(code, self._encoding, self._rate_hz)
        whole, rest = divmod(round(pace.sentence_s / codes.FRAME_S), self._per_chunk)
        return chain(repeat(one * self._per_chunk, whole), [one * rest] if rest else [])

    @property
    def _per_chunk(self) -> int:
        return round(self._pace.chunk_s / codes.FRAME_S)

    def _begin(self, code: Code) -> None:
        self._code = code
        self._note("voice.sound", str(code.part))
        self._send()

    def _send(self) -> None:
        if (chunk := next(self._chunks, None)) is None:
            self._timer = None
            self._advance()
            if not self._busy:
                self._note("voice.idle", "")
            return
        self._transport.send(WSMsgType.BINARY, chunk)
        self._due += self._pace.chunk_s / self._pace.speed
        self._timer = asyncio.get_running_loop().call_at(self._due, self._send)

    def _answer(self, kind: str) -> None:
        text = f'{{"type":"{kind}","sequence_id":{self._answers}}}'
        self._answers += 1
        self._transport.send(WSMsgType.TEXT, text.encode())

    def _note(self, kind: str, note: str) -> None:
        code = self._code
        self._journal.note(kind, self._link, code.call, code.turn, note)
