"""A stream with faults: what a client meets, in memory and on sockets."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from turnkit.config import Settings
from turnkit.listen import Plan, create_listen_app
from turnkit.listen.fault_specs import parse_fault
from turnkit.listen.players import playing
from turnkit.server import running
from turnkit.sources.flux_wire import CloseStream, Configure, Thresholds, encode
from turnkit.testing.ears import silence

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

QUERY = "?model=flux-general-en&encoding=linear16&sample_rate=16000&eager_eot_threshold=0.5"
CLOSE = encode(CloseStream())
CHANGE = encode(Configure(Thresholds(eot_timeout_ms=4000)))
SAYS = ["a table [0.8] for four"]


@asynccontextmanager
async def serving(*faults: str, visits=None):
    """Serve a script with faults."""
    plan = Plan(playing(SAYS), tuple(map(parse_fault, faults)), visits=visits)
    settings = Settings.model_construct()
    async with running(create_listen_app(settings, plan), settings) as url:
        yield f"{url.replace('http', 'ws')}/v2/listen{QUERY}"


async def heard(websocket, *audio: bytes | str) -> list[str | bytes]:
    """Send all, then read to the end."""
    for piece in audio:
        await websocket.send(piece)
    frames = []
    try:
        while True:
            frames.append(await websocket.recv())
    except ConnectionClosed:
        return frames


async def answered(websocket) -> bool:
    """Ping; return whether that was noticed."""
    pong = await websocket.ping()
    with anyio.move_on_after(0.2):
        await pong
        return True
    return False


def names(frames) -> list[str]:
    messages = [json.loads(frame) for frame in frames]
    return [m.get("event", m["type"]) for m in messages if m.get("event") != "Update"]


async def test_without_faults_the_script_is_told_and_who_came_is_known():
    visits = []
    async with serving(visits=visits) as url, connect(url) as websocket:
        frames = await heard(websocket, silence(5.0), CHANGE, CLOSE)
        (visit,) = visits
        await anyio.to_thread.run_sync(visit.over.wait, 30)
    events = ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]
    assert names(frames) == ["Connected", *events, "ConfigureSuccess"]
    assert [event for event, _ in visit.events] == events
    assert bytes(visit.audio) == silence(5.0)
    assert len(visit.told) == len(frames)
    assert [type(order).__name__ for order in visit.orders] == ["Configure", "CloseStream"]
    assert visit.ended == "CloseStream"


@pytest.mark.parametrize(
    ("fault", "code", "reason"),
    [
        ("drop@2s", 1006, ""),
        ("1011@2s", 1011, "a fault that was asked for"),
        ("close:1008/DATA-0000@EagerEndOfTurn", 1008, "DATA-0000"),
        ("error@2s", 1005, ""),
    ],
)
async def test_a_connection_ends_as_was_asked_for(fault, code, reason):
    async with serving(fault) as url, connect(url) as websocket:
        frames = await heard(websocket, silence(5.0))
        assert websocket.close_code == code
        assert (websocket.close_reason or "") == reason
    assert names(frames)[:2] == ["Connected", "StartOfTurn"]
    assert ("Error" in names(frames)) == (fault == "error@2s")
    assert "EndOfTurn" not in names(frames)


async def test_a_half_open_connection_says_and_hears_nothing():
    options = {"ping_interval": None, "close_timeout": 0}
    async with serving("half-open@2s") as url, connect(url, **options) as websocket:
        await websocket.send(silence(5.0))
        while json.loads(await websocket.recv()).get("audio_window_end", 0) < 1.9:
            pass
        with anyio.fail_after(5):
            while await answered(websocket):
                pass


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "said"),
    [
        ("429", 429, None, ("code", "TOO_MANY_REQUESTS")),
        ("refuse:429/7", 429, "7", ("code", "TOO_MANY_REQUESTS")),
        ("401", 401, None, ("err_code", "INVALID_AUTH")),
        ("402", 402, None, ("err_code", "ASR_PAYMENT_REQUIRED")),
        ("403", 403, None, ("code", "INSUFFICIENT_PERMISSIONS")),
        ("404", 404, None, ("code", "NOT_FOUND")),
        ("refuse", 503, None, ("code", "UNAVAILABLE")),
    ],
)
async def test_a_handshake_is_refused_as_was_asked_for(fault, status, retry_after, said):
    async with serving(f"{fault}@connection=0") as url:
        with pytest.raises(InvalidStatus) as caught:
            await connect(url)
        async with connect(url) as second:
            assert json.loads(await second.recv())["type"] == "Connected"
    response = caught.value.response
    name, code = said
    assert response.status_code == status
    assert response.headers.get("Retry-After") == retry_after
    assert json.loads(response.body)[name] == code
    assert "dg-error" in response.headers


async def test_a_handshake_hangs():
    async with serving("hang") as url:
        with pytest.raises(TimeoutError):
            await connect(url, open_timeout=0.2)


async def test_garbage_comes_between_the_messages():
    async with serving("garbage@message=3") as url, connect(url) as websocket:
        frames = await heard(websocket, silence(5.0), CLOSE)
    del frames[3]
    assert [json.loads(frame)["sequence_id"] for frame in frames] == list(range(len(frames)))


async def test_a_slow_configure_holds_up_no_audio_and_refuses_a_second():
    async with serving("slow-configure:0.3s") as url, connect(url) as websocket:
        await websocket.send(CHANGE)
        await websocket.send(CHANGE)
        await websocket.send(silence(0.24))
        said = [json.loads(await websocket.recv()) for _ in range(4)]
    assert [message["type"] for message in said] == [
        "Connected",
        "ConfigureFailure",
        "TurnInfo",
        "ConfigureSuccess",
    ]
    assert said[1]["description"] == "Too many pending Configure messages."
    assert [message["sequence_id"] for message in said] == [0, 1, 2, 3]


async def test_a_refused_configure_changes_nothing():
    async with serving("configure-failure") as url, connect(url) as websocket:
        frames = await heard(websocket, CHANGE, silence(0.24), CLOSE)
    assert names(frames) == ["Connected", "ConfigureFailure"]
    assert [json.loads(frame)["sequence_id"] for frame in frames] == [0, 1, 2]


async def test_a_ping_is_a_sign_of_life(monkeypatch):
    monkeypatch.setattr("turnkit.listen.stream.IDLE_S", 0.3)
    async with serving() as url, connect(url, ping_interval=None) as websocket:
        for _ in range(4):
            await anyio.sleep(0.15)
            await (await websocket.ping())
        assert websocket.close_code is None
        assert names(await heard(websocket)) == ["Connected"]
        assert (websocket.close_code, websocket.close_reason) == (1011, "NET-0001")
