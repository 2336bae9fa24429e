"""Aura's client against a server that speaks its wire, on loopback and on virtual time."""

import logging
import socket
from contextlib import aclosing, asynccontextmanager, suppress
from random import Random

import anyio
import pytest
from anyio.lowlevel import checkpoint
from pydantic import SecretStr
from structlog.testing import capture_logs
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.session import Session
from turnkit.testing.aura_server import Manner, audio_of, aura_server
from turnkit.testing.fakes import MemoryTransport, ScriptedAgent, ScriptedSource
from turnkit.testing.play import run_until
from turnkit.tts import aura
from turnkit.tts.aura import AuraSynthesizer
from turnkit.tts.aura_address import LineLost, LineRefused, Patience
from turnkit.tts.aura_wire import AuraWarning, Clear, Flush, Speak
from turnkit.tts.base import keep_warm
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

KEY = SecretStr("canary-4711")
MODEL = "aura-2-thalia-en"
RATE_HZ = 16000
HELLO = "Hello there."
LONG = "This is a draft that goes on for quite a while, so that it can be dropped in the middle."
QUICK = Patience(tend_s=0.01, retry_s=0.01)


def voice_at(url, **patience):
    return AuraSynthesizer(MODEL, url, KEY, patience=Patience(**patience))


@asynccontextmanager
async def kept(voice, wanted_hz=RATE_HZ):
    """Keep the voice ready meanwhile."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_warm, voice, wanted_hz)
        await checkpoint()
        yield voice
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def ready(manner=None, *, most=45, life_s=3600.0, **patience):
    """A server, and a voice that has one connection to it."""
    async with (
        aura_server(most=most, life_s=life_s) as server,
        kept(voice_at(server.url, **patience)) as voice,
    ):
        await until(lambda: server.open)
        server.manner = manner or Manner()
        yield server, voice


async def until(condition):
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110  # the other end of a socket tells nobody
            await anyio.sleep(0.001)


async def spoken(voice, text):
    """Return all the audio of a text."""
    async with aclosing(voice.speak(text)) as audio:
        return b"".join([pcm async for pcm in audio])


async def dropped(voice, text, after=1):
    """Speak a text and leave it after so many pieces."""
    async with aclosing(voice.speak(text)) as audio:
        async for _ in audio:
            after -= 1
            if not after:
                break


async def failure(voice, text=HELLO, kind=SynthesisError):
    """Speak a text that fails; return what was heard of it and what is said about it."""
    heard = []

    async def listen():
        async with aclosing(voice.speak(text)) as audio:
            async for pcm in audio:
                heard.append(pcm)  # noqa: PERF401  # what came before the failure counts

    with pytest.raises(kind) as caught:
        await listen()
    assert KEY.get_secret_value() not in str(caught.value)
    return b"".join(heard), str(caught.value)


def own(text, rate_hz=RATE_HZ):
    return audio_of(text, rate_hz)


# A voice that is kept ready.


async def test_it_says_what_it_is_told_and_nothing_else():
    async with ready() as (server, voice):
        assert await spoken(voice, HELLO) == own(HELLO)
        assert await spoken(voice, "And again.") == own("And again.")
    (connection,) = server.connections
    said = [message for _, message in connection.heard]
    assert said == [Speak(HELLO), Flush(), Speak("And again."), Flush()]


async def test_audio_is_passed_on_while_the_rest_is_still_to_come():
    async with ready(Manner(speed=2)) as (server, voice), aclosing(voice.speak(LONG)) as audio:
        assert own(LONG).startswith(await anext(audio))
        assert len(server.connections[0].sent_at) < len(own(LONG)) / RATE_HZ / 0.2


async def test_it_connects_before_there_is_anything_to_say():
    async with ready() as (server, _):
        assert not server.heard


async def test_starting_does_not_wait_for_the_connection():
    async with aura_server(Manner(opening_s=0.2)) as server, kept(voice_at(server.url)) as voice:
        assert not server.connections
        assert await spoken(voice, HELLO) == own(HELLO)
        assert len(server.connections) == 1


@pytest.mark.parametrize(("wanted_hz", "asked_hz"), [(8000, 8000), (48000, 48000), (44100, 24000)])
async def test_it_asks_for_the_rate_that_is_wanted_if_there_is_such(wanted_hz, asked_hz):
    async with aura_server() as server, kept(voice_at(server.url), wanted_hz) as voice:
        assert voice.sample_rate_hz == asked_hz
        assert await spoken(voice, HELLO) == own(HELLO, asked_hz)
        assert server.connections[0].parameters.sample_rate_hz == asked_hz


async def test_nothing_to_say_sends_nothing():
    async with ready() as (server, voice):
        assert await spoken(voice, " \n") == b""
        assert not server.heard


async def test_the_end_of_the_call_closes_the_connections():
    async with aura_server() as server:
        async with kept(voice_at(server.url)) as voice:
            await dropped(voice, LONG)
            await until(lambda: len(server.open) == 2)
        await until(lambda: not server.open)


async def test_a_text_that_outlives_the_call_fails():
    async with aura_server(Manner(first_audio_s=60)) as server:
        voice = voice_at(server.url)
        async with anyio.create_task_group() as tasks, kept(voice):
            tasks.start_soon(failure, voice)
            await until(lambda: server.times(Flush))


# A voice that nobody keeps ready.


async def test_unkept_each_text_has_a_connection_of_its_own():
    async with aura_server() as server:
        voice = voice_at(server.url)
        assert await spoken(voice, HELLO) == own(HELLO, 24000)
        assert await spoken(voice, "Again.") == own("Again.", 24000)
        assert len(server.connections) == 2
        await until(lambda: not server.open)


async def test_unkept_a_failure_is_still_a_synthesis_error():
    async with aura_server() as server:
        server.refusals.append(401)
        await failure(voice_at(server.url), kind=LineRefused)


# Dropping.


async def test_dropping_a_text_sends_clear_at_once():
    async with ready(Manner(speed=1)) as (server, voice):
        await dropped(voice, LONG)
        dropped_at = anyio.current_time()
        await until(lambda: server.times(Clear))
        assert server.times(Clear) == [dropped_at]


async def test_a_text_that_was_spoken_is_not_cleared():
    async with ready() as (server, voice):
        await spoken(voice, HELLO)
        await spoken(voice, HELLO)
        assert not server.times(Clear)


async def test_ten_drafts_leave_two_connections_and_the_eleventh_is_heard_at_once():
    async with ready(Manner(first_audio_s=0.01, speed=2, cleared_s=0.02)) as (server, voice):
        for number in range(10):
            with anyio.move_on_after(0.007 * number):
                await spoken(voice, f"Draft {number}: {LONG}")
        server.manner = Manner()
        with anyio.fail_after(1):
            assert await spoken(voice, "Eleven.") == own("Eleven.")
        assert len(server.connections) == 2


async def test_the_second_connection_is_not_opened_before_it_has_a_use():
    async with ready(Manner(speed=2)) as (server, voice):
        await spoken(voice, HELLO)
        assert len(server.connections) == 1
        await dropped(voice, LONG)
        await until(lambda: len(server.open) == 2)


async def test_the_next_text_does_not_wait_for_cleared():
    async with ready(Manner(speed=2)) as (server, voice):
        await dropped(voice, LONG)
        await until(lambda: len(server.open) == 2)
        server.manner = Manner(cleared_s=0.5)
        await dropped(voice, LONG)
        with anyio.fail_after(0.4):
            assert await spoken(voice, HELLO) == own(HELLO)


LATE = [
    Manner(speed=10, late_frames=5),
    Manner(speed=10, late_frames=5, cleared_s=0.05),
    Manner(speed=10, flushed_after_cleared=True),
    Manner(speed=10, first_audio_s=0.02),
]


@pytest.mark.parametrize("manner", LATE)
async def test_no_audio_of_a_dropped_text_is_heard_in_the_next_on_the_same_connection(manner):
    async with ready(manner) as (server, voice):
        server.refusals.extend([503] * 9)  # there is no other
        for number in range(3):
            await dropped(voice, LONG)
            assert await spoken(voice, f"Number {number}.") == own(f"Number {number}.")
        assert len(server.connections) == 1


async def test_a_connection_that_breaks_its_promise_is_not_used_again():
    async with ready(Manner(speed=2, frames_after_cleared=2), tend_s=0.01) as (server, voice):
        with capture_logs() as logs:
            await dropped(voice, LONG)
            await until(lambda: server.connections[0].closed_at)
        assert await spoken(voice, HELLO) == own(HELLO)
        assert "audio when nobody speaks" in str(logs)


async def test_a_server_that_never_says_cleared_is_left():
    async with ready(Manner(speed=2, cleared_s=60), cleared_s=0.05) as (server, voice):
        await dropped(voice, LONG)
        await until(lambda: server.connections[0].closed_at)
        server.manner = Manner()
        assert await spoken(voice, HELLO) == own(HELLO)


@pytest.mark.parametrize("kept_ready", [True, False])
async def test_cancelled_at_any_await_it_speaks_on(kept_ready):
    async with aura_server(Manner(frame_s=0.02, late_frames=1)) as server:
        voice = voice_at(server.url)
        async with kept(voice) if kept_ready else aclosing(voice.speak("")):
            for steps in range(60):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(spoken, voice, LONG)
                    for _ in range(steps):
                        await checkpoint()
                    tasks.cancel_scope.cancel()
            assert await spoken(voice, HELLO) == own(HELLO, voice.sample_rate_hz)
            assert not kept_ready or len(server.connections) <= 4  # 20 texts a minute on each
    assert not server.open


# Several at a time.


async def test_texts_that_overlap_are_not_mixed_up():
    heard = {}

    async def speak(voice, text):
        heard[text] = await spoken(voice, text)

    async with ready(Manner(first_audio_s=0.01, speed=20)) as (server, voice):
        async with anyio.create_task_group() as tasks:
            for number in range(12):
                tasks.start_soon(speak, voice, f"Number {number}, of many.")
        assert len(server.connections) <= 4
    assert all(audio == own(text) for text, audio in heard.items())
    assert len(heard) == 12


async def test_a_reply_that_is_dropped_does_not_hold_up_the_next():
    async with ready(Manner(speed=2)) as (_, voice), aclosing(voice.speak(LONG)) as first:
        await anext(first)
        assert await spoken(voice, HELLO) == own(HELLO)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_nobody_hears_anothers_audio(seed):
    random = Random(seed)
    patience = {"first_audio_s": 0.1, "stall_s": 0.1, "cleared_s": 0.1, "rotate_s": 0.3}

    async def speak_at_random(server, voice, speaker):
        for number in range(20):
            server.manner = manner_of(random)
            text = f"Speaker {speaker} says number {number}" + ", and so on" * random.randrange(6)
            heard = []
            with anyio.move_on_after(random.choice([1, 0, 0.01, 0.05])), suppress(SynthesisError):
                async with aclosing(voice.speak(text)) as audio:
                    async for pcm in audio:
                        heard.append(pcm)  # noqa: PERF401  # what came before the end counts
            assert own(text).startswith(b"".join(heard))

    async with ready(tend_s=0.02, retry_s=0.01, **patience) as (server, voice):
        async with anyio.create_task_group() as tasks:
            for speaker in range(3):
                tasks.start_soon(speak_at_random, server, voice, speaker)
        server.manner = Manner()
        assert await spoken(voice, HELLO) == own(HELLO)


def manner_of(random):
    """A server's behaviour at random, within what Aura promises and a little beyond."""
    return Manner(
        first_audio_s=random.choice([0, 0.01]),
        speed=random.choice([20, 1e9]),
        cleared_s=random.choice([0, 0, 0.01, 0.2]),
        late_frames=random.choice([0, 0, 1, 5]),
        flushed_after_cleared=random.random() < 0.2,
        cut_at_bytes=random.choice([0, 333]),
        stalls_after_frames=random.choice([None] * 8 + [0, 2]),
        closes_after_frames=random.choice([None] * 8 + [0, 2]),
        instead=random.choice([None] * 9 + ["<html>"]),
    )


