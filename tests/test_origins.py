"""Which pages may call."""

import pytest

from turnkit import origins
from turnkit.config import Settings

AT_HOME = Settings.model_construct(origins=("https://shop.example",))
OUTSIDE = Settings.model_construct(host="0.0.0.0", public_url="wss://voice.example")


@pytest.mark.parametrize(
    ("origin", "host", "settings"),
    [
        ("http://localhost:8080", "localhost:8080", AT_HOME),
        ("http://localhost:8080", "127.0.0.1:8080", AT_HOME),
        ("http://[::1]:8080", "localhost:8080", AT_HOME),
        ("https://shop.example", "localhost:8080", AT_HOME),
        ("https://voice.example", "10.0.0.7:8080", OUTSIDE),
        ("http://10.0.0.7:8080", "10.0.0.7:8080", OUTSIDE),
        ("http://LOCALHOST:8080", "localhost:8080", OUTSIDE),
    ],
)
def test_our_own_pages_and_named_ones_may_call(origin, host, settings):
    assert origins.allowed(origin, host, settings)


@pytest.mark.parametrize(
    ("origin", "host", "settings"),
    [
        ("https://evil.example", "localhost:8080", AT_HOME),
        ("http://localhost:3000", "localhost:8080", AT_HOME),
        ("https://shop.example.evil.example", "localhost:8080", AT_HOME),
        ("https://notshop.example", "localhost:8080", AT_HOME),
        ("http://shop.example", "localhost:8080", AT_HOME),
        ("http://rebound.example:8080", "rebound.example:8080", AT_HOME),  # DNS rebinding
        ("null", "localhost:8080", AT_HOME),
        ("", "", AT_HOME),
        ("http://[::1", "localhost:8080", AT_HOME),
        ("http://localhost:99999", "localhost:8080", AT_HOME),
        ("file://localhost:8080", "localhost:8080", AT_HOME),
        ("https://voice.example.evil.example", "10.0.0.7:8080", OUTSIDE),
        ("https://other.example", "10.0.0.7:8080", OUTSIDE),
    ],
)
def test_other_pages_may_not(origin, host, settings):
    assert not origins.allowed(origin, host, settings)


def test_the_refusal_says_what_to_do():
    assert "add it to the setting origins" in origins.advice("https://evil.example")
