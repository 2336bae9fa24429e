"""Deepgram's own servers: how the client is let in, and what it can ask for."""
# ruff: noqa: N802

import json
import ssl
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from pydantic import SecretStr
from websockets.asyncio.server import serve

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError, SourceLost, SourceRefused
from turnkit.sources import deepgram, flux
from turnkit.sources.flux import FluxSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.flux_faults import Deployment, Drop
from turnkit.testing.flux_server import flux_server
from turnkit.testing.grant_server import grant_server
from turnkit.testing.spelling import say
from turnkit.turn.events import EndOfTurn

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

PHONE = AudioFormat(8000, "mulaw")
AUDIO = AudioFormat(16000)
ENGLISH = ListenParameters("flux-general-en", "linear16", 16000)


def settings(**values):
    secrets = {"deepgram_api_key", "deepgram_access_token"}
    return Settings.model_construct(
        **{n: SecretStr(v) if n in secrets else v for n, v in values.items()}
    )


async def conversation(url, **values):
    """Say yes and hang up; return what was reported, and the source."""
    events = []
    source = flux.create(url, settings(**values), AUDIO)
    source.hear(say("yes"))
    source.finish()
    await source.run(events.append)
    return [event for event in events if isinstance(event, EndOfTurn)], source


def test_more_than_one_place_can_be_named_and_other_servers_too():
    own = "ws://127.0.0.1:8080/v2/listen"
    source = deepgram.create(f"eu, global,{own}", settings(deepgram_api_key="k"), PHONE)
    assert [route.url.geturl() for route in source._routes] == [
        "wss://api.eu.deepgram.com/v2/listen",
        "wss://api.deepgram.com/v2/listen",
        own,
    ]


def test_a_missing_key_is_a_config_error_that_names_the_variable():
    with pytest.raises(ConfigError, match="DEEPGRAM_API_KEY"):
        deepgram.create(None, settings(), PHONE)


# Being let in.


@pytest.mark.parametrize(
    ("admitted", "values"),
    [
        ("token key-1", {"deepgram_api_key": "key-1"}),
        ("bearer jwt-1", {"deepgram_access_token": "jwt-1"}),
        ("token key-1", {"deepgram_api_key": "key-1", "deepgram_auth": "subprotocol"}),
        ("bearer jwt-1", {"deepgram_access_token": "jwt-1", "deepgram_auth": "subprotocol"}),
    ],
)
async def test_key_and_token_let_one_in_either_way(admitted, values):
    async with flux_server(runs=Deployment(admits=(admitted,))) as server:
        ends, _ = await conversation(server.url, **values)
        with pytest.raises(SourceRefused, match="HTTP 401"):
            await conversation(server.url, **dict.fromkeys(values, "wrong") | _but(values))
    assert [end.transcript for end in ends] == ["yes"]
    as_header = "Authorization" in server.requests[0].headers
    assert as_header == ("deepgram_auth" not in values)


def _but(values):
    return {name: value for name, value in values.items() if name == "deepgram_auth"}


async def test_a_token_that_is_refused_may_have_expired():
    async with flux_server(runs=Deployment(admits=())) as server:
        with pytest.raises(SourceRefused, match="DEEPGRAM_ACCESS_TOKEN, which may have expired"):
            await conversation(server.url, deepgram_access_token="jwt-1")


async def test_short_lived_tokens_are_got_for_a_call_and_for_its_reconnections():
    async with grant_server() as grants:
        grants.body = b'{"access_token":"jwt","expires_in":4}'  # too short to be used twice
        runs = Deployment(admits=("bearer jwt",))
        async with flux_server(Drop(0, 5), runs=runs) as server:
            ends, source = await conversation(
                server.url,
                deepgram_api_key="canary",
                deepgram_grant_s=30,
                deepgram_grant_url=grants.url,
            )
    assert [end.transcript for end in ends] == ["yes"]
    assert len(source.outages) == 1
    assert grants.keys == ["Token canary"] * 2
    assert "canary" not in str([request.headers for request in server.requests])


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, SourceRefused, "HTTP 401: FAULT: .*; check DEEPGRAM_API_KEY"),
        (403, SourceRefused, "HTTP 403: FAULT: .*; a key needs the role Member"),
        (429, SourceLost, "HTTP 429: FAULT: .*; too many connections"),
    ],
)
async def test_a_refused_grant_is_like_a_refused_handshake(status, kind, message):
    async with grant_server() as grants, flux_server() as server:
        grants.status = status
        grants.headers = {"Retry-After": "60"}
        with pytest.raises(kind, match=message) as caught:
            await conversation(
                server.url,
                deepgram_api_key="canary",
                deepgram_grant_s=30,
                deepgram_grant_url=grants.url,
            )
    assert "canary" not in str(caught.value)
    assert server.knocked_at == []
    assert len(grants.keys) == 1