# What comes that is no audio.


async def test_samples_cut_in_two_are_put_together():
    manner = Manner(cut_at_bytes=333)
    async with ready(manner) as (_, voice), aclosing(voice.speak(LONG)) as audio:
        pieces = [pcm async for pcm in audio]
    assert b"".join(pieces) == own(LONG)
    assert all(len(piece) % 2 == 0 for piece in pieces)
    assert voice.dropped_bytes == 0


async def test_half_a_sample_at_the_end_is_dropped_and_counted():
    async with ready(Manner(extra_bytes=1)) as (_, voice):
        with capture_logs() as logs:
            assert await spoken(voice, HELLO) == own(HELLO)
    assert voice.dropped_bytes == 1
    assert [line["event"] for line in logs if line["log_level"] != "info"] == ["aura.odd_byte"]


@pytest.mark.parametrize(
    "instead",
    [
        '{"err_code":"X","err_msg":"canary-4711"}',
        "<html>",
        b'{"err_code":"X"}',
        b"<!DOCTYPE html><html>",
        b"RIFF$\x00\x00\x00WAVEfmt ",
    ],
)
async def test_what_is_no_audio_is_an_error_and_never_heard(instead):
    async with ready(Manner(instead=instead)) as (server, voice):
        heard, said = await failure(voice)
        server.manner = Manner()
        assert await spoken(voice, HELLO) == own(HELLO)
    assert heard == b""
    assert "sent what is not Aura's" in said


