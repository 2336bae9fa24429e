"""Flux at Cloudflare: what is asked of it, what is shown to whom, and how little is relied on."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import anyio
import numpy as np
import pytest
from pydantic import SecretStr
from websockets.asyncio.server import serve

from turnkit.audio.frames import AudioFormat
from turnkit.audio.g711 import encode_mulaw
from turnkit.config import Settings
from turnkit.dial import NOTHING
from turnkit.errors import ConfigError, SourceRefused
from turnkit.sources import cloudflare
from turnkit.sources.base import Change, ConfigureUnsupported
from turnkit.sources.flux.cloudflare import Form, form_of
from turnkit.sources.flux_wire import CloseStream
from turnkit.testing.flux_faults import CLOUDFLARE, Deployment, Drop, Refuse
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say
from turnkit.turn.events import EndOfTurn

pytestmark = [pytest.mark.anyio, pytest.mark.network]

WORKER = "wss://flux.me.workers.dev/v2/listen"
GATEWAY = "wss://gateway.ai.cloudflare.com/v1/acc/gw/workers-ai"
DIRECT = "wss://api.cloudflare.com/client/v4/accounts/acc/ai/run/@cf/deepgram/flux"
NATIVE = "wss://gateway.ai.cloudflare.com/v1/acc/gw/deepgram/v2/listen"
SECRETS = {
    "cloudflare_worker_secret": SecretStr("worker-canary"),
    "cloudflare_api_token": SecretStr("api-canary"),
    "deepgram_api_key": SecretStr("deepgram-canary"),
}
AUDIO = AudioFormat(16000)
PLAIN = [("encoding", "linear16"), ("sample_rate", "16000"), ("eager_eot_threshold", "0.5")]


def source_at(url, audio=AUDIO, **values):
    return cloudflare.create(url, Settings.model_construct(**(SECRETS | values)), audio)


def route_at(url, **values):
    return source_at(url, **values)._routes[0]


def asked(url, **values):
    source = source_at(url, **values)
    (route,) = source._routes
    return parse_qsl(urlsplit(route.service.address(route.url, source.active)).query)


async def shown(url, **values):
    return dict((await route_at(url, **values).offer()).headers)


def local(url, path):
    """The address of a server of this machine with Cloudflare's path."""
    return url.replace("/v2/listen", path)


async def conversation(url, **values):
    source = source_at(url, **values)
    events = []
    source.hear(say("yes please"))
    source.finish()
    await source.run(events.append)
    return [event for event in events if isinstance(event, EndOfTurn)], source


# What is asked.


@pytest.mark.parametrize(
    ("url", "form"),
    [
        (WORKER, Form.WORKER),
        (GATEWAY, Form.GATEWAY),
        (DIRECT, Form.DIRECT),
        (NATIVE, Form.NATIVE),
        ("wss://w.example/workers-ai/mine", Form.WORKER),
    ],
)
def test_the_path_tells_what_is_there(url, form):
    assert form_of(urlsplit(url)) is form


def test_defaults_are_left_out_and_there_is_no_model():
    assert asked(WORKER) == PLAIN
    assert asked(DIRECT) == PLAIN
    assert asked(WORKER, eager_eot_threshold=None) == PLAIN[:2]


def test_the_gateway_wants_cloudflares_name_of_it():
    assert asked(GATEWAY) == [("model", "@cf/deepgram/flux"), *PLAIN]


def test_all_of_the_published_parameters_can_be_set():
    given = {
        "eager_eot_threshold": 0.4,
        "eot_threshold": 0.8,
        "eot_timeout_ms": 3000,
        "keyterms": ("one", "two words"),
        "mip_opt_out": True,
        "tags": ("t",),
    }
    assert asked(WORKER, **given)[2:] == [
        ("eager_eot_threshold", "0.4"),
        ("eot_threshold", "0.8"),
        ("eot_timeout_ms", "3000"),
        ("keyterm", "one"),
        ("keyterm", "two words"),
        ("mip_opt_out", "true"),
        ("tag", "t"),
    ]


def test_in_front_of_deepgram_it_is_deepgrams_own():
    assert dict(asked(NATIVE, model="flux-general-multi"))["model"] == "flux-general-multi"


@pytest.mark.parametrize("url", [WORKER, GATEWAY, DIRECT])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model": "flux-general-multi"}, "hosts English only; set model to flux-general-en"),
        ({"language_hints": ("en",)}, "language_hint is not supported for model flux-general-en"),
        ({"numerals": True}, "numerals is not known to Cloudflare's Flux"),
        ({"redact": "numbers"}, "redact is not known"),
        ({"profanity_filter": True}, "profanity_filter is not known"),
        ({"eot_threshold": 0.95}, "eot_threshold 0.95 is out of range at Cloudflare"),
    ],
)
def test_what_cloudflare_has_not_is_refused_before_anything_is_sent(url, values, message):
    with pytest.raises(ConfigError, match=message):
        source_at(url, **values)


