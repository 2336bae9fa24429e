"""Key and tokens: which is shown, in which form, and to whom."""

import builtins
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from turnkit.config import Settings
from turnkit.deepgram.credentials import Credentials, needed, of_key, of_settings
from turnkit.errors import ConfigError
from turnkit.testing.grant_server import grant_server

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

THERE = urlsplit("wss://api.deepgram.com/v2/listen")


def settings(**values):
    secrets = {"deepgram_api_key", "deepgram_access_token"}
    return Settings.model_construct(
        **{n: SecretStr(v) if n in secrets else v for n, v in values.items()}
    )


async def shown(url=THERE, **values):
    offer = await of_settings(settings(**values)).offer(url)
    return dict(offer.headers), offer.subprotocols


async def test_a_key_is_a_token_and_a_token_is_a_bearers():
    assert await shown(deepgram_api_key=" k\n") == ({"Authorization": "Token k"}, ())
    assert await shown(deepgram_access_token="t") == ({"Authorization": "Bearer t"}, ())


async def test_a_token_goes_before_a_key():
    both = {"deepgram_api_key": "k", "deepgram_access_token": "t"}
    assert await shown(**both) == ({"Authorization": "Bearer t"}, ())


async def test_either_can_be_a_subprotocol():
    form = {"deepgram_auth": "subprotocol"}
    assert await shown(deepgram_api_key="k", **form) == ({}, ("token", "k"))
    assert await shown(deepgram_access_token="t", **form) == ({}, ("bearer", "t"))


async def test_without_either_nothing_is_shown():
    assert await shown() == ({}, ())


async def test_nothing_is_shown_where_others_can_read_it():
    assert await shown(urlsplit("ws://flux.example"), deepgram_api_key="k") == ({}, ())


async def test_a_token_is_got_with_the_key_for_every_handshake_that_needs_one():
    async with grant_server() as server:
        given = settings(
            deepgram_api_key="canary", deepgram_grant_s=30, deepgram_grant_url=server.url
        )
        first, second = of_settings(given), of_settings(given)
        offers = [await one.offer(THERE) for one in (first, second, first)]
    assert [offer.headers["Authorization"] for offer in offers] == ["Bearer token-1"] * 3
    assert first.hide("token-1 and canary") == "[token] and [key]"


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({}, "set DEEPGRAM_API_KEY"),
        ({"deepgram_api_key": "k"}, "check DEEPGRAM_API_KEY"),
        ({"deepgram_access_token": "t"}, "check DEEPGRAM_ACCESS_TOKEN, which may have expired"),
    ],
)
def test_who_is_not_let_in_learns_what_to_look_at(values, advice):
    assert of_settings(settings(**values)).advice == advice


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"deepgram_api_key": "k\u00e9y"}, "DEEPGRAM_API_KEY contains characters"),
        ({"deepgram_access_token": "a\nb"}, "DEEPGRAM_ACCESS_TOKEN contains characters"),
        ({"deepgram_grant_s": 30}, "needs a key to get tokens with"),
    ],
)
def test_what_cannot_work_is_a_config_error(values, message):
    with pytest.raises(ConfigError, match=message):
        of_settings(settings(**values))


def test_who_needs_a_key_says_so():
    with pytest.raises(ConfigError, match="voice aura needs a key: set the variable DEEPGRAM_API"):
        needed(settings(deepgram_api_key=" "), "voice aura")
    assert needed(settings(deepgram_access_token="t"), "voice aura").token == "t"


def test_tokens_need_a_package(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **more):
        if name == "httpx2":
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'turnkit\[deepgram\]'"):
        Credentials("k", grant_s=30)


def test_secrets_are_not_in_a_repr():
    assert "canary" not in repr(Credentials("canary", "canary"))
    assert of_key(None).is_empty
