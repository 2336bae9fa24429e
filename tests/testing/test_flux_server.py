"""The test server has the faults of `turnkit listen`; the older ones are tested by the source."""

import json

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from turnkit.sources.flux_wire import CloseStream, Configure, Thresholds, encode
from turnkit.testing.flux_faults import (
    Breach,
    Garbage,
    HalfOpen,
    Jitter,
    RefuseConfigure,
    SlowConfigure,
)
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

QUERY = "?model=flux-general-en&encoding=linear16&sample_rate=16000"
CHANGE = encode(Configure(Thresholds(eot_timeout_ms=4000)))
CLOSE = encode(CloseStream())


async def heard(server, *sent: bytes | str) -> list[str | bytes]:
    """Send all, then read to the end."""
    frames = []
    async with connect(server.url + QUERY) as websocket:
        for piece in sent:
            await websocket.send(piece)
        try:
            while True:
                frames.append(await websocket.recv())
        except ConnectionClosed:
            return frames


async def test_a_promise_is_broken():
    async with flux_server(Breach(0, kind="second-end")) as server:
        frames = await heard(server, say("yes please"), CLOSE)
    messages = [json.loads(frame) for frame in frames]
    assert [m.get("event") for m in messages].count("EndOfTurn") == 2
    assert [m["sequence_id"] for m in messages] == list(range(len(messages)))


async def test_garbage_and_delays():
    async with flux_server(Garbage(0, 1), Jitter(0, up_to_s=0.01)) as server:
        frames = await heard(server, bytes(32000), CLOSE)
    assert len(frames) == 1 + 4 + 1
    assert len(server.visits[0].told) == 1 + 4


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (RefuseConfigure(0), "ConfigureFailure"),
        (SlowConfigure(0, for_s=0.05), "ConfigureSuccess"),
    ],
)
async def test_a_configure_is_answered_late_or_with_a_no(fault, answer):
    async with flux_server(fault) as server, connect(server.url + QUERY) as websocket:
        await websocket.send(CHANGE)
        said = [json.loads(await websocket.recv()) for _ in range(2)]
    assert [message["type"] for message in said] == ["Connected", answer]
    assert [message["sequence_id"] for message in said] == [0, 1]


async def test_a_half_open_connection_is_silent():
    options = {"ping_interval": None, "close_timeout": 0}
    async with flux_server(HalfOpen(0, 1)) as server, connect(server.url + QUERY, **options) as ws:
        await ws.send(bytes(32000))
        assert json.loads(await ws.recv())["type"] == "Connected"
        with anyio.move_on_after(0.2) as patience:
            await ws.recv()
        assert patience.cancelled_caught