# What is shown, and to whom.


async def test_a_worker_sees_its_secret_and_cloudflare_its_token():
    assert await shown(WORKER) == {"Authorization": "Bearer worker-canary"}
    assert await shown(DIRECT) == {"Authorization": "Bearer api-canary"}
    assert await shown(GATEWAY) == {"cf-aig-authorization": "Bearer api-canary"}
    assert await shown(NATIVE) == {
        "Authorization": "Token deepgram-canary",
        "cf-aig-authorization": "Bearer api-canary",
    }


@pytest.mark.parametrize("path", ["/workers-ai", Form.DIRECT.value])
async def test_nobody_but_cloudflare_sees_the_token(path):
    assert await shown(f"wss://elsewhere.example{path}") == {}
    assert await shown(f"ws://api.cloudflare.com{path}") == {}


async def test_nobody_else_sees_it_with_deepgrams_key():
    seen = await shown("wss://elsewhere.example/deepgram/v2/listen")
    assert seen == {"Authorization": "Token deepgram-canary"}


async def test_nothing_is_shown_that_is_not_set():
    assert await shown(WORKER, cloudflare_worker_secret=None) == {}
    assert await shown(GATEWAY, cloudflare_api_token=SecretStr(" ")) == {}


def test_in_front_of_deepgram_its_key_is_needed():
    with pytest.raises(ConfigError, match="needs DEEPGRAM_API_KEY"):
        source_at(NATIVE, deepgram_api_key=None)


def test_a_secret_that_is_none_is_a_config_error():
    with pytest.raises(ConfigError, match="TURNKIT_CLOUDFLARE_WORKER_SECRET contains"):
        source_at(WORKER, cloudflare_worker_secret=SecretStr("a\nb"))


def test_secrets_are_not_shown():
    assert "canary" not in repr([route_at(url) for url in (WORKER, GATEWAY, DIRECT, NATIVE)])


@pytest.mark.parametrize(
    ("path", "values", "advice"),
    [
        ("/v2/listen", {}, "check TURNKIT_CLOUDFLARE_WORKER_SECRET"),
        ("/v2/listen", {"cloudflare_worker_secret": None}, "set TURNKIT_CLOUDFLARE_WORKER_SECRET"),
        ("/workers-ai", {}, "check CLOUDFLARE_API_TOKEN"),
        ("/deepgram/v2/listen", {}, "check DEEPGRAM_API_KEY, and check CLOUDFLARE_API_TOKEN"),
        (
            "/deepgram/v2/listen",
            {"cloudflare_api_token": None},
            "check DEEPGRAM_API_KEY, and set CLOUDFLARE_API_TOKEN for a locked gateway",
        ),
    ],
)
async def test_who_is_not_let_in_learns_what_to_look_at(path, values, advice):
    async with flux_server(runs=Deployment(admits=())) as server:
        with pytest.raises(SourceRefused, match="HTTP 401") as caught:
            await conversation(local(server.url, path), **values)
    assert advice in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_token_kept_back_is_named_as_the_reason():
    advice = route_at("wss://elsewhere.example/workers-ai").service.advise(401, offered=NOTHING)
    assert "was not sent: it goes to cloudflare.com only" in advice


@pytest.mark.parametrize("path", ["/v2/listen", "/deepgram/v2/listen"])
@pytest.mark.parametrize(
    ("status", "advice"),
    [(402, "out of credit"), (404, "check the URL"), (418, "check the URL")],
)
def test_other_refusals_have_their_advice_too(path, status, advice):
    assert advice in route_at(f"wss://w.example{path}").service.advise(status, NOTHING)


# What may be missing.


async def test_a_conversation_with_the_least_that_is_promised():
    async with flux_server(runs=CLOUDFLARE) as server:
        ends, source = await conversation(server.url)
    assert [end.transcript for end in ends] == ["yes please"]
    assert source.malformed == 0
    assert source.unknown == {}
    assert server.visits[0].orders == [CloseStream()]


async def test_connected_is_waited_for_once(call):
    """Half a second on the first connection, nothing on the next."""
    async with flux_server(Drop(0, 5), runs=CLOUDFLARE) as server:
        routes = source_at(server.url)._routes
        called = await call(routes, say("yes please", "no thanks"), 2)
    assert called.turns == {0: "yes please", 1: "no thanks"}
    assert [visit.audio[0][0] - visit.opened_at for visit in server.visits] == [
        pytest.approx(0.5, abs=0.11),
        pytest.approx(0.0, abs=0.09),
    ]


async def test_connected_without_a_type_is_still_connected(call):
    async with flux_server(runs=replace(CLOUDFLARE, greets=True)) as server:
        called = await call(source_at(server.url)._routes, say("yes"), 1)
    assert called.turns == {0: "yes"}
    assert server.visits[0].audio[0][0] - server.visits[0].opened_at < 0.09


