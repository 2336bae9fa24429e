"""The fake Aura is taken for the real one by Deepgram's own client, and keeps Aura's limits."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from turnkit.testing.aura_server import Manner, audio_of, aura_server
from turnkit.tts.aura_wire import Clear, Flush, Speak

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.network,
    pytest.mark.loopback,
    # Deepgram's client is written for a websockets of some years ago.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

KEY = {"Authorization": "Token any"}
TEXT = "Hello there."


@asynccontextmanager
async def official(server, **asked):
    """Deepgram's client, connected."""
    # Imported here, where its warnings are expected.
    from deepgram import AsyncDeepgramClient  # noqa: PLC0415
    from deepgram.environment import DeepgramClientEnvironment  # noqa: PLC0415

    environment = DeepgramClientEnvironment(
        base=server.url, production=server.url, agent=server.url, agent_rest=server.url
    )
    client = AsyncDeepgramClient(api_key="any", environment=environment)
    async with client.speak.v1.connect(**asked) as connection:
        yield connection


def text(words):
    from deepgram.speak.v1.types import SpeakV1Text  # noqa: PLC0415

    return SpeakV1Text(text=words)


async def until(connection, kind):
    """Return what comes until a message of this type, that included."""
    received = [await connection.recv()]
    while getattr(received[-1], "type", None) != kind:
        received.append(await connection.recv())
    return received


def audio_in(received):
    return b"".join(message for message in received if isinstance(message, bytes))


# Deepgram's own client.


@pytest.mark.parametrize(
    ("encoding", "rate_hz"),
    [("linear16", 24000), ("linear16", 8000), ("mulaw", 8000), ("alaw", 16000)],
)
async def test_deepgrams_client_hears_the_whole_text(encoding, rate_hz):
    asked = {"model": "aura-2-thalia-en", "encoding": encoding, "sample_rate": str(rate_hz)}
    async with aura_server() as server, official(server, **asked) as connection:
        await connection.send_text(text("Hello "))
        await connection.send_text(text("there."))
        await connection.send_flush()
        metadata, *received, flushed = await until(connection, "Flushed")
        await connection.send_close()
        assert [message async for message in connection] == []
    assert metadata.type == "Metadata"
    assert metadata.model_name == "aura-2-thalia-en"
    assert audio_in(received) == audio_of(TEXT, rate_hz, encoding)
    assert flushed.sequence_id == 0


async def test_deepgrams_client_clears():
    manner = Manner(speed=1, late_frames=2)
    async with aura_server(manner) as server, official(server) as connection:
        await connection.send_text(text(TEXT))
        await connection.send_flush()
        metadata, first = await connection.recv(), await connection.recv()
        await connection.send_clear()
        *late, cleared = await until(connection, "Cleared")
        await connection.send_text(text("Again."))
        await connection.send_flush()
        *again, flushed = await until(connection, "Flushed")
    assert metadata.model_name == "aura-asteria-en"
    assert audio_of(TEXT, 24000).startswith(first + audio_in(late))
    assert audio_in(again) == audio_of("Again.", 24000)
    assert (cleared.sequence_id, flushed.sequence_id) == (0, 1)


async def test_deepgrams_client_is_warned():
    async with aura_server() as server, official(server) as connection:
        for _ in range(21):
            await connection.send_flush()
        received = await until(connection, "Warning")
    assert type(received[-1]).__name__ == "SpeakV1Warning"
    assert received[-1].code == "FLUSH_LIMIT"


async def test_deepgrams_client_is_refused_what_aura_refuses():
    async with aura_server() as server:
        with pytest.raises(Exception, match="400"):
            async with official(server, encoding="mp3"):
                pass


# The handshake.


def url_of(server, query="model=aura-2-thalia-en"):
    return f"{server.url}/v1/speak?{query}"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("/v1/speak", {}, 401, "INVALID_AUTH"),
        ("/v1/talk", KEY, 404, "NOT_FOUND"),
        ("/v1/speak?sample_rate=1", KEY, 400, "INVALID_QUERY_PARAMETER"),
    ],
)
async def test_what_is_wrong_with_a_request_is_in_the_refusal(path, headers, status, code):
    async with aura_server() as server:
        with pytest.raises(InvalidStatus) as caught:
            await connect(server.url + path, additional_headers=headers)
        response = caught.value.response
    assert response.status_code == status
    assert json.loads(response.body)["err_code"] == code


async def test_there_are_only_so_many_connections_at_a_time():
    async with aura_server(most=1) as server:
        async with connect(url_of(server), additional_headers=KEY):
            with pytest.raises(InvalidStatus, match="429"):
                await connect(url_of(server), additional_headers=KEY)
        with anyio.fail_after(2):
            while server.open:  # noqa: ASYNC110  # the other end of a socket tells nobody
                await anyio.sleep(0.001)
        async with connect(url_of(server), additional_headers=KEY):
            assert len(server.connections) == 2


# How it closes.


async def closing_of(server, *messages):
    """Say this; return the code and reason that the connection is closed with."""
    async with connect(url_of(server), additional_headers=KEY) as websocket:
        for message in messages:
            await websocket.send(message)
        await websocket.wait_closed()
        return websocket.close_code, websocket.close_reason


def speak(words):
    return json.dumps({"type": "Speak", "text": words})


@pytest.mark.parametrize(
    ("messages", "closing"),
    [
        (['{"type":"Close"}'], (1000, "")),
        ([speak("a" * 2001)], (1009, "BIG-0001")),
        ([speak("a" * 2000), speak("a" * 401)], (1008, "DATA-0001")),
        (['{"type":"Reset"}'], (1008, "DATA-0000")),
        ([b"\x00\x00"], (1003, "MESSAGE-0000")),
    ],
)
async def test_what_aura_does_not_take_closes_the_connection(messages, closing):
    async with aura_server() as server:
        assert await closing_of(server, *messages) == closing


async def test_a_connection_does_not_last_for_ever():
    async with aura_server(life_s=0.02) as server:
        assert await closing_of(server) == (1011, "NET-0003")


# What it keeps.


async def test_it_records_what_it_was_told_and_when():
    async with aura_server(Manner(first_audio_s=60)) as server:
        await anyio.sleep(1)
        async with connect(url_of(server), additional_headers=KEY) as websocket:
            for message in (speak(TEXT), '{"type":"Flush"}', '{"type":"Clear"}'):
                await anyio.sleep(1)
                await websocket.send(message)
            while "Cleared" not in str(await websocket.recv()):
                pass
        (connection,) = server.connections
    assert connection.opened_at == 1
    assert connection.heard == [(2, Speak(TEXT)), (3, Flush()), (4, Clear())]
    assert (server.times(Clear), connection.sent_at) == ([4], [])


def test_its_audio_is_the_texts_own():
    assert audio_of(TEXT, 24000) == audio_of(TEXT, 24000)
    assert audio_of(TEXT, 24000) != audio_of("Hello Here.", 24000)
    assert len(audio_of("fifteen letters", 8000)) == 16000
