"""Which way requests go: what `test_openai` does not see of it."""

import asyncio
import ssl
from contextlib import suppress

import pytest

pytest.importorskip("httpx2")
pytest.importorskip("openai")
import httpcore2

from turnkit import plug
from turnkit.errors import ConfigError, ModelError
from turnkit.llm import http2, route

pytestmark = pytest.mark.anyio


def way(base_url="https://127.0.0.1:1/v1"):
    return type(route._new_route("key", base_url)).__name__


async def test_an_unknown_version_of_the_library_leaves_us_with_http_1(monkeypatch):
    assert way() == "_OverHttp2"
    monkeypatch.delattr(httpcore2.AsyncHTTP2Connection, "_write_outgoing_data")
    assert not http2.is_possible()
    assert way() == "_ByPool"


async def test_a_proxy_is_not_passed_over(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert way() == way("http://127.0.0.1:1/v1") == "_ByClient"


async def test_what_no_header_may_have_is_an_error_that_names_it():
    with pytest.raises(ConfigError, match=r"header Authorization .* copy OPENAI_API_KEY") as caught:
        route._new_route("canary\r\nX-Other: 1", "http://127.0.0.1:1/v1")
    assert "canary" not in str(caught.value)


@pytest.mark.network
async def test_a_connection_that_fails_is_an_error_and_leaves_the_pool(monkeypatch):
    monkeypatch.setattr(route, "MOST", 1)
    line = route._new_route("key", "https://127.0.0.1:1/v1")
    for _ in range(3):
        with pytest.raises(ModelError, match="cannot be reached: ConnectError"):
            await line.send(b"{}")
    await line.aclose()


@pytest.mark.network
@pytest.mark.loopback
async def test_a_server_without_http_2_is_asked_the_short_way_from_then_on(monkeypatch, tmp_path):
    trustme = pytest.importorskip("trustme")
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    server = await asyncio.start_server(answer_all, "127.0.0.1", 0, ssl=tls)
    line = route._new_route("key", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
    kinds = []
    for _ in range(2):
        answer = await line.send(b"{}")
        kinds.append(type(answer).__name__)
        assert (answer.status_code, await answer.read()) == (200, b"hi")
        await answer.aclose()
    assert kinds == ["_Streamed", "Answer"]
    await line.aclose()
    server.close()


async def answer_all(reader, writer):
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            assert b"Content-Length: 2" in head
            await reader.readexactly(2)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
    writer.close()


def test_only_models_can_be_named_as_models():
    assert plug.names("turnkit.llm") == ["openai", "scripted"]
    for name in plug.names("turnkit.llm"):
        assert plug.load("llm", "turnkit.llm", name)
