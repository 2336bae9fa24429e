"""Opening a WebSocket: who is trusted with what, and how a failure is named."""

import socket
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import anyio
import anyio.abc
import pytest
import trustme
from websockets.asyncio.server import serve

from turnkit.dial import (
    NOTHING,
    NotTrusted,
    Offer,
    Refused,
    Unreachable,
    dial,
    is_private,
    read_url,
)
from turnkit.errors import ConfigError

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

SECRET = Offer({"Authorization": "Token canary", "cf-aig-authorization": "canary"}, ("t", "canary"))


@pytest.fixture
def authority(tmp_path, monkeypatch):
    """One that this machine trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return made


@asynccontextmanager
async def at(certificate=None, **options):
    """Serve on a free port; yield the address without its scheme."""

    async def wait(websocket):
        await websocket.wait_closed()

    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
    async with serve(wait, "127.0.0.1", 0, ssl=context, **options) as running:
        yield f"127.0.0.1:{running.sockets[0].getsockname()[1]}"


async def attempt(url, offer=NOTHING):
    return await dial(url, offer, open_s=2.0, close_s=0.1)


async def distrust(url):
    with pytest.raises(NotTrusted) as caught:
        await attempt(url)
    return str(caught.value)


async def test_a_certificate_of_an_authority_that_is_trusted_opens_the_line(authority):
    async with at(authority.issue_cert("127.0.0.1")) as there:
        websocket = await attempt(f"wss://{there}")
        await websocket.close()


async def test_an_authority_nobody_knows_is_not_trusted():
    async with at(trustme.CA().issue_cert("127.0.0.1")) as there:
        said = await distrust(f"wss://{there}")
    assert "its certificate is refused: unable to get local issuer certificate" in said
    assert "SSL_CERT_FILE" in said


async def test_nor_is_a_certificate_of_another_host(authority):
    async with at(authority.issue_cert("elsewhere.example")) as there:
        said = await distrust(f"wss://{there}")
    assert "certificate is not valid for '127.0.0.1'" in said


async def test_nor_one_that_is_too_old(authority):
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC))
    async with at(old) as there:
        assert "certificate has expired" in await distrust(f"wss://{there}")


async def test_a_server_without_tls_is_told_apart():
    async def answer(stream):
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        said = await distrust(f"wss://127.0.0.1:{port}")
        tasks.cancel_scope.cancel()
    assert "not TLS; for a server without it write ws://" in said


async def test_a_server_that_hangs_up_in_the_middle_may_do_better():
    async with at() as there:  # websockets' own does so when it is spoken to over TLS
        with pytest.raises(Unreachable):
            await attempt(f"wss://{there}")


async def test_a_server_that_says_no_is_quoted():
    def refuse(connection, request):
        return connection.respond(418, "tea")

    async with at(process_request=refuse) as there:
        with pytest.raises(Refused) as caught:
            await attempt(f"ws://{there}")
    assert (caught.value.response.status_code, caught.value.response.body) == (418, b"tea")


async def test_what_is_offered_goes_to_nobody_else():
    heard = []

    def listen(connection, request):
        heard.append(request)

    async with at(process_request=listen) as elsewhere:

        def send_on(connection, request):
            response = connection.respond(302, "")
            response.headers["Location"] = f"ws://{elsewhere}/"
            return response

        async with at(process_request=send_on) as there:
            with pytest.raises(Refused, match="302"):
                await attempt(f"ws://{there}", SECRET)
    assert heard == []


def test_what_is_offered_is_not_shown():
    assert "canary" not in repr(SECRET)


async def test_nothing_at_all_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unreachable):
        await attempt(f"ws://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("wss://flux.example", True),
        ("https://flux.example", True),
        ("ws://localhost", True),
        ("ws://127.8.9.1", True),
        ("ws://[::1]:8080", True),
        ("ws://flux.example", False),
        ("ws://localhost.example", False),
        ("ws://10.0.0.7", False),
    ],
)
def test_where_others_cannot_read(url, private):
    assert is_private(urlsplit(url)) is private


def test_an_address_is_read_with_the_path_it_means():
    def read(text):
        return read_url(text, "the URL", "/v2/listen", advice="leave it out").geturl()

    assert read("ws://host") == "ws://host/v2/listen"
    assert read("wss://host/mine/") == "wss://host/mine"
    with pytest.raises(ConfigError, match="the URL must look like wss://host/v2/listen"):
        read("http://host")
    with pytest.raises(ConfigError, match="no user, query or fragment: leave it out"):
        read("ws://host?a=b")