async def test_a_message_that_is_new_is_passed_over_and_told():
    async with ready(Manner(instead='{"type":"News"}'), first_audio_s=0.05) as (_, voice):
        with capture_logs() as logs:
            heard, said = await failure(voice)
    assert heard == b""
    assert "sent no audio for 0.05 s" in said
    assert ("aura.unknown", "News") in [(line["event"], line.get("what")) for line in logs]


async def test_a_warning_is_logged_and_the_audio_is_heard():
    async with ready(Manner(warning=AuraWarning("Mind.", "MIND"))) as (_, voice):
        with capture_logs() as logs:
            assert await spoken(voice, HELLO) == own(HELLO)
    warnings = [line for line in logs if line["log_level"] == "warning"]
    assert [(line["event"], line["code"]) for line in warnings] == [("aura.warned", "MIND")]


# What does not come.


async def test_no_audio_at_all_is_an_error_and_the_next_text_has_another_connection():
    async with ready(Manner(stalls_after_frames=0), first_audio_s=0.05) as (server, voice):
        heard, said = await failure(voice)
        server.manner = Manner()
        assert await spoken(voice, HELLO) == own(HELLO)
    assert heard == b""
    assert "sent no audio for 0.05 s" in said
    assert len(server.connections) == 2


async def test_audio_that_stops_is_an_error_behind_what_was_heard():
    async with ready(Manner(stalls_after_frames=2), stall_s=0.05) as (_, voice):
        heard, said = await failure(voice, LONG)
    assert heard == own(LONG)[: len(heard)]
    assert len(heard) == 2 * RATE_HZ // 10 * 2
    assert "sent no audio for 0.05 s" in said


