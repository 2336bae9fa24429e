"""Where Deepgram is, and how its refusals are read."""

from urllib.parse import urlsplit

import pytest

from turnkit.deepgram.places import host_of, is_hosted, is_passing, retry_after_s
from turnkit.errors import ConfigError


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("", "api.deepgram.com"),
        ("global", "api.deepgram.com"),
        ("eu", "api.eu.deepgram.com"),
        ("au", "api.au.deepgram.com"),
        ("in", "api.in.deepgram.com"),
    ],
)
def test_a_region_has_its_host(region, host):
    assert host_of(region) == host


def test_a_region_deepgram_does_not_have_is_a_config_error():
    with pytest.raises(ConfigError, match="choose one of global, eu, au, in"):
        host_of("mars")


@pytest.mark.parametrize(
    ("host", "hosted"),
    [
        ("api.deepgram.com", True),
        ("4f8a.eu.api.deepgram.com", True),  # a dedicated one
        ("deepgram.com.example", False),
        ("notdeepgram.com", False),
    ],
)
def test_whose_server_it_is(host, hosted):
    assert is_hosted(urlsplit(f"wss://{host}/v2/listen")) is hosted


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("99999", 3600.0), ("1.5", 0.0)],
)
def test_how_long_to_leave_it_alone(value, seconds):
    assert retry_after_s({"Retry-After": value}) == seconds


def test_what_passes():
    assert [status for status in (400, 401, 404, 408, 429, 500, 503) if is_passing(status)] == [
        408,
        429,
        500,
        503,
    ]
