"""The shortcut past ASGI: the same messages in the same order, and the same end."""

import json
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest
from websockets.asyncio.client import connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from turnkit import server
from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.errors import TransportClosed
from turnkit.transports.base import DigitPressed, PlayoutReported

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

FRAME = b"\1\0" * 480
START = '{"event":"start","start":{"streamSid":"MZ1"}}'


@asynccontextmanager
async def serving(conversation):
    settings = Settings.model_construct()
    async with server.running(create_app(Agent, settings, conversation), settings) as url:
        yield url.replace("http", "ws")


class Call:
    """A conversation that keeps what comes, and by which way."""

    def __init__(self):
        self.came, self.passed = [], 0
        self.over = anyio.Event()
        self.begun = anyio.Event()
        self.code = None

    async def __call__(self, agent, transport, settings, listeners):
        self.transport = transport
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            transport.pass_to(self._take)
            self.begun.set()
            try:
                while True:
                    self.came.append(await transport.receive())
            except TransportClosed:
                self.code = transport.verdict.code
                tasks.cancel_scope.cancel()
        self.over.set()

    async def _run(self):
        try:
            await self.transport.run()
        except TransportClosed:
            return

    def _take(self, news):
        self.came.append(news)
        self.passed += 1


def framed(*messages):
    """Return messages on the wire: texts, binaries, and frames as they are."""
    return b"".join(
        message.serialize(mask=True)
        if isinstance(message, Frame)
        else Frame(
            Opcode.TEXT if isinstance(message, str) else Opcode.BINARY,
            message.encode() if isinstance(message, str) else message,
        ).serialize(mask=True)
        for message in messages
    )


async def say(call, url, data, size):
    """Call and send these bytes, in pieces of a size; return when the server is done with them."""
    uri = parse_uri(url)
    async with await anyio.connect_tcp(uri.host, uri.port) as stream:
        client = ClientProtocol(uri)
        client.send_request(client.connect())
        await stream.send(b"".join(client.data_to_send()))
        await stream.receive()
        for at in range(0, len(data), size):
            await stream.send(data[at : at + size])
            await anyio.sleep(0.001)
        with anyio.fail_after(1):
            await call.over.wait()


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
async def test_however_the_stream_is_cut_all_comes_in_order(size):
    call = Call()
    said = framed(
        b"aa",
        b"bb",
        '{"type":"digit","digit":"1"}',
        b"cc",
        Frame(Opcode.PING, b"?"),
        b"dd",
        Frame(Opcode.BINARY, b"e", fin=False),
        Frame(Opcode.CONT, b"e"),
        b"ff" * 200,
        '{"type":"digit","digit":"2"}',
        b"gg",
        '{"type":"bye"}',
    )
    async with serving(call) as url:
        await say(call, url + "/ws", said, size)
    one, two = DigitPressed("1"), DigitPressed("2")
    assert call.came == [b"aa", b"bb", one, b"cc", b"dd", b"ee", b"ff" * 200, two, b"gg"]
    assert call.code == 1000


def media(number, payload="//8="):
    return f'{{"event":"media","media":{{"chunk":"{number}","payload":"{payload}"}}}}'


@pytest.mark.parametrize("size", [7, 10_000])
async def test_a_telephone_call_is_passed_on_and_its_oddities_are_seen_to(size):
    call = Call()
    mark = '{"event":"mark","mark":{"name":"reply-1-100"}}'
    digit = '{"event":"dtmf","dtmf":{"digit":"5"}}'
    said = framed(START, media(1), mark, "junk", media(2), digit, media(3), '{"event":"stop"}')
    async with serving(call) as url:
        await say(call, url + "/twilio", said, size)
    heard = b"\xff\xff"
    assert call.came == [heard, PlayoutReported(1, 0.1), heard, DigitPressed("5"), heard]
    assert call.code == 1000


async def test_audio_is_passed_on_without_waking_a_task():
    call = Call()
    async with serving(call) as url, connect(url + "/ws", proxy=None) as client:
        await call.begun.wait()
        for _ in range(10):
            await client.send(FRAME)
            await anyio.sleep(0.02)
        assert (call.came, call.passed) == ([FRAME] * 10, 10)


async def test_a_flood_is_read_at_twice_real_time_and_then_closed():
    call = Call()
    second = b"\0\0" * 16_000
    async with serving(call) as url, connect(url + "/ws", proxy=None) as client:
        with pytest.raises(ConnectionClosed) as caught:  # noqa: PT012
            for _ in range(60):
                await client.send(second)
            while True:
                await client.recv()
    assert caught.value.rcvd.code == 1008
    assert 20 <= len(call.came) <= 26  # 2 s at once, and then 10 s of patience at twice real time


async def test_what_is_played_has_left_when_play_returns():
    call = Call()
    async with serving(call) as url, connect(url + "/ws", proxy=None) as client:
        assert json.loads(await client.recv())["type"] == "hello"
        call.transport.play(1, FRAME)
        call.transport.clear(1)
        call.transport.play(1, FRAME)  # it is too late for that
        call.transport.play(2, FRAME)
        assert call.transport._outbox.next() is None
        received = [await client.recv() for _ in range(5)]
    texts = [json.loads(text) for text in received if isinstance(text, str)]
    assert received[1] == received[4] == FRAME
    assert [(text["type"], text["reply"]) for text in texts] == [
        ("audio", 1),
        ("clear", 1),
        ("audio", 2),
    ]


async def test_after_a_clear_a_client_that_was_slow_hears_nothing_of_that_reply():
    call = Call()
    async with serving(call) as url, connect(url + "/ws", proxy=None, max_queue=1) as client:
        await client.recv()
        client.transport.pause_reading()
        for _ in range(2000):  # more than all buffers on the way hold
            call.transport.play(1, FRAME)
            await anyio.lowlevel.checkpoint()
        call.transport.clear(1)
        call.transport.play(2, FRAME)
        client.transport.resume_reading()
        received = []
        while not received or received[-1] != '{"type":"audio","reply":2}':
            received.append(await client.recv())
        assert await client.recv() == FRAME
    cleared = received.index('{"type":"clear","reply":1}')
    assert cleared > 1
    assert received[cleared + 1 :] == ['{"type":"audio","reply":2}']
