"""The engine as a server: what real clients of Flux get, and what rude ones do."""

import json
import urllib.request
from contextlib import asynccontextmanager
from urllib.error import HTTPError
from urllib.parse import urlencode

import anyio
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from turnkit.config import Settings
from turnkit.engine.engine import Engine
from turnkit.listen import Plan, create_listen_app
from turnkit.listen.stream import MAX_FRAME_BYTES
from turnkit.server import running
from turnkit.sources.flux_wire import CloseStream, Connected, TurnInfo, encode, parse_server
from turnkit.testing.ears import CountingRecognizer, LoudnessVad, silence, speech, told
from turnkit.testing.flux_rules import violations

pytestmark = pytest.mark.anyio

PLAIN = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": "16000"}
CLOSE = encode(CloseStream())
NO_CODE = 1005


def simple_engine(parameters, request_id):
    return Engine(parameters, request_id, vad=LoudnessVad(), recognizer=CountingRecognizer())


# In memory, on virtual time.


class InMemory:
    """A client of the application, and what it is sent."""

    def __init__(self, app: Starlette, **asked: str) -> None:
        self.messages: list[object] = []
        self.closed: tuple[float, int | None, str] | None = None
        self.app = app
        self.gone_at_close = False
        self._says, self._heard = anyio.create_memory_object_stream[dict](4096)
        self._says.send_nowait({"type": "websocket.connect"})
        self._scope = {
            "type": "websocket",
            "path": "/v2/listen",
            "query_string": urlencode(PLAIN | asked).encode(),
            "headers": [],
            "extensions": {"websocket.http.response": {}},
        }

    def says(self, *messages: str | bytes) -> None:
        for message in messages:
            kind = "text" if isinstance(message, str) else "bytes"
            self._says.send_nowait({"type": "websocket.receive", kind: message})

    def leaves(self) -> None:
        self._says.send_nowait({"type": "websocket.disconnect", "code": 1001})

    async def served(self) -> None:
        with self._says, self._heard:
            await self.app(self._scope, self._heard.receive, self._take)

    async def _take(self, message: dict) -> None:
        match message:
            case {"type": "websocket.send", "text": text}:
                self.messages.append(parse_server(text))
            case {"type": "websocket.close"} if self.gone_at_close:
                raise OSError
            case {"type": "websocket.close", "code": code, "reason": reason}:
                self.closed = round(anyio.current_time(), 3), code, reason


@pytest.fixture
def client() -> InMemory:
    return InMemory(create_listen_app(Settings.model_construct(), Plan(simple_engine)))


async def test_a_conversation_from_connected_to_the_close(client):
    client.says(silence(0.24), speech(0.96), silence(1.2), CLOSE, speech(1.0))
    await client.served()
    assert isinstance(client.messages[0], Connected)
    assert violations(client.messages) == []
    assert [(event, text) for event, _, text in told(client.messages)] == [
        ("StartOfTurn", "..."),
        ("EndOfTurn", "one two three four"),
    ]
    assert client.closed == (0.0, None, "")


async def test_a_close_in_mid_turn_tells_the_last_words_and_no_end(client):
    client.says(speech(0.64), CLOSE)
    await client.served()
    assert [(event, text) for event, _, text in told(client.messages)] == [("StartOfTurn", "...")]
    assert client.messages[-1].transcript == "one two three"


async def test_audio_and_orders_are_kept_in_their_order(client):
    client.says(speech(0.96), '{"type":"ForceEndTurn"}', speech(0.48), CLOSE)
    await client.served()
    ends = [message for message in client.messages if isinstance(message, TurnInfo)]
    assert [message.turn_index for message in ends if message.event == "StartOfTurn"] == [0, 1]
    assert [message.trigger for message in ends if message.event == "EndOfTurn"] == ["manual"]


@pytest.mark.parametrize(
    ("poison", "said"),
    [
        ('{"type":"KeepAlive"}', "unknown variant `KeepAlive`"),
        ("[object Blob]", "Could not deserialize last text message"),
        ('{"type":"Configure","features":{}}', "Could not deserialize last text message"),
        ('{"type":"Configure","numerals":"true"}', "Could not deserialize last text message"),
    ],
)
async def test_a_message_flux_does_not_know_is_fatal(client, poison, said):
    client.says(silence(0.24), poison, silence(1.0))
    await client.served()
    *_, update, error = client.messages
    assert (error.code, error.sequence_id) == ("UNPARSABLE_CLIENT_MESSAGE", update.sequence_id + 1)
    assert said in error.description
    assert client.closed == (0.0, None, "")


async def test_a_minute_without_a_message_is_too_long(client):
    client.says(silence(0.24))
    await client.served()
    assert client.closed == (60.0, 1011, "NET-0001")


async def test_a_frame_of_more_than_a_mebibyte_is_too_long(client):
    client.says(bytes(MAX_FRAME_BYTES), bytes(MAX_FRAME_BYTES + 2))
    await client.served()
    assert client.messages[-1].audio_window_end == 32.64
    assert client.closed == (0.0, 1009, "a frame of audio holds at most 1048576 bytes")


