"""What a user writes after --source, and the routes it makes."""

import pytest
from pydantic import SecretStr

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources import flux
from turnkit.sources.flux.places import read_places

KEY = {"deepgram_api_key": SecretStr("k")}


def read(text, **values):
    return read_places(text, Settings.model_construct(**(KEY | values)))


def urls(text):
    return [route.url.geturl() for route in read(text)]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("deepgram", "wss://api.deepgram.com/v2/listen"),
        ("deepgram:", "wss://api.deepgram.com/v2/listen"),
        ("deepgram:au", "wss://api.au.deepgram.com/v2/listen"),
        ("deepgram-in", "wss://api.in.deepgram.com/v2/listen"),
        ("eu", "wss://api.eu.deepgram.com/v2/listen"),
        ("deepgram:wss://uid.eu.api.deepgram.com", "wss://uid.eu.api.deepgram.com/v2/listen"),
        ("flux:ws://h:8080", "ws://h:8080/v2/listen"),
        ("ws://h/v2/listen", "ws://h/v2/listen"),
        ("cloudflare:wss://w.example", "wss://w.example/v2/listen"),
        ("cloudflare:wss://w.example/flux", "wss://w.example/flux"),
    ],
)
def test_a_place_has_an_address(text, url):
    assert urls(text) == [url]


def test_several_are_taken_in_their_order_whatever_their_kind():
    text = "deepgram:eu, global,cloudflare:wss://w.example, ws://127.0.0.1:8080"
    assert urls(text) == [
        "wss://api.eu.deepgram.com/v2/listen",
        "wss://api.deepgram.com/v2/listen",
        "wss://w.example/v2/listen",
        "ws://127.0.0.1:8080/v2/listen",
    ]


def test_a_vendors_sample_may_be_pasted_whole():
    gateway = "wss://gateway.ai.cloudflare.com/v1/acc/gw/workers-ai"
    sample = f"cloudflare:{gateway}?model=@cf/deepgram/flux&encoding=linear16&sample_rate=16000"
    assert urls(sample) == [gateway]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mars", "there is no route 'mars' to Flux; the forms are .* regions are global, eu"),
        ("deepgram:mars", "Deepgram has no region 'mars'; choose one of global, eu, au, in"),
        ("deepgram-mars", "Deepgram has no region 'mars'"),
        ("deepgram:eu,", "URL must look like"),
        ("cloudflare", "needs an address: cloudflare:wss://"),
        ("cloudflare:https://w.example", "source cloudflare must look like wss://"),
        ("cloudflare:wss://w.example?token=pw", "secrets are variables"),
        ("cloudflare:wss://[::1?model=x", "cannot be read"),
        ("http://h", "URL must look like"),
        (",".join(["deepgram"] * 9), "9 routes are too many; name at most 8"),
    ],
)
def test_what_is_no_place_is_a_config_error_that_helps(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        read(text)
    assert "pw" not in str(caught.value)


def test_deepgram_needs_a_key_and_other_servers_do_not():
    with pytest.raises(ConfigError, match="source deepgram needs a key: set the variable"):
        read("ws://127.0.0.1:8080,deepgram", deepgram_api_key=None)
    assert read("ws://127.0.0.1:8080", deepgram_api_key=None)


def test_all_routes_are_held_against_the_settings_before_anything_is_sent():
    given = Settings.model_construct(**KEY, model="flux-general-multi")
    with pytest.raises(ConfigError, match="hosts English only"):
        flux.create("deepgram,cloudflare:wss://w.example", given, AudioFormat(16000))


def test_tokens_nobody_would_grant_are_a_config_error():
    given = Settings.model_construct(**KEY, deepgram_grant_s=30)
    with pytest.raises(ConfigError, match="grants no tokens"):
        flux.create("deepgram,wss://flux.example", given, AudioFormat(16000))
    assert flux.create("deepgram:eu", given, AudioFormat(16000))
    assert flux.create(
        "deepgram,ws://10.0.0.7", given, AudioFormat(16000)
    )  # nothing is shown there
