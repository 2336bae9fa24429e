"""The Flux client against a scripted server that speaks the real wire, on loopback."""

import json
import logging
import socket
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Response

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError, SourceLost, SourceRefused
from turnkit.sources import flux
from turnkit.sources.flux import FluxSource, Patience, RetryPolicy
from turnkit.sources.flux.route import routes_of
from turnkit.sources.flux_query import ListenParameters, parse_query
from turnkit.testing.flux_faults import Drop
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say as speak
from turnkit.turn.events import EndOfTurn, StartOfTurn, Update

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

PHONE = AudioFormat(8000, "mulaw")
PARAMETERS = ListenParameters("flux-general-en", "mulaw", 8000)
CHUNK = 640
CONNECTED = {"type": "Connected", "request_id": "r", "sequence_id": 0}
CLOSE_STREAM = '{"type":"CloseStream"}'
KEY = SecretStr("canary-4711")
ONCE = RetryPolicy(delays_s=(9.0,), start_s=5.0, outage_s=5.0)


def info(event, transcript="", **fields):
    return {
        "type": "TurnInfo",
        "request_id": "r",
        "event": event,
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 0.24,
        "transcript": transcript,
        "words": [],
        "end_of_turn_confidence": 0.5,
        "sequence_id": 1,
    } | fields


async def say(websocket, *messages):
    """Send messages; those of Flux are numbered as Flux does it."""
    for message in messages:
        if isinstance(message, dict) and message.get("sequence_id"):
            websocket.sequence_id = getattr(websocket, "sequence_id", 0) + 1
            message |= {"sequence_id": websocket.sequence_id}
        await websocket.send(message if isinstance(message, str | bytes) else json.dumps(message))


async def listen(websocket):
    """Take what the client sends until it says CloseStream; return the binary frames."""
    frames = []
    while (frame := await websocket.recv()) != CLOSE_STREAM:
        frames.append(frame)
    return frames


async def close_without_code(websocket):
    """Close as Flux does."""
    async with websocket.send_context():
        websocket.protocol.send_close()


def turn(*messages):
    """Script a server that answers with these messages and closes when the client is done."""

    async def script(websocket):
        await say(websocket, CONNECTED, *messages)
        await listen(websocket)
        await close_without_code(websocket)

    return script


@asynccontextmanager
async def server(script, **options):
    """Serve one script on a free port; yield the URL."""
    async with serve(script, "127.0.0.1", 0, compression=None, **options) as running:
        port = running.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def run(script, said=b"", patience=None, **options):
    """Have a whole conversation; return what was reported, and the source."""
    reported = []
    async with server(script, **options) as url:
        source = FluxSource(url, PARAMETERS, key=KEY, patience=patience or Patience(retries=ONCE))
        source.hear(said)
        source.finish()
        await source.run(reported.append)
    return reported, source


async def failure(kind, script, **options):
    """Have a conversation that fails; return what is said about it."""
    with pytest.raises(kind) as caught:
        await run(script, **options)
    assert KEY.get_secret_value() not in str(caught.value)
    return str(caught.value)


def unfinished(url, **patience):
    """Return a source whose user stays on the line."""
    return FluxSource(url, PARAMETERS, patience=Patience(retries=ONCE, **patience))


# A call as it should be.


async def test_events_are_reported_in_order():
    reported, _ = await run(
        turn(info("Update"), info("StartOfTurn", "Yes."), info("EndOfTurn", "Yes."))
    )
    assert reported == [Update(0), StartOfTurn(0, "Yes."), EndOfTurn(0, "Yes.")]


async def test_audio_goes_up_untouched_in_chunks_of_80_ms():
    frames = []

    async def script(websocket):
        await say(websocket, CONNECTED)
        frames.extend(await listen(websocket))
        await close_without_code(websocket)

    said = bytes(range(256)) * 5
    await run(script, said + b"\x01")
    assert frames == [said[:CHUNK], said[CHUNK:], b"\x01" + b"\xff" * (CHUNK - 1)]


async def test_what_comes_between_close_stream_and_close_is_reported():
    async def script(websocket):
        await say(websocket, CONNECTED)
        await listen(websocket)
        await say(websocket, info("Update", "one more"))
        await websocket.close(1000)

    reported, _ = await run(script)
    assert reported == [Update(0, "one more")]


async def test_no_audio_goes_up_before_connected():
    early = []

    async def script(websocket):
        with anyio.move_on_after(0.05):
            early.append(await websocket.recv())
        await turn()(websocket)

    await run(script, b"\x01" * CHUNK)
    assert early == []


async def test_a_user_who_says_nothing_is_heard_as_silence():
    async with anyio.create_task_group() as tasks:

        async def script(websocket):
            await say(websocket, CONNECTED)
            assert await websocket.recv() == b"\xff" * CHUNK
            tasks.cancel_scope.cancel()

        async with server(script) as url:
            await unfinished(url).run([].append)


