"""What 20 ms of audio cost, in and out, on the telephone and on `/ws`."""

# fixtures and names say it

import base64
import json
from itertools import count

from turnkit.audio.frames import FRAME_S, AudioFormat, samples_of
from turnkit.audio.g711 import encode_mulaw
from turnkit.playout import Playout
from turnkit.sources.link.ring import Ring
from turnkit.transports import twilio_wire
from turnkit.transports.chunks import Chunks
from turnkit.transports.outbox import Frame, Outbox

_LEAD_S = 0.2
_CHUNK_S = 0.08
_FRAMES = 4
"""Of 20 ms, in the 80 ms that Flux is sent at a time."""
_BATCH = 25


def test_frame_twilio_in(benchmark):
    """From Twilio's message to the ring of audio that Flux is fed from."""
    mulaw = AudioFormat(8000, "mulaw")
    payload = base64.b64encode(mulaw.silence(FRAME_S)).decode()
    media = {"track": "inbound", "chunk": "%d", "timestamp": "20", "payload": payload}
    form = json.dumps({"event": "media", "sequenceNumber": "1", "media": media})
    chunks, ring = Chunks(mulaw.silence(FRAME_S)), Ring(mulaw, _CHUNK_S)
    numbers = count(1)
    pieces = list[bytes]()

    def hear():
        number = next(numbers)
        message = twilio_wire.parse(form % number)
        pieces.append(chunks.feed(message.media.chunk, message.media.payload))
        if len(pieces) == _FRAMES:
            ring.append(b"".join(pieces), number * FRAME_S)
            pieces.clear()

    benchmark(hear)


def test_frame_twilio_out(benchmark):
    """From the voice's audio, 24 frames and one to release them, to Twilio's messages."""
    linear = AudioFormat(8000)
    benchmark.extra_info["divide_by"] = _BATCH
    benchmark.pedantic(
        lambda playout, outbox: _send(playout, outbox, wire=True),
        setup=lambda: ((_playout(linear), Outbox(linear)), {}),
        rounds=1500,
    )


def test_frame_ws_in(benchmark):
    """From a binary message to the ring of audio that Flux is fed from."""
    linear = AudioFormat(16000)
    ring, numbers = Ring(linear, _CHUNK_S), count(1)
    frame, pieces = linear.silence(FRAME_S), list[bytes]()

    def hear():
        number = next(numbers)
        pieces.append(frame)
        if len(pieces) == _FRAMES:
            ring.append(b"".join(pieces), number * FRAME_S)
            pieces.clear()

    benchmark(hear)


def test_frame_ws_out(benchmark):
    """From the voice's audio to a binary message, which is the frame itself."""
    linear = AudioFormat(24000)
    benchmark.extra_info["divide_by"] = _BATCH
    benchmark.pedantic(
        lambda playout, outbox: _send(playout, outbox, wire=False),
        setup=lambda: ((_playout(linear), Outbox(linear)), {}),
        rounds=1500,
    )


def _playout(audio):
    playout = Playout(audio.sample_rate_hz, _LEAD_S)
    playout.open_clause("Yes, of course.")
    playout.stage(audio.silence(_BATCH * FRAME_S))
    return playout


def _send(playout, outbox, *, wire):
    """Send all frames at their times, as a speaker and a transport do."""
    sent, now = list[object](), 0.0
    while len(sent) < _BATCH:
        for frame in playout.due(now):
            outbox.play(1, frame)
        while isinstance(item := outbox.next(), Frame):
            sent.append(
                twilio_wire.media("MZ0", encode_mulaw(samples_of(item.pcm))) if wire else item.pcm
            )
        now += FRAME_S
    return sent
