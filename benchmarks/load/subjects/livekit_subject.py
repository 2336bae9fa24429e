"""LiveKit Agents as a subject, as quick as its documentation lets it be. Runs in its environment.

What its own parts do: an `AgentSession`, its Flux, OpenAI and Aura plug-ins. There is no LiveKit
server on the package registries, so the session's ends are `io.AudioInput` and `io.AudioOutput`
behind a Twilio bridge of ours (aiohttp, which LiveKit brings). WebRTC, Opus, the media server and
RoomIO's 50 ms frames are thus in no figure, which flatters LiveKit; so does that all calls share a
process, where LiveKit starts one for each.

Chosen for speed, each by a documented option:

- `preemptive_generation` with `preemptive_tts`: words and speech before the turn is final
- `turn_detection="stt"` with `min_delay=0`: Flux decides, and half a second is not waited behind it
- no VAD, no AEC warm-up, no text transforms, no recording; audio at 8 kHz both ways
- an output that cannot pause, so a barge-in ends the reply at once and for good
- a log of warnings; uvloop; `gc.freeze()` once everything is imported, as its job server does

What is left as it is: its word tokenizer, which keeps words back until more follow.
"""

# mypy: ignore-errors
# What it imports is in another environment.

import asyncio
import base64
import gc
import json
import logging
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import numpy as np  # found only now
import uvloop
from aiohttp import WSMsgType, web
from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.utils import http_context
from livekit.agents.voice import io
from livekit.plugins import deepgram, openai

from benchmarks.load.subjects import contract

_RATE_HZ = 8000
_FRAME_SAMPLES = 160
_INSTRUCTIONS = "You are on the telephone. Answer in one or two short spoken sentences."
_TASK: web.AppKey[contract.Task] = web.AppKey("task", contract.Task)


def _expanded() -> np.ndarray:
    """Return the sample of each mu-law byte (ITU-T G.711)."""
    code = ~np.arange(256, dtype=np.uint8)
    size = (((code & 15).astype(np.int32) << 3) + 132 << (code >> 4 & 7)) - 132
    return np.where(code & 128, -size, size).astype(np.int16)


def _compressed() -> np.ndarray:
    """Return the mu-law byte of each sample, by the sample's 16 bits taken as unsigned."""
    sample = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(sample), 32635) + 132
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    code = exponent << 4 | size >> (exponent + 3) & 15
    return (~(code | np.where(sample < 0, 128, 0)) & 255).astype(np.uint8)


PCM, MULAW = _expanded(), _compressed()


class _Ear(io.AudioInput):
    """What the caller says. Two seconds are kept for a session that is slow to begin."""

    def __init__(self) -> None:
        super().__init__(label="twilio")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue(100)

    def hear(self, payload: str) -> None:
        """Take in 20 ms of mu-law; what does not fit is lost."""
        samples = PCM[np.frombuffer(base64.b64decode(payload), np.uint8)]
        if not self._frames.full():
            frame = rtc.AudioFrame(samples.tobytes(), _RATE_HZ, 1, len(samples))
            self._frames.put_nowait(frame)

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()


class _Mouth(io.AudioOutput):
    """What the caller hears: it leaves as it comes, for Twilio keeps what is not played yet."""

    def __init__(self, socket: web.WebSocketResponse, stream: str) -> None:
        super().__init__(
            label="twilio",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=_RATE_HZ,
        )
        self._socket = socket
        self._head = f'{{"event":"media","streamSid":"{stream}","media":{{"payload":"'
        self._clear = f'{{"event":"clear","streamSid":"{stream}"}}'
        self._rest = b""
        self._pushed_s = 0.0
        self._silent_at = 0.0
        self._cleared = False
        self._finish: asyncio.TimerHandle | None = None
        self._clearing: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Send on all whole frames of 20 ms."""
        await super().capture_frame(frame)
        if self._cleared:
            return
        if not self._pushed_s:
            self.on_playback_started(created_at=time.time())  # noqa: TID251  # what it asks for
        now = time.monotonic()
        self._pushed_s += frame.duration
        self._silent_at = max(self._silent_at, now) + frame.duration
        self._rest += MULAW[np.frombuffer(frame.data, np.uint16)].tobytes()
        whole = len(self._rest) - len(self._rest) % _FRAME_SAMPLES
        if whole:
            audio, self._rest = self._rest[:whole], self._rest[whole:]
            await self._send(audio)

    async def _send(self, audio: bytes) -> None:
        if not self._socket.closed:
            payload = base64.b64encode(audio).decode()
            await self._socket.send_str(f'{self._head}{payload}"}}}}')

    def flush(self) -> None:
        """End the segment; say so to the session once it is played."""
        super().flush()
        if self._cleared:
            self._finished(interrupted=True)
        elif self._pushed_s:
            wait_s = self._silent_at - time.monotonic()
            self._finish = asyncio.get_running_loop().call_later(max(0.0, wait_s), self._finished)

    def clear_buffer(self) -> None:
        """Drop what is not played."""
        if not self._pushed_s or self._cleared:
            return
        self._cleared = True
        self._pushed_s -= max(0.0, self._silent_at - time.monotonic())
        self._silent_at = 0.0
        if not self._socket.closed:
            self._clearing = asyncio.ensure_future(self._socket.send_str(self._clear))
        if self._finish is not None:
            self._finished(interrupted=True)

    def _finished(self, *, interrupted: bool = False) -> None:
        if self._finish is not None:
            self._finish.cancel()
            self._finish = None
        played_s, self._pushed_s = self._pushed_s, 0.0
        self._rest, self._cleared = b"", False
        self.on_playback_finished(playback_position=played_s, interrupted=interrupted)


def _session(task: contract.Task) -> AgentSession:
    return AgentSession(
        stt=deepgram.STTv2(
            model="flux-general-en",
            sample_rate=_RATE_HZ,
            eager_eot_threshold=0.5,
            api_key="bench",
            base_url=task.flux,
        ),
        llm=openai.LLM(model="bench", api_key="bench", base_url=task.llm),
        tts=deepgram.TTS(
            model="aura-2-thalia-en",
            sample_rate=_RATE_HZ,
            api_key="bench",
            base_url=task.voice,
        ),
        vad=None,
        turn_handling={
            "turn_detection": "stt",
            "endpointing": {"mode": "fixed", "min_delay": 0.0, "max_delay": 0.0},
            "interruption": {"mode": "vad", "resume_false_interruption": False},
            "preemptive_generation": {"enabled": True, "preemptive_tts": True},
        },
        tts_text_transforms=None,
        aec_warmup_duration=None,
        user_away_timeout=None,
    )


async def _call(request: web.Request) -> web.WebSocketResponse:
    """Carry on one call, to its end."""
    socket = web.WebSocketResponse(compress=False)
    await socket.prepare(request)
    await socket.receive_json()  # connected
    stream = (await socket.receive_json())["start"]["streamSid"]
    ear = _Ear()
    async with http_context.open():
        session = _session(request.app[_TASK])
        session.input.audio, session.output.audio = ear, _Mouth(socket, stream)
        starting = asyncio.create_task(
            session.start(Agent(instructions=_INSTRUCTIONS), record=False)
        )
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                break
            event = json.loads(message.data)
            if event["event"] == "media":
                ear.hear(event["media"]["payload"])
        await starting
        await session.aclose()
    return socket


async def _serve(task: contract.Task) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    app = web.Application()
    app[_TASK] = task
    app.router.add_get("/twilio", _call)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", task.port, backlog=1024).start()
    gc.collect()
    gc.freeze()
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    uvloop.run(_serve(contract.read()))
