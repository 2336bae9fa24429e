"""Routes: what is known of a server before it is asked, and what it teaches us."""

import pytest
from pydantic import SecretStr
from websockets.datastructures import Headers
from websockets.http11 import Response

from turnkit.errors import ConfigError, SourceRefused
from turnkit.sources.flux.route import Lost, routes_of
from turnkit.sources.flux_wire import FluxError

KEY = SecretStr(" canary-4711\n")


def route(url="wss://flux.example"):
    (only,) = routes_of(url, KEY)
    return only


def refusal(status, body=b"", **headers):
    given = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return route().refused(Response(status, "", given, body))


def test_addresses_are_taken_in_their_order():
    urls = "ws://127.0.0.1:1, wss://a.example/mine,wss://b.example/"
    assert [one.url.geturl() for one in routes_of(urls, None)] == [
        "ws://127.0.0.1:1/v2/listen",
        "wss://a.example/mine",
        "wss://b.example/v2/listen",
    ]


@pytest.mark.parametrize("urls", ["", "wss://a.example,", "wss://a.example,b.example"])
def test_each_of_them_must_be_one(urls):
    with pytest.raises(ConfigError, match="must look like"):
        routes_of(urls, None)


@pytest.mark.anyio
async def test_the_key_is_not_shown():
    shown = await route().offer()
    assert shown.headers == {"Authorization": "Token canary-4711"}
    assert "canary" not in repr((route(), shown))


@pytest.mark.parametrize(
    ("url", "headers", "forces"),
    [
        ("wss://api.deepgram.com", {}, True),
        ("wss://api.eu.deepgram.com", {}, True),
        ("wss://deepgram.com.example", {}, False),
        ("wss://flux.example", {"dg-request-id": "r"}, False),
        ("ws://127.0.0.1", {"X-Turnkit": "0.1"}, True),
    ],
)
def test_who_is_known_to_understand_force_end_turn(url, headers, forces):
    one = route(url)
    assert not one.forces
    one.welcomed(Headers(headers))
    assert one.forces is forces


def test_who_says_what_ended_a_turn_can_end_turns():
    one = route()
    one.said_trigger()
    assert one.forces


def test_who_did_not_understand_it_once_never_will():
    one = route("wss://api.deepgram.com")
    one.cannot_force()
    one.welcomed(Headers())
    one.said_trigger()
    assert not one.forces


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("99999", 3600.0), ("1.5", 0.0)],
)
def test_how_long_to_leave_it_alone(value, seconds):
    error = refusal(429, Retry_After=value)
    assert isinstance(error, Lost)
    assert error.retry_after_s == seconds


def test_what_helps_is_said_with_what_happened():
    body = b'{"code":"INVALID_PARAMETER","description":"no canary-4711"}'
    error = refusal(400, body)
    assert isinstance(error, SourceRefused)
    assert str(error) == (
        "turn source flux.example refused the connection with HTTP 400: "
        "INVALID_PARAMETER: no [key]; check the turn settings"
    )


@pytest.mark.parametrize(
    ("code", "kind", "unparsable"),
    [
        ("INTERNAL_SERVER_ERROR", Lost, False),
        ("UNPARSABLE_CLIENT_MESSAGE", Lost, True),
        ("INVALID_AUTH", SourceRefused, False),
    ],
)
def test_an_error_message_may_be_final(code, kind, unparsable):
    error = route().failed(FluxError(7, code, "x" * 1000))
    assert isinstance(error, kind)
    assert getattr(error, "unparsable", False) is unparsable
    assert len(str(error)) < 300
