"""From settings and the command line to a source."""

import pytest
from pydantic import SecretStr

from turnkit import plug
from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.sources.aigateway import AIgatewaySource

WIDE = AudioFormat(16000)
KEY = SecretStr("sk-aig-1")


def opened(source="aigateway", **settings):
    given = Settings(source=source, **{"aigateway_api_key": KEY, **settings})
    return plug.open_source(given, WIDE)


def addresses(source):
    return [route.address(16000) for route in source._reconnecting.routes]


def test_the_realtime_address_stands_beside_the_base_url():
    source = opened()
    assert isinstance(source, AIgatewaySource)
    (address,) = addresses(source)
    assert address == (
        "wss://api.aigateway.sh/v1/realtime?model=deepgram/flux&encoding=linear16"
        "&sample_rate=16000&interim_results=true"
    )


@pytest.mark.parametrize("base", ["https://a.example", "https://a.example/v1/"])
def test_a_base_url_may_leave_its_v1_out(base):
    assert addresses(opened(aigateway_base_url=base))[0].startswith("wss://a.example/v1/realtime?")


def test_addresses_may_be_named_and_several_of_them():
    first, second = addresses(opened("aigateway:ws://127.0.0.1:1/v1/realtime,wss://b.example"))
    assert first.startswith("ws://127.0.0.1:1/v1/realtime?")
    assert second.startswith("wss://b.example/v1/realtime?")


def test_the_key_is_in_a_header_and_in_no_address():
    (route,) = opened()._reconnecting.routes
    assert route.offer.headers == {"Authorization": "Bearer sk-aig-1"}
    assert "sk-aig" not in route.address(16000)
    assert "sk-aig" not in repr(route)


def test_the_key_is_not_sent_where_others_could_read_it():
    (route,) = opened("aigateway:ws://far.example/v1/realtime")._reconnecting.routes
    assert route.offer.is_empty


@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("aigateway", {"aigateway_api_key": None}, "set the variable AIGATEWAY_API_KEY"),
        (
            "aigateway:https://a.example",
            {},
            "AIgateway's URL must look like wss://host/v1/realtime",
        ),
        ("aigateway:wss://a.example?api_key=k", {}, "the key is AIGATEWAY_API_KEY"),
        ("aigateway", {"aigateway_base_url": "ftp://a"}, "must look like https://host/v1"),
        ("aigateway", {"aigateway_api_key": SecretStr("k\n2")}, "characters that no key has"),
    ],
)
def test_a_mistake_is_an_error_that_says_what_to_do(source, settings, message):
    with pytest.raises(ConfigError, match=message):
        opened(source, **settings)
