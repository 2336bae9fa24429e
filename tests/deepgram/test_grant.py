"""Short-lived tokens, from a real HTTP server on loopback."""

import socket
from urllib.parse import urlsplit

import anyio
import pytest

from turnkit.deepgram import grant
from turnkit.deepgram.grant import PATH, Granter, GrantFailed, grant_url, granter
from turnkit.errors import ConfigError
from turnkit.testing.grant_server import grant_server

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

KEY = "canary-4711"


async def failure(server):
    with pytest.raises(GrantFailed) as caught:
        await Granter(server.url, KEY, 30).token()
    assert KEY not in str(caught.value)
    return caught.value


async def test_a_token_is_got_with_the_key():
    async with grant_server() as server:
        assert await Granter(server.url, KEY, 60).token() == "token-1"
    assert server.keys == [f"Token {KEY}"]
    assert server.bodies == [{"ttl_seconds": 60}]


async def test_a_token_is_used_as_long_as_it_lives():
    async with grant_server() as server:
        one = Granter(server.url, KEY, 3600)
        assert {await one.token() for _ in range(3)} == {"token-1"}
    assert one.requests == 1


async def test_one_that_is_near_its_end_is_not():
    async with grant_server() as server:
        server.body = b'{"access_token":"short","expires_in":4}'
        one = Granter(server.url, KEY, 30)
        await one.token()
        await one.token()
    assert one.requests == 2


async def test_one_request_is_under_way_at_a_time_and_serves_all():
    told = []
    async with grant_server() as server, anyio.create_task_group() as tasks:
        server.answer_s = 0.05

        async def ask(one):
            told.append(await one.token())

        for _ in range(20):
            tasks.start_soon(ask, granter(server.url, KEY, 30))
    assert told == ["token-1"] * 20
    assert (server.at_once, len(server.keys)) == (1, 1)


async def test_so_does_one_refusal():
    failures = []
    async with grant_server() as server, anyio.create_task_group() as tasks:
        server.answer_s, server.status = 0.05, 429

        async def ask(one):
            with pytest.raises(GrantFailed) as caught:
                await one.token()
            failures.append(caught.value)

        one = Granter(server.url, KEY, 30)
        for _ in range(20):
            tasks.start_soon(ask, one)
    assert len(failures) == 20
    assert len(server.keys) == 1


async def test_after_a_refusal_it_may_be_asked_again():
    async with grant_server() as server:
        server.status = 503
        await failure(server)
        server.status = 200
        assert await Granter(server.url, KEY, 30).token() == "token-2"


async def test_who_gives_up_waiting_leaves_the_request_to_the_next():
    async with grant_server() as server, anyio.create_task_group() as tasks:
        server.answer_s = 30.0
        one = Granter(server.url, KEY, 30)
        with anyio.CancelScope() as impatient:
            tasks.start_soon(one.token)
            await server.asked.wait()
            impatient.cancel()
        tasks.cancel_scope.cancel()
    async with grant_server() as server:
        one.url = server.url
        assert await one.token() == "token-1"


@pytest.mark.parametrize(
    ("status", "final", "advice"),
    [
        (400, True, "check deepgram_grant_s"),
        (401, True, "check DEEPGRAM_API_KEY"),
        (402, True, "out of credit"),
        (403, True, "the role Member"),
        (404, True, "deepgram_grant_s to 0"),
        (429, False, "too many connections"),
        (503, False, "try again later"),
    ],
)
async def test_a_refusal_says_why_and_whether_it_is_final(status, final, advice):
    async with grant_server() as server:
        server.status = status
        refused = await failure(server)
    assert refused.final is final
    assert f"HTTP {status}: FAULT: asked for, Token [key]; " in str(refused)
    assert advice in str(refused)


async def test_a_server_that_wants_to_be_left_alone_says_for_how_long():
    async with grant_server() as server:
        server.status, server.headers = 429, {"Retry-After": "7"}
        assert (await failure(server)).retry_after_s == 7.0


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"access_token":"a\\nb","expires_in":30}', b"x" * 100_000],
)
async def test_an_answer_that_is_none_may_be_better_next_time(body):
    async with grant_server() as server:
        server.body = body
        assert not (await failure(server)).final


async def test_a_proxys_page_is_no_reason():
    async with grant_server() as server:
        server.status, server.body = 502, b"<html>"
        assert "HTTP 502: no reason" in str(await failure(server))


async def test_a_server_that_is_not_there_may_come_back():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    one = Granter(f"http://127.0.0.1:{port}{PATH}", KEY, 30)
    with pytest.raises(GrantFailed, match="cannot be reached") as caught:
        await one.token()
    assert not caught.value.final


async def test_a_server_that_does_not_answer_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(grant, "LIMIT_S", 0.05)
    async with grant_server() as server:
        server.answer_s = 30.0
        assert "TimeoutError" in str(await failure(server)) or server.keys == []


async def test_calls_share_a_granter_and_few_are_kept():
    first = granter("http://a.example", KEY, 30)
    assert granter("http://a.example", KEY, 30) is first
    for number in range(20):
        granter(f"http://{number}.example", KEY, 30)
    assert granter("http://a.example", KEY, 30) is not first


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("wss://api.eu.deepgram.com/v2/listen", "https://api.eu.deepgram.com/v1/auth/grant"),
        ("wss://api.deepgram.com/v1/speak", "https://api.deepgram.com/v1/auth/grant"),
        ("ws://127.0.0.1:9/v2/listen", "http://127.0.0.1:9/v1/auth/grant"),
    ],
)
def test_tokens_are_granted_where_they_are_used(service, url):
    assert grant_url(urlsplit(service), None) == url


def test_or_where_the_settings_say():
    service = urlsplit("wss://flux.example/v2/listen")
    assert grant_url(service, "https://tokens.example/mine") == "https://tokens.example/mine"


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        (None, "grants no tokens; set deepgram_grant_url"),
        ("http://tokens.example", "use https://"),
        ("wss://tokens.example", "must look like https://"),
        ("https://me:pw@tokens.example", "must look like https://"),
    ],
)
def test_a_place_that_cannot_work_is_a_config_error(configured, message):
    with pytest.raises(ConfigError, match=message) as caught:
        grant_url(urlsplit("wss://flux.example/v2/listen"), configured)
    assert "pw" not in str(caught.value)
