"""The server on real sockets: what it refuses, how it ends, what rude clients get."""

import importlib
import json
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from math import inf

import anyio
import pytest
import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_sync

from turnkit import client_socket, server, watchdog
from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import ConfigError, TransportClosed

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

FRAME = b"\1\0" * 480
WAIT_S = 30.0
"""How long a process is waited for before it counts as hanging; what is tested is never so long."""


@pytest.fixture(autouse=True)
def _no_watchdog(monkeypatch):
    """Log nothing of how long this machine takes."""
    monkeypatch.setattr(watchdog, "LIMIT_S", inf)


async def echo(agent, transport, settings, listeners):
    """Be a conversation that plays back what it hears as reply 1, until the caller leaves."""

    async def listen():
        try:
            while True:
                match await transport.receive():
                    case bytes() as audio:
                        transport.play(1, audio)
        except TransportClosed:
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(transport.run)
        tasks.start_soon(listen)


async def chatter(agent, transport, settings, listeners):
    """Be a conversation that never stops talking, ten times as fast as real time."""

    async def talk():
        while True:
            transport.play(1, FRAME)
            await anyio.sleep(0.002)

    async def listen():
        with pytest.raises(TransportClosed):
            await transport.run()
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(talk)
        tasks.start_soon(listen)


@asynccontextmanager
async def serving(conversation=echo, calls=None, **settings):
    settings = Settings.model_construct(**settings)
    app = create_app(Agent, settings, conversation)
    async with server.running(app, settings) as url:
        if calls is not None:
            calls.append(app.state.calls)
        yield url


def ws(url, query=""):
    return url.replace("http", "ws") + "/ws" + query


async def exchange(url, *requests):
    """Write raw bytes to the server, each after an answer to the one before, until it closes."""
    host, port = url.removeprefix("http://").split(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        try:
            with anyio.fail_after(60):
                for request in requests:
                    await stream.send(request)
                    await stream.receive()
                async for _ in stream:
                    continue
        except (anyio.BrokenResourceError, anyio.EndOfStream):
            return  # it did not even listen to the end


async def test_audio_goes_there_and_back():
    async with serving() as url, connect(ws(url), proxy=None) as client:
        assert json.loads(await client.recv())["type"] == "hello"
        await client.send(FRAME)
        assert json.loads(await client.recv()) == {"type": "audio", "reply": 1}
        assert await client.recv() == FRAME


async def test_an_unsupported_rate_is_an_http_400_that_says_what_to_send():
    async with serving() as url:
        with pytest.raises(InvalidStatus) as caught:
            await connect(ws(url, "?input_rate=44100"), proxy=None)
    response = caught.value.response
    assert response.status_code == 400
    assert "sample rate 44100 not supported" in json.loads(response.body)["error"]


async def test_one_call_too_many_is_an_http_503():
    async with serving(max_calls=1) as url, connect(ws(url), proxy=None):
        with pytest.raises(InvalidStatus) as caught:
            await connect(ws(url), proxy=None)
    assert caught.value.response.status_code == 503
    assert caught.value.response.headers["Retry-After"] == "5"


async def test_a_page_from_elsewhere_is_an_http_403():
    async with serving() as url:
        with pytest.raises(InvalidStatus) as caught:
            await connect(ws(url), proxy=None, origin="https://evil.example")
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\0" * 10_000_000, 1009),
        (b"\0" * 65_537, 1009),
        ("hello", 1007),
        ('{"type":"dance"}', 1003),
        ('{"type":"bye"}', 1000),
    ],
)
async def test_a_client_that_breaks_the_rules_learns_why_from_the_close_code(message, code):
    async with serving() as url, connect(ws(url), proxy=None) as client:
        with pytest.raises(ConnectionClosed) as caught, anyio.fail_after(60):  # noqa: PT012
            await client.send(message)
            while True:
                await client.recv()
    assert caught.value.rcvd.code == code


async def test_compression_is_declined():
    async with serving() as url, connect(ws(url), proxy=None) as client:
        assert "Sec-WebSocket-Extensions" not in client.response.headers


