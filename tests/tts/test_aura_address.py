"""Aura's address and what is shown there."""

import ssl

import pytest
import trustme
from pydantic import SecretStr
from websockets.asyncio.server import serve

from turnkit.config import Settings
from turnkit.deepgram.credentials import of_key
from turnkit.errors import ConfigError, SynthesisError
from turnkit.testing.aura_server import aura_server
from turnkit.testing.grant_server import grant_server
from turnkit.tts import aura
from turnkit.tts.aura_address import Address, LineLost, LineRefused
from turnkit.tts.aura_wire import SpeakParameters

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

KEY = SecretStr("canary-4711")


def address(url):
    return Address(url, SpeakParameters(), of_key(KEY))


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("ws://127.0.0.1:1", "ws://127.0.0.1:1/v1/speak"),
        ("wss://api.eu.deepgram.com/", "wss://api.eu.deepgram.com/v1/speak"),
        ("wss://proxy.example/aura/", "wss://proxy.example/aura"),
    ],
)
def test_an_address_without_a_path_means_auras(url, whole):
    assert address(url)._url.geturl() == whole


@pytest.mark.parametrize(
    "url",
    [
        "api.deepgram.com",
        "https://api.deepgram.com",
        "ws://",
        "ws://h:x",
        "ws://me:pw@h",
        "ws://h?a=b",
    ],
)
def test_an_address_that_cannot_work_is_a_config_error(url):
    with pytest.raises(ConfigError, match="aura_url") as caught:
        address(url)
    assert "pw" not in str(caught.value)


def voice_at(url, **values):
    secrets = {n: SecretStr(v) for n, v in values.items() if n.endswith(("_key", "_token"))}
    return aura.create(None, Settings.model_construct(aura_url=url, **(values | secrets)))


async def speak(voice):
    return b"".join([pcm async for pcm in voice.speak("Hello.")])


@pytest.fixture
async def shown():
    """Return what a voice shows in its handshakes, all of them refused."""

    async def by(**values):
        requests = []

        def note(connection, request):
            requests.append(request)
            return connection.respond(401, "{}")

        async with serve(lambda _: None, "127.0.0.1", 0, process_request=note) as running:
            url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"
            with pytest.raises(LineRefused) as caught:
                await speak(voice_at(url, **values))
        headers = requests[0].headers
        return headers.get("Authorization"), headers.get("Sec-WebSocket-Protocol"), caught.value

    return by


async def test_a_key_or_a_token_is_shown_in_either_form(shown):
    form = {"deepgram_auth": "subprotocol"}
    assert (await shown(deepgram_api_key="k"))[:2] == ("Token k", None)
    assert (await shown(deepgram_access_token="t"))[:2] == ("Bearer t", None)
    assert (await shown(deepgram_api_key="k", **form))[:2] == (None, "token, k")
    assert (await shown(deepgram_access_token="t", **form))[:2] == (None, "bearer, t")


async def test_who_is_not_let_in_learns_what_to_look_at(shown):
    _, _, error = await shown(deepgram_access_token="canary")
    assert "check DEEPGRAM_ACCESS_TOKEN, which may have expired" in str(error)
    assert "canary" not in str(error)


async def test_short_lived_tokens_are_shown_instead_of_the_key(shown):
    async with grant_server() as grants:
        grant = {"deepgram_grant_s": 30, "deepgram_grant_url": grants.url}
        assert (await shown(deepgram_api_key="canary", **grant))[:2] == ("Bearer token-1", None)


@pytest.mark.parametrize(("status", "kind"), [(403, LineRefused), (503, LineLost)])
async def test_a_refused_grant_is_like_a_refused_handshake(status, kind):
    async with grant_server() as grants, aura_server() as server:
        grants.status = status
        grant = {"deepgram_grant_s": 30, "deepgram_grant_url": grants.url}
        with pytest.raises(kind, match=f"token server .* HTTP {status}"):
            await speak(voice_at(server.url, deepgram_api_key="canary", **grant))
    assert not server.connections


async def test_a_false_certificate_is_refused_for_good():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with serve(lambda _: None, "127.0.0.1", 0, ssl=context) as running:
        url = f"wss://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        with pytest.raises(SynthesisError, match="its certificate is refused: unable to get"):
            await speak(voice_at(url, deepgram_api_key="k"))


async def test_opting_out_of_training_holds_for_what_is_said_too():
    async with aura_server() as server:
        await speak(voice_at(server.url, deepgram_api_key="k", mip_opt_out=True))
    assert server.connections[0].parameters.mip_opt_out