async def test_the_handshake_asks_for_the_parameters_with_the_key():
    requests = []

    async def script(websocket):
        requests.append(websocket.request)
        await turn()(websocket)

    await run(script)
    (request,) = requests
    assert urlsplit(request.path).path == "/v2/listen"
    assert parse_query(parse_qsl(urlsplit(request.path).query)) == PARAMETERS
    assert request.headers["Authorization"] == "Token canary-4711"
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_a_server_that_does_not_close_is_left():
    async def script(websocket):
        await say(websocket, CONNECTED, info("Update"))
        await websocket.wait_closed()

    reported, _ = await run(script, patience=Patience(retries=ONCE, drain_s=0.2))
    assert reported == [Update(0)]


async def test_hanging_up_closes_the_connection():
    codes = []
    async with anyio.create_task_group() as tasks:

        async def script(websocket):
            await say(websocket, CONNECTED)
            await websocket.recv()
            tasks.cancel_scope.cancel()
            await websocket.wait_closed()
            codes.append(websocket.close_code)

        async with server(script) as url:
            await unfinished(url).run([].append)
    assert codes == [1000]


async def test_the_library_logs_neither_key_nor_transcript(caplog):
    caplog.set_level(logging.DEBUG)
    await run(turn(info("EndOfTurn", "my secret")))
    client = [record for record in caplog.records if "server" not in record.name]
    assert "canary" not in str(client)
    assert "secret" not in "".join(record.getMessage() for record in client)


# What is passed over.


async def test_unknown_words_are_passed_over_counted_and_told_once():
    strange = [{"type": "Metadata"}, info("TurnPaused", "well"), info("Update", mood="good")]
    with capture_logs() as logs:
        reported, source = await run(turn(*strange, *strange))
    assert reported == [Update(0, "well"), Update(0)] * 2
    names = ["type Metadata", "event TurnPaused", "field TurnInfo.mood"]
    assert source.unknown == dict.fromkeys(names, 2)
    assert [line["what"] for line in logs if line["event"] == "flux.unknown"] == names


async def test_unknown_words_without_end_are_not_all_remembered():
    _, source = await run(turn(*({"type": f"New{n}"} for n in range(100))))
    assert len(source.unknown) == 50


async def test_nonsense_is_dropped_and_counted():
    nonsense = ["", "null", '{"type":"TurnInfo","transcript":"my secret"}', b"\x00\xff"]
    with capture_logs() as logs:
        reported, source = await run(turn(*nonsense, info("Update")))
    assert reported == [Update(0)]
    assert source.malformed == 4
    sizes = [line["size_bytes"] for line in logs if line["event"] == "flux.malformed"]
    assert sizes == [0, 4, 44, 2]
    assert "secret" not in str(logs)


async def test_nothing_but_nonsense_is_a_lost_source():
    assert "not Flux's" in await failure(SourceLost, turn(*["nonsense"] * 11))


async def test_warnings_and_answers_to_nothing_asked_are_passed_over():
    warning = {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN"}
    with capture_logs() as logs:
        reported, _ = await run(turn(warning, CONNECTED, {"type": "ConfigureFailure"}))
    assert reported == []
    assert [line["event"] for line in logs] == ["flux.warned"]


# Refusals.

REFUSAL = json.dumps({"code": "CODE", "description": "because of canary-4711"})


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, SourceRefused, "check the turn settings"),
        (401, SourceRefused, "check DEEPGRAM_API_KEY"),
        (402, SourceRefused, "out of credit"),
        (403, SourceRefused, "may use this model"),
        (404, SourceRefused, "Flux is at /v2/listen"),
        (418, SourceRefused, "check the URL"),
        (429, SourceLost, "try again later"),
        (503, SourceLost, "try again later"),
    ],
)
async def test_a_refused_handshake_says_why_and_what_to_do(status, kind, advice):
    def refuse(connection, request):
        return connection.respond(status, REFUSAL)

    said = await failure(kind, turn(), process_request=refuse)
    assert f"HTTP {status}: CODE: because of [key]; " in said
    assert advice in said


async def test_the_reason_may_be_in_a_header():
    def refuse(connection, request):
        response = connection.respond(400, "<html>")
        response.headers["dg-error"] = "no such thing"
        return response

    said = await failure(SourceRefused, turn(), process_request=refuse)
    assert "HTTP 400: no such thing; " in said


async def test_without_a_key_the_advice_is_to_set_one():
    def refuse(connection, request):
        return connection.respond(401, "")

    async with server(turn(), process_request=refuse) as url:
        with pytest.raises(SourceRefused, match="set DEEPGRAM_API_KEY"):
            await unfinished(url).run([].append)


def test_a_key_kept_back_is_named_as_the_reason():
    (route,) = routes_of("ws://flux.example", KEY)
    refused = route.refused(Response(401, "Unauthorized", Headers(), b""))
    assert "the key was not sent" in str(refused)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("INTERNAL_SERVER_ERROR", SourceLost),
        ("INVALID_AUTH", SourceRefused),
        (None, SourceLost),
    ],
)
@pytest.mark.parametrize("greeting", [[CONNECTED], []])
async def test_an_error_message_ends_the_call(code, kind, greeting):
    async def script(websocket):
        await say(websocket, *greeting, {"type": "Error", "code": code, "description": "sorry"})
        await close_without_code(websocket)

    assert f"gave up: {code}: sorry" in await failure(kind, script)