async def test_a_client_that_stops_reading_is_closed_as_a_slow_consumer():
    async with serving(chatter) as url, connect(ws(url), proxy=None, max_queue=1) as client:
        client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.transport.pause_reading()
        with structlog.testing.capture_logs() as logs:
            await anyio.sleep(server.PING_S + 1.5)
        client.transport.abort()
    [line] = [line for line in logs if line["event"] == "call.ended"]
    assert (line["code"], line["reason"]) == (1008, "slow_consumer")


RUDE = [
    b"\0" * 100,
    b"GET /\r\n\r\n",
    b"GET / HTTP/0.9\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 100,
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 40_000 + b"\r\n",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"POST /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
]
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
RUDE_FRAMES = [
    b"\x81\x01a",  # not masked
    b"\x81\x82\0\0\0\0\xff\xfe",  # text that is not UTF-8
    b"\xff\x80\0\0\0\0",  # reserved bits and opcode
    b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0",  # 16 exabytes
    b"\x88\x83\0\0\0\0\x00\x01a",  # close code 1
]


@pytest.mark.parametrize(
    "requests", [[request] for request in RUDE] + [[UPGRADE, frame] for frame in RUDE_FRAMES]
)
async def test_a_rude_client_gets_an_answer_or_a_close_and_costs_a_line_or_two(requests, caplog):
    async with serving() as url:
        with structlog.testing.capture_logs() as logs:
            await exchange(url, *requests)
            async with connect(ws(url), proxy=None) as client:
                assert json.loads(await client.recv())["type"] == "hello"
    ours = [line for line in logs if line["event"] not in ("server.stopping", "call.started")]
    assert len(ours) + len(caplog.records) <= 4
    assert not any("exc_info" in line for line in logs)


@pytest.mark.parametrize("request_", [b"", b"GET / HTTP/1.1\r\nHost: loc"])
async def test_a_client_that_never_finishes_its_request_is_cut_off(request_):
    async with serving() as url:
        began_at = anyio.current_time()
        await exchange(url, request_)
        assert anyio.current_time() == began_at + client_socket.REQUEST_S


async def test_a_call_outlives_the_patience_for_its_request():
    async with serving() as url, connect(ws(url), proxy=None) as client:
        await client.recv()
        await anyio.sleep(10 * client_socket.REQUEST_S)
        await client.send(FRAME)
        assert json.loads(await client.recv()) == {"type": "audio", "reply": 1}


async def test_a_client_that_answers_no_ping_is_cut_off():
    async with serving() as url:
        began_at = anyio.current_time()
        await exchange(url, UPGRADE)
        assert anyio.current_time() == began_at + 2 * server.PING_S


async def test_draining_ends_when_the_last_call_does():
    calls = []
    async with serving(calls=calls, drain_s=3600) as url, connect(ws(url), proxy=None) as client:
        calls[0].draining = True
        with structlog.testing.capture_logs() as logs:
            await anyio.sleep(0.3)
            assert json.loads(await client.recv())["type"] == "hello"
            await client.send('{"type":"bye"}')
            await anyio.sleep(0.3)
    events = [line["event"] for line in logs]
    assert events == ["server.draining", "call.ended", "server.stopping"]


async def test_draining_ends_when_its_time_is_over():
    calls = []
    async with serving(calls=calls, drain_s=0.3) as url, connect(ws(url), proxy=None) as client:
        calls[0].draining = True
        with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012
            while True:
                await client.recv()
    assert caught.value.rcvd.code == 1012


async def test_leaving_closes_the_calls_that_are_left():
    async with serving() as url:
        client = await connect(ws(url), proxy=None)
        await client.recv()
    with pytest.raises(ConnectionClosed) as caught:
        await client.recv()
    assert caught.value.rcvd.code == 1012


async def test_what_is_raised_within_comes_out_as_it_is():
    with pytest.raises(ConfigError, match="mine"):
        async with serving():
            raise ConfigError("mine")