async def test_a_text_of_more_than_the_wire_allows_is_too_long(client):
    client.says('"' * 300_000)
    await client.served()
    assert client.closed[1] == 1009


async def test_who_leaves_is_let_go(client):
    client.says(speech(0.4))
    client.leaves()
    await client.served()
    assert client.closed is None
    assert len(client.app.state.calls) == 0


async def test_who_is_gone_before_the_close_is_no_trouble(client):
    client.gone_at_close = True
    client.says(CLOSE)
    await client.served()
    assert client.closed is None


async def test_a_broken_engine_says_so_and_costs_one_stream(client, monkeypatch):
    monkeypatch.setattr(Engine, "feed", lambda engine, audio: 1 / 0)
    client.says(speech(0.4))
    await client.served()
    assert client.messages[-1].code == "INTERNAL_SERVER_ERROR"
    assert client.closed == (0.0, None, "")


# On sockets.


@asynccontextmanager
async def serving(**settings: object):
    chosen = Settings.model_construct(**settings)
    app = create_listen_app(chosen, Plan(simple_engine))
    async with running(app, chosen) as url:
        yield url, app


def address(url: str, *also: tuple[str, str], **asked: str) -> str:
    return f"{url.replace('http', 'ws')}/v2/listen?{urlencode([*(PLAIN | asked).items(), *also])}"


async def refused(url: str, **options: object) -> tuple[int, dict[str, str], dict[str, str]]:
    with pytest.raises(InvalidStatus) as caught:
        await connect(url, **options)
    response = caught.value.response
    return response.status_code, json.loads(response.body), response.headers


@pytest.mark.network
@pytest.mark.loopback
async def test_the_close_carries_no_code():
    async with serving() as (url, _), connect(address(url)) as websocket:
        await websocket.send(silence(0.24))
        await websocket.send(CLOSE)
        said = [json.loads(message)["type"] async for message in websocket]
        assert said == ["Connected", "TurnInfo"]
        assert websocket.close_code == NO_CODE


@pytest.mark.network
@pytest.mark.loopback
@pytest.mark.parametrize(
    "asked",
    [
        {"model": "flux"},
        {"eager_eot_threshold": "0.8"},
        {"language_hint": "en"},
        {"interim_results": "true"},
        {"keyterm": ""},
        {"encoding": "flac"},
        {"encoding": ""},
    ],
)
async def test_what_flux_refuses_is_refused_before_the_upgrade(asked):
    async with serving() as (url, app):
        status, body, headers = await refused(address(url, **asked))
        assert (status, body["code"]) == (400, "INVALID_PARAMETER")
        assert headers["dg-error"] == body["description"]
        assert len(headers["dg-request-id"]) == 36
        assert len(app.state.calls) == 0


@pytest.mark.network
@pytest.mark.loopback
async def test_one_stream_too_many_is_told_to_wait():
    async with serving(max_calls=1) as (url, _), connect(address(url)):
        status, body, _ = await refused(address(url))
        assert (status, body["code"]) == (429, "TOO_MANY_REQUESTS")


@pytest.mark.network
@pytest.mark.loopback
async def test_a_server_on_its_way_out_takes_no_stream():
    async with serving() as (url, app):
        app.state.calls.draining = True
        assert (await refused(address(url)))[0] == 503
        app.state.calls.draining = False


@pytest.mark.network
@pytest.mark.loopback
async def test_a_foreign_page_may_not_connect():
    async with serving() as (url, _):
        status, body, _ = await refused(address(url), origin="https://elsewhere.example")
        assert (status, body["code"]) == (403, "INSUFFICIENT_PERMISSIONS")


@pytest.mark.network
@pytest.mark.loopback
@pytest.mark.parametrize("offered", [["token", "any-key"], ["bearer", "any.token"]])
async def test_a_browsers_key_is_accepted_and_its_scheme_echoed(offered):
    async with serving() as (url, _), connect(address(url), subprotocols=offered) as websocket:
        assert websocket.subprotocol == offered[0]
        assert json.loads(await websocket.recv())["type"] == "Connected"


@pytest.mark.network
@pytest.mark.loopback
async def test_the_request_id_is_the_same_everywhere():
    async with serving() as (url, _), connect(address(url)) as websocket:
        connected = json.loads(await websocket.recv())
        assert websocket.response.headers["dg-request-id"] == connected["request_id"]


@pytest.mark.network
@pytest.mark.loopback
async def test_the_end_of_the_server_is_told():
    async with serving() as (url, _):
        websocket = await connect(address(url))
        await websocket.recv()
    with pytest.raises(ConnectionClosed):
        await websocket.recv()
    assert websocket.close_code == 1012


@pytest.mark.network
@pytest.mark.loopback
async def test_a_plain_get_is_told_what_this_is():
    async with serving() as (url, _):
        with pytest.raises(HTTPError) as caught:
            await anyio.to_thread.run_sync(urllib.request.urlopen, f"{url}/v2/listen")
        assert caught.value.code == 426
        assert "WebSocket" in json.loads(caught.value.read())["description"]
        caught.value.close()