async def test_whoever_takes_the_audio_slowly_is_not_told_of_a_stall():
    async with ready(stall_s=0.03, first_audio_s=0.03) as (_, voice):
        heard = []
        async with aclosing(voice.speak(HELLO)) as audio:
            async for pcm in audio:
                heard.append(pcm)
                await anyio.sleep(0.05)
        assert b"".join(heard) == own(HELLO)


async def test_what_is_not_taken_is_not_read():
    text = "word " * 390
    async with ready(Manner()) as (server, voice):
        async with aclosing(voice.speak(text)) as audio:
            first = await anext(audio)
            await anyio.sleep(0.2)
            sent = len(server.connections[0].sent_at)
            assert sent < len(own(text)) / len(first)
        assert await spoken(voice, HELLO) == own(HELLO)


# Connections that fail.


async def test_a_connection_that_closes_before_the_first_sound_is_replaced():
    async with ready() as (server, voice):
        server.at_first.append(Manner(closes_after_frames=0))
        assert await spoken(voice, HELLO) == own(HELLO)
    assert len(server.times(Speak)) == 2


async def test_one_that_closes_again_is_an_error():
    manner = Manner(closes_after_frames=0, closing=(1008, "DATA-0001"))
    async with ready(manner) as (server, voice):
        heard, said = await failure(voice, kind=LineLost)
    assert heard == b""
    assert "closed the connection: " in said
    assert "DATA-0001 (more than 2400 characters in a minute)" in said
    assert len(server.times(Speak)) == 2


async def test_a_text_that_breaks_off_is_not_begun_again():
    async with ready(Manner(speed=20, closes_after_frames=3)) as (server, voice):
        heard, said = await failure(voice, LONG, LineLost)
    assert heard == own(LONG)[: len(heard)]
    assert len(heard) == 3 * RATE_HZ // 10 * 2
    assert "NET-0000" in said
    assert len(server.times(Speak)) == 1


async def test_a_connection_that_cannot_be_had_is_tried_for_twice():
    async with aura_server() as server, kept(voice_at(server.url)) as voice:
        await until(lambda: server.open)
        server.refusals.append(503)
        server.at_first.append(Manner(closes_after_frames=0))
        assert await spoken(voice, HELLO) == own(HELLO)
        assert not server.refusals