def test_a_port_in_use_is_one_line_that_names_it_and_says_what_to_do():
    taken = server.bind("127.0.0.1", 0)
    taken.listen()
    port = taken.getsockname()[1]
    with taken, pytest.raises(ConfigError) as caught:
        server.bind("127.0.0.1", port)
    assert str(caught.value) == (
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; "
        "stop what uses it, or choose another with --port or TURNKIT_PORT"
    )


# A server of its own, ended by signals.

PROGRAM = """
import sys
import anyio
from turnkit import log, server
from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import TransportClosed

async def listen(agent, transport, settings, listeners):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(transport.run)
        try:
            while True:
                await transport.receive()
        except TransportClosed:
            tasks.cancel_scope.cancel()

settings = Settings.model_construct(port=0, drain_s=float(sys.argv[1]))
log.configure(settings)
server.serve(create_app(Agent, settings, listen), settings)
print("ended", flush=True)
"""


@contextmanager
def program(drain_s, source=PROGRAM):
    """Run a server in a process of its own; give its process, its URL and a reader of its log."""
    with subprocess.Popen(
        [sys.executable, "-c", source, str(drain_s)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            ready = json.loads(process.stderr.readline())
            yield process, ready["url"]
        finally:
            process.kill()


def until(process, event):
    """Read the log up to that event."""
    while (line := json.loads(process.stderr.readline()))["event"] != event:
        continue
    return line


def code_of(client):
    """Wait until the server closes; return the close code."""
    with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012
        while True:
            client.recv(timeout=WAIT_S)
    return caught.value.rcvd.code


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_at_the_first_signal(sig):
    with program(drain_s=3600) as (process, _):
        process.send_signal(sig)
        assert process.wait(WAIT_S) == 0
        assert process.stdout.read() == "ended\n"


def test_a_call_may_finish_while_new_ones_are_refused():
    with program(drain_s=3600) as (process, url), connect_sync(ws(url), proxy=None) as client:
        process.send_signal(signal.SIGTERM)
        line = until(process, "server.draining")
        assert (line["calls"], line["left_s"]) == (1, 3600)
        with pytest.raises(InvalidStatus) as caught:
            connect_sync(ws(url), proxy=None)
        assert caught.value.response.status_code == 503
        client.send('{"type":"bye"}')
        assert code_of(client) == 1000
        assert process.wait(WAIT_S) == 0


def test_calls_left_at_the_end_of_the_drain_are_closed_with_1012():
    with program(drain_s=0.5) as (process, url), connect_sync(ws(url), proxy=None) as client:
        process.send_signal(signal.SIGTERM)
        assert code_of(client) == 1012
        assert process.wait(WAIT_S) == 0


def test_the_second_signal_ends_it_now():
    with program(drain_s=3600) as (process, url), connect_sync(ws(url), proxy=None) as client:
        process.send_signal(signal.SIGTERM)
        until(process, "server.draining")
        process.send_signal(signal.SIGTERM)
        assert code_of(client) == 1012
        assert process.wait(WAIT_S) == 0  # not in an hour
        assert until(process, "call.ended")["code"] == 1012


def test_an_agent_that_refuses_to_end_does_not_keep_the_process():
    deaf = PROGRAM.replace(
        "async with anyio.create_task_group() as tasks:",
        "import asyncio\n"
        "    async def refuse():\n"
        "        while True:\n"
        "            try:\n"
        "                await asyncio.sleep(60)\n"
        "            except asyncio.CancelledError:\n"
        "                pass\n"
        "    global left_behind\n"
        "    left_behind = asyncio.get_running_loop().create_task(refuse())\n"
        "    async with anyio.create_task_group() as tasks:",
    )
    with program(drain_s=3600, source=deaf) as (process, url):
        with connect_sync(ws(url), proxy=None) as client:
            client.recv(timeout=WAIT_S)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 0


async def test_what_a_model_keeps_open_is_closed_when_the_server_ends(tmp_path, monkeypatch):
    folder = tmp_path / "house"
    folder.mkdir()
    source = (
        "closed = []\ndef create(argument, settings): ...\nasync def close(): closed.append(1)\n"
    )
    (folder / "model.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    async with serving(llm="house.model"):
        module = importlib.import_module("house.model")
        assert module.closed == []
    assert module.closed == [1]
