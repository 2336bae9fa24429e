"""Deepgram's own servers: where they are, and that they want a key."""

import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources import deepgram

PHONE = AudioFormat(8000, "mulaw")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        (None, "api.deepgram.com"),
        ("eu", "api.eu.deepgram.com"),
        ("au", "api.au.deepgram.com"),
        ("in", "api.in.deepgram.com"),
    ],
)
def test_a_region_has_its_host(region, host):
    source = deepgram.create(region, Settings(deepgram_api_key="k"), PHONE)
    assert source._routes[0].url.geturl() == f"wss://{host}/v2/listen"


def test_more_than_one_place_can_be_named_and_other_servers_too():
    own = "ws://127.0.0.1:8080/v2/listen"
    source = deepgram.create(f"eu, global,{own}", Settings(deepgram_api_key="k"), PHONE)
    assert [route.url.geturl() for route in source._routes] == [
        "wss://api.eu.deepgram.com/v2/listen",
        "wss://api.deepgram.com/v2/listen",
        own,
    ]


def test_a_region_deepgram_does_not_have_is_a_config_error():
    with pytest.raises(ConfigError, match="choose one of global, eu, au, in"):
        deepgram.create("mars", Settings(deepgram_api_key="k"), PHONE)


def test_a_missing_key_is_a_config_error_that_names_the_variable(monkeypatch):
    monkeypatch.delenv("DEEPGRAM_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="DEEPGRAM_API_KEY"):
        deepgram.create(None, Settings(), PHONE)