@pytest.mark.parametrize(
    ("status", "tries", "advice"),
    [
        (400, 1, "check the voice's name"),
        (401, 1, "INVALID_AUTH: Invalid credentials.; check DEEPGRAM_API_KEY"),
        (403, 1, "may use this voice"),
        (404, 1, "Aura is at /v1/speak"),
        (429, 2, "try again later"),
        (503, 2, "try again later"),
    ],
)
async def test_a_refused_handshake_says_why_and_what_to_do(status, tries, advice):
    async with aura_server() as server, kept(voice_at(server.url, tend_s=60)) as voice:
        await until(lambda: server.open)
        server.refusals.extend([status] * 5)
        server.manner = Manner(closes_after_frames=0)
        _, said = await failure(voice)
        assert f"HTTP {status}: " in said
        assert advice in said
        assert len(server.refusals) == 5 - tries


async def test_a_server_that_is_not_there_is_an_error_for_each_text_and_ends_nothing():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    async with kept(voice_at(f"ws://127.0.0.1:{port}")) as voice:
        for _ in range(2):
            _, said = await failure(voice)
            assert "cannot be reached" in said


async def test_a_server_that_does_not_answer_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"ws://127.0.0.1:{listening.getsockname()[1]}"
        async with kept(voice_at(url, open_s=0.05)) as voice:
            _, said = await failure(voice)
    assert "timed out" in said


async def test_the_connection_is_there_once_the_server_is():
    async with aura_server() as server:
        server.refusals.extend([503] * 3)
        async with kept(AuraSynthesizer(MODEL, server.url, KEY, patience=QUICK)):
            await until(lambda: server.open)


async def test_a_refusal_is_not_asked_for_again_before_it_is_needed():
    async with aura_server() as server:
        server.refusals.extend([401, 401])
        async with kept(AuraSynthesizer(MODEL, server.url, KEY, patience=QUICK)) as voice:
            await until(lambda: len(server.refusals) == 1)
            await anyio.sleep(0.1)
            assert len(server.refusals) == 1
            _, said = await failure(voice, kind=LineRefused)
            assert "check DEEPGRAM_API_KEY" in said
            assert await spoken(voice, HELLO) == own(HELLO)


# Limits.


async def test_the_flush_limit_is_kept_by_more_connections():
    async with ready() as (server, voice):
        with capture_logs() as logs:
            for number in range(45):
                assert await spoken(voice, f"{number}.") == own(f"{number}.")
    assert [len(connection.times(Flush)) for connection in server.connections] == [20, 20, 5]
    assert "aura.warned" not in str(logs)


async def test_when_all_connections_are_at_their_limit_texts_wait():
    async with ready() as (server, voice):
        for number in range(80):
            await spoken(voice, f"{number}.")
        with capture_logs() as logs, anyio.move_on_after(0.1):
            await spoken(voice, "One too many.")
    assert len(server.times(Flush)) == 80
    assert len(server.connections) == 4
    (line,) = [line for line in logs if line["event"] == "aura.held_back"]
    assert 50 < line["wait_s"] <= 61


async def test_the_character_limits_are_kept():
    text = "word " * 900
    async with ready(Manner(frame_s=10)) as (server, voice):
        heard = await spoken(voice, text)
    said = [message.text for _, message in server.heard if isinstance(message, Speak)]
    assert heard == b"".join(own(part) for part in said)
    assert "".join(said).count("word") == 900
    assert [len(connection.times(Speak)) for connection in server.connections] == [1, 1, 1]


async def test_a_connection_is_replaced_before_it_is_too_old():
    async with ready(Manner(opening_s=0.01), rotate_s=0.1, tend_s=0.01) as (server, voice):
        while len(server.connections) < 4:
            assert await spoken(voice, HELLO) == own(HELLO)
            await anyio.sleep(0.01)
    for old, young in zip(server.connections, server.connections[1:], strict=False):
        assert old.closed_at >= young.opened_at


async def test_one_that_closes_by_itself_is_replaced():
    async with ready(life_s=0.05, tend_s=0.01) as (server, _):
        await until(lambda: len(server.connections) >= 3)


async def test_connections_that_are_too_many_are_closed_again():
    async with ready(spare_s=0.05, tend_s=0.01) as (server, voice):
        for number in range(45):
            await spoken(voice, f"{number}.")
        await until(lambda: len(server.open) == 1)
        assert len(server.connections) == 3