async def test_a_server_that_knows_neither_configure_nor_force_end_turn_costs_no_words(call):
    refused = []

    async def configure(source):
        for _ in range(2):
            try:
                await source.configure(Change(eot_timeout_ms=900))
            except ConfigureUnsupported as exc:
                refused.append(exc.host)

    does = [(1.0, configure), (6.0, lambda source: source.end_turn())]
    async with flux_server(runs=CLOUDFLARE) as server:
        audio = say("book a table", "for four")
        called = await call(source_at(server.url)._routes, audio, 2, does=does)
    host = urlsplit(server.url).netloc
    assert refused == [host, host]
    assert called.source.unsupported == {host: {"Configure"}}
    assert " ".join(called.turns.values()) == "book a table for four"
    assert called.error is None


async def test_a_refusal_of_the_turn_settings_is_answered_by_asking_for_less():
    async with flux_server(Refuse(0, status=400), runs=CLOUDFLARE) as server:
        ends, _ = await conversation(server.url, keyterms=("please",))
    assert [end.transcript for end in ends] == ["yes please"]
    queries = [parse_qsl(urlsplit(request.path).query) for request in server.requests]
    assert queries == [[*PLAIN, ("keyterm", "please")], PLAIN[:2]]


async def test_a_refusal_of_that_too_is_final():
    refusals = [Refuse(n, status=400) for n in range(3)]
    async with flux_server(*refusals, runs=CLOUDFLARE) as server:
        with pytest.raises(SourceRefused, match="HTTP 400"):
            await conversation(server.url)
    assert len(server.requests) == 2


async def test_the_gateways_token_goes_with_bearer_or_without():
    runs = Deployment(admits=("cf-aig-authorization: api-canary",))
    async with flux_server(runs=runs) as server:
        with pytest.raises(SourceRefused, match="HTTP 400"):  # it is no Workers AI behind the door
            await conversation(local(server.url, "/workers-ai"))
    shown = [request.headers["cf-aig-authorization"] for request in server.requests]
    assert shown[:2] == ["Bearer api-canary", "api-canary"]


async def test_what_a_worker_could_not_pass_on_is_told():
    def say_so(connection, request, response):
        response.headers["x-turnkit-reduced"] = "eot_threshold"

    async def script(websocket):
        await websocket.wait_closed()

    async with serve(script, "127.0.0.1", 0, process_response=say_so) as running:
        source = source_at(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}")
        with anyio.move_on_after(0.2):
            await source.run([].append)
    (unsupported,) = source.unsupported.values()
    assert unsupported == {"parameters eot_threshold"}


# Audio Cloudflare does not take.


@pytest.mark.parametrize("encoding", ["mulaw", "alaw", "linear32", "linear16"])
async def test_audio_is_sent_as_linear16_whatever_it_was(encoding):
    heard = []

    async def listen(websocket):
        heard.append((websocket.request.path, await websocket.recv()))

    samples = (np.sin(np.arange(640) / 7) * 8000).astype("<i2")
    audio = AudioFormat(8000, encoding)
    sent = {
        "mulaw": encode_mulaw(samples),
        "alaw": b"\xd5" * 640,
        "linear32": (samples / 32767).astype("<f4").tobytes(),
        "linear16": samples.tobytes(),
    }[encoding]
    async with serve(listen, "127.0.0.1", 0) as running:
        source = source_at(f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}", audio)
        source.hear(sent)
        with anyio.move_on_after(5):
            source.finish()
            await _until(source, heard)
    path, first = heard[0]
    assert ("encoding", "linear16") in parse_qsl(urlsplit(path).query)
    got = np.frombuffer(first, "<i2").astype(int)
    expected = samples.astype(int) if encoding != "alaw" else np.full(640, 8)
    assert np.abs(got - expected).max() <= (300 if encoding == "mulaw" else 1)


async def _until(source, heard):
    async with anyio.create_task_group() as tasks:

        async def run():
            try:
                await source.run([].append)
            finally:
                tasks.cancel_scope.cancel()

        tasks.start_soon(run)
        while not heard:  # noqa: ASYNC110  # whatever the source makes of it
            await anyio.sleep(0.01)
        tasks.cancel_scope.cancel()


async def test_a_call_fails_over_from_deepgram_to_cloudflare_in_the_middle_of_a_word(call):
    async with (
        flux_server(Drop(0, 5), *(Refuse(n) for n in range(1, 9))) as first,
        flux_server(runs=CLOUDFLARE) as second,
    ):
        routes = source_at(f"{second.url},{first.url}")._routes[::-1]
        called = await call(routes, say("book a table", "for four"), 2)
    assert called.turns == {0: "book a table", 1: "for four"}
    assert [outage.host for outage in called.source.outages] == [urlsplit(second.url).netloc]