# Losses.


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1000, SourceLost, "closed the connection"),
        (1011, SourceLost, "NET-0001"),
        (1008, SourceRefused, "could not read the audio, announced as mulaw at 8000 Hz"),
    ],
)
@pytest.mark.parametrize("greeting", [[CONNECTED], []])
async def test_a_close_nobody_asked_for_is_an_error(code, kind, words, greeting):
    async def script(websocket):
        await say(websocket, *greeting)
        await websocket.close(code, "NET-0001")

    async with server(script) as url:
        with pytest.raises(kind, match=words):
            await unfinished(url).run([].append)


async def test_a_dropped_connection_is_lost_and_what_was_reported_stays():
    reported = []

    async def script(websocket):
        await say(websocket, CONNECTED, info("StartOfTurn", "I"))
        await websocket.recv()
        websocket.transport.abort()

    async with server(script) as url:
        with pytest.raises(SourceLost, match="closed the connection"):
            await unfinished(url).run(reported.append)
    assert reported == [StartOfTurn(0, "I")]


async def test_a_server_that_is_not_there_is_lost():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(SourceLost, match="cannot be reached"):
        await unfinished(f"ws://127.0.0.1:{port}").run([].append)


async def test_a_server_that_does_not_answer_is_lost():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        source = unfinished(f"ws://127.0.0.1:{listening.getsockname()[1]}", open_s=0.05)
        with pytest.raises(SourceLost, match="timed out"):
            await source.run([].append)


async def test_a_server_that_never_says_connected_is_lost():
    async def script(websocket):
        await say(websocket, {"type": "Metadata"})
        await websocket.wait_closed()

    said = await failure(SourceLost, script, patience=Patience(retries=ONCE, connected_s=0.05))
    assert "no Connected within 0.05 s" in said


async def test_a_server_that_falls_silent_is_lost():
    async def script(websocket):
        await say(websocket, CONNECTED)
        with pytest.raises(ConnectionClosed):
            await listen(websocket)

    async with server(script) as url:
        with pytest.raises(SourceLost, match=r"sent nothing for 0\.05 s"):
            await unfinished(url, silent_s=0.05).run([].append)


async def test_audio_that_nobody_takes_is_counted():
    source = unfinished("ws://localhost")
    source.hear(b"\x01" * 8000 * 31)
    assert source.dropped_bytes == 8000


# What is wrong before anything is sent.


def test_settings_become_parameters():
    given = Settings(eager_eot_threshold=None, eot_timeout_ms=900, keyterms=("pear",))
    source = flux.create("ws://localhost:8080", given, PHONE)
    assert source.active == ListenParameters(
        "flux-general-en", "mulaw", 8000, eot_timeout_ms=900, keyterms=("pear",)
    )


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("ws://localhost:1", "ws://localhost:1/v2/listen"),
        ("wss://flux.example/", "wss://flux.example/v2/listen"),
        ("wss://flux.example/of/mine", "wss://flux.example/of/mine"),
    ],
)
def test_a_url_without_a_path_means_fluxs(url, whole):
    assert FluxSource(url, PARAMETERS)._routes[0].url.geturl() == whole


@pytest.mark.parametrize(
    "url",
    [
        None,
        "localhost:8080",
        "http://localhost",
        "ws://",
        "ws://host:port",
        "ws://[::1",
        "wss://me:pw@host",
        "wss://host/?model=flux-general-en",
    ],
)
def test_a_url_that_cannot_work_is_a_config_error(url):
    with pytest.raises(ConfigError, match="URL") as caught:
        flux.create(url, Settings(), PHONE)
    assert "pw" not in str(caught.value)


def test_a_rate_flux_does_not_take_is_a_config_error():
    with pytest.raises(ConfigError, match="send one of 8000, 16000, 24000, 44100, 48000"):
        flux.create("ws://localhost", Settings(), AudioFormat(22050))


def test_a_key_that_is_none_is_a_config_error():
    with pytest.raises(ConfigError, match="DEEPGRAM_API_KEY"):
        FluxSource("ws://localhost", PARAMETERS, key=SecretStr("a\nb"))


async def test_a_broken_connection_costs_no_words_on_the_real_clock():
    events = []
    english = ListenParameters("flux-general-en", "linear16", 16000)
    async with flux_server(Drop(0, 9)) as broken:
        source = FluxSource(broken.url, english)
        source.hear(speak("book a table", "for four please"))
        source.finish()
        await source.run(events.append)
    ends = [event for event in events if isinstance(event, EndOfTurn)]
    assert ends == [EndOfTurn(0, "book a table"), EndOfTurn(1, "for four please")]
    assert len(source.outages) == 1