async def test_a_connection_that_died_in_silence_is_found_out():
    ended = []

    async def play_dead(websocket):
        websocket.transport.pause_reading()
        await websocket.wait_closed()
        ended.append(websocket)

    async with serve(play_dead, "127.0.0.1", 0, ping_interval=None) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with capture_logs() as logs:
            async with kept(voice_at(url, ping_s=0.02, close_s=0.02)):
                await until(lambda: "does not answer" in str(logs))
        for websocket in server.connections:
            websocket.transport.abort()


async def test_a_connection_that_answers_pings_is_kept():
    async with ready(ping_s=0.01) as (server, voice):
        await anyio.sleep(0.1)
        assert await spoken(voice, HELLO) == own(HELLO)
        assert len(server.connections) == 1


# The key, and other settings.


async def test_the_key_is_sent_and_never_told(caplog):
    caplog.set_level(logging.DEBUG)
    keys = []

    async def script(websocket):
        keys.append(websocket.request.headers["Authorization"])
        await websocket.close(1011, "canary-4711 is bad")

    async with serve(script, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with capture_logs() as logs:
            async with kept(voice_at(url)) as voice:
                await failure(voice, "my secret")
    assert set(keys) == {"Token canary-4711"}
    client = [record for record in caplog.records if "server" not in record.name]
    told = str(logs) + "".join(record.getMessage() for record in client)
    assert "canary" not in told
    assert "secret" not in told


def test_a_key_kept_back_is_named_as_the_reason():
    address = AuraSynthesizer(MODEL, "ws://aura.example", KEY)._address
    refused = address._refused(Response(401, "Unauthorized", Headers(), b""))
    assert "the key was not sent" in str(refused)


def settings(**values):
    return Settings.model_construct(**values)


@pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr(" ")])
def test_without_a_key_the_variable_is_named(key):
    with pytest.raises(ConfigError, match="set the variable DEEPGRAM_API_KEY"):
        aura.create(None, settings(deepgram_api_key=key))


@pytest.mark.parametrize(
    ("argument", "values", "message"),
    [
        ("thalia", {}, "Aura has no voice 'thalia'; name one such as aura-2-thalia-en"),
        (None, {"aura_url": "https://api.deepgram.com"}, "aura_url must look like wss://"),
        (None, {"deepgram_api_key": SecretStr("k\u00e9y")}, "contains characters that no key has"),
    ],
)
def test_what_cannot_work_is_a_config_error(argument, values, message):
    with pytest.raises(ConfigError, match=message):
        aura.create(argument, settings(**{"deepgram_api_key": KEY} | values))


async def test_the_settings_name_the_voice_and_the_server():
    async with aura_server() as server:
        given = settings(deepgram_api_key=KEY, aura_url=server.url)
        await spoken(aura.create("aura-2-apollo-en", given), HELLO)
        await spoken(aura.create(None, given), HELLO)
    models = [connection.parameters.model for connection in server.connections]
    assert models == ["aura-2-apollo-en", "aura-2-thalia-en"]


# A conversation.


async def test_of_a_draft_that_was_dropped_nothing_is_heard_in_the_reply():
    now = anyio.current_time()
    script = [
        (now + 0.1, StartOfTurn(0)),
        (now + 0.2, EagerEndOfTurn(0, "A table for two, please")),
        (now + 0.4, TurnResumed(0, "A table for two, please, no")),
        (now + 0.6, EagerEndOfTurn(0, "No, for three")),
        (now + 0.8, EndOfTurn(0, "No, for three")),
    ]
    transport = MemoryTransport(RATE_HZ)
    async with aura_server(Manner(first_audio_s=0.05, speed=2, late_frames=2)) as server:
        session = Session(
            ScriptedAgent(lambda turn: [f"{turn.transcript}."]),
            source=ScriptedSource(script),
            voice=voice_at(server.url),
            transport=transport,
            settings=settings(),
        )
        await run_until(session, transport, now + 2.5)
        await until(lambda: not server.open)
    said = [message.text for _, message in server.heard if isinstance(message, Speak)]
    heard = b"".join(sound.pcm for sound in transport.far_end.sounds)
    assert said == ["A table for two,", "No, for three."]
    assert heard.rstrip(b"\0") == own("No, for three.")
    assert server.times(Clear)[0] == now + 0.4 < server.times(Speak)[1]
    assert len(server.connections) == 2
