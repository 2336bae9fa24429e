"""The walk to a server, over real sockets: where it ends, why, and what to do."""

import ssl
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve

from turnkit.config import Settings
from turnkit.doctor import endpoint
from turnkit.doctor.endpoint import examine
from turnkit.testing.flux_faults import Refuse, Stall
from turnkit.testing.flux_server import flux_server

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

STEPS = ["route", "name", "tcp", "http", "connected", "audio"]


async def walk(source, **settings):
    found = []
    await examine(source, Settings(source=source, **settings), found.append)
    return found


def where(found):
    return [finding.where for finding in found]


@asynccontextmanager
async def served(handler, **options):
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def silent(websocket):
    """Accept everything and say nothing."""
    async for _ in websocket:
        pass


async def test_a_server_that_is_well_passes_every_step_and_each_has_its_time():
    async with flux_server() as server:
        found = await walk(server.url)
    assert where(found)[:6] == STEPS
    assert where(found)[-1] == "close"
    assert {finding.grade for finding in found} == {"good"}
    assert all(finding.took_s >= 0 for finding in found[1:6])
    assert "messages" in found[5].what


async def test_a_name_that_does_not_exist_ends_the_walk():
    *_, last = await walk("ws://no-such-host.invalid/v2/listen")
    assert (last.grade, last.where) == ("bad", "name")
    assert "no-such-host.invalid" in last.what
    assert "DNS" in last.advice


async def test_a_port_nobody_listens_on_ends_the_walk():
    *_, last = await walk("ws://127.0.0.1:1/v2/listen")
    assert (last.grade, last.where) == ("bad", "tcp")
    assert last.what == "nothing answers at 127.0.0.1 port 1 (Connection refused)"


async def test_a_server_without_tls_is_said_to_have_none():
    async with served(silent) as address:
        *_, last = await walk(f"wss://{address}/v2/listen")
    assert (last.grade, last.where) == ("bad", "tls")
    assert "does not answer in TLS" in last.what
    assert "ws://" in last.advice


async def test_a_certificate_of_nobodys_is_named():
    trustme = pytest.importorskip("trustme")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with served(silent, ssl=context) as address:
        *_, last = await walk(f"wss://{address}/v2/listen")
    assert (last.grade, last.where) == ("bad", "tls")
    assert "certificate is refused" in last.what
    assert "SSL_CERT_FILE" in last.advice


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "set DEEPGRAM_API_KEY"),
        (402, "out of credit"),
        (404, "listen_v2 = true"),
        (429, "all of its streams are taken"),
        (503, "try again later"),
    ],
)
async def test_each_refusal_says_what_to_do(status, advice):
    async with flux_server(Refuse(0, status=status)) as server:
        *_, last = await walk(server.url)
    assert (last.grade, last.where) == ("bad", "http")
    assert f"HTTP {status}" in last.what
    assert advice in last.advice


async def test_a_server_that_never_says_connected_is_no_flux():
    async with served(silent) as address:
        *_, last = await walk(f"ws://{address}/v2/listen")
    assert (last.grade, last.where) == ("bad", "connected")
    assert "no Connected" in last.what


async def test_a_server_that_hears_and_says_nothing_is_found_out(monkeypatch):
    monkeypatch.setattr(endpoint, "STEP_S", 0.5)
    async with flux_server(Stall(0, 1)) as server:
        *_, last = await walk(server.url)
    assert (last.grade, last.where) == ("bad", "audio")
    assert last.what == "no message came of it"
    assert "its model" in last.advice


async def test_every_route_of_several_is_walked(monkeypatch):
    monkeypatch.setattr(endpoint, "SILENT_S", 0.2)
    async with flux_server() as server:
        found = await walk(f"ws://127.0.0.1:1/v2/listen,{server.url}")
    assert where(found).count("route") == 2
    assert [f.where for f in found if f.grade == "bad"] == ["tcp"]
    assert where(found)[-1] == "close"


async def test_a_second_of_audio_is_a_second():
    sound = endpoint._speech()
    assert len(sound) == 16000