# TLS.


async def test_A8_a_false_certificate_is_refused_and_not_tried_again():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    handshakes = []

    def count(*_):
        handshakes.append(1)

    context.sni_callback = count

    async def nobody(websocket):
        raise AssertionError("was let in")

    async with serve(nobody, "127.0.0.1", 0, ssl=context) as running:
        url = f"wss://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        with pytest.raises(SourceRefused, match="certificate is refused: unable to get local"):
            await FluxSource(url, ENGLISH).run([].append)
    assert len(handshakes) == 1


# What can be asked for.

EVERYTHING = {
    "model": "flux-general-multi",
    "eager_eot_threshold": 0.4,
    "eot_threshold": 0.8,
    "eot_timeout_ms": 6000,
    "keyterms": ("Deepgram", "customer service"),
    "language_hints": ("en", "pt-BR"),
    "profanity_filter": True,
    "numerals": True,
    "redact": "numbers",
    "mip_opt_out": True,
    "tags": ("night shift",),
}


@pytest.fixture
async def asked():
    """Return what a server is asked by whoever is run against it."""

    async def of(run):
        requests = []

        def note(connection, request):
            requests.append(request)
            return connection.respond(400, "{}")

        async with serve(lambda _: None, "127.0.0.1", 0, process_request=note) as running:
            await run(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}")
        (request,) = requests
        return request

    return of


@pytest.mark.parametrize("encoding", ["linear16", "linear32", "mulaw", "alaw"])
async def test_every_parameter_is_a_setting(asked, encoding):
    async def run(url):
        source = flux.create(url, settings(**EVERYTHING), AudioFormat(8000, encoding))
        with pytest.raises(SourceRefused):
            await source.run([].append)

    request = await asked(run)
    assert parse_qs(urlsplit(request.path).query) == {
        "model": ["flux-general-multi"],
        "encoding": [encoding],
        "sample_rate": ["8000"],
        "eager_eot_threshold": ["0.4"],
        "eot_threshold": ["0.8"],
        "eot_timeout_ms": ["6000"],
        "keyterm": ["Deepgram", "customer service"],
        "language_hint": ["en", "pt-BR"],
        "profanity_filter": ["true"],
        "numerals": ["true"],
        "redact": ["numbers"],
        "mip_opt_out": ["true"],
        "tag": ["night shift"],
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it is made for an older websockets
@pytest.mark.parametrize("secret", [{"api_key": "s"}, {"access_token": "s"}])
async def test_deepgrams_own_client_asks_in_the_same_way(asked, secret):
    from deepgram import AsyncDeepgramClient  # noqa: PLC0415  # where its warnings are expected
    from deepgram.core.api_error import ApiError  # noqa: PLC0415
    from deepgram.environment import DeepgramClientEnvironment  # noqa: PLC0415

    async def theirs(url):
        there = DeepgramClientEnvironment(base=url, production=url, agent=url, agent_rest=url)
        client = AsyncDeepgramClient(**secret, environment=there)
        words = {"keyterms": "keyterm", "language_hints": "language_hint", "tags": "tag"}
        given = {
            words.get(name, name): json.dumps(value) if isinstance(value, bool) else value
            for name, value in EVERYTHING.items()
        }
        audio = {"encoding": "linear16", "sample_rate": 16000}
        with pytest.raises(ApiError):
            async with client.listen.v2.connect(**given, **audio):
                pass

    async def ours(url):
        given = {f"deepgram_{name}": value for name, value in secret.items()}
        with pytest.raises(SourceRefused):
            await flux.create(url, settings(**EVERYTHING, **given), AUDIO).run([].append)

    official, own = await asked(theirs), await asked(ours)
    assert parse_qs(urlsplit(own.path).query) == parse_qs(urlsplit(official.path).query)
    assert urlsplit(own.path).path == urlsplit(official.path).path == "/v2/listen"
    shown = [request.headers["Authorization"].lower() for request in (own, official)]
    assert shown[0] == shown[1]  # the scheme's case does not matter
