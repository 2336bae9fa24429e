"""Model servers on HTTP/1.1, and on HTTP/2 with TLS where the packages for that are installed."""

import anyio
import pytest

from turnkit.llm import openai
from turnkit.testing.model_server import ModelServer


@pytest.fixture
async def clients():
    """Let go of the connections of a test, in its own event loop."""
    pytest.importorskip("openai")
    yield
    await openai.close()


@pytest.fixture
async def server(clients):
    server = ModelServer()
    async with server.serving():
        yield server


@pytest.fixture
async def server2(clients, monkeypatch, tmp_path):
    """One that speaks HTTP/2."""
    trustme = pytest.importorskip("trustme")
    hypercorn = pytest.importorskip("hypercorn")
    pytest.importorskip("hypercorn.asyncio")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    identity = authority.issue_cert("127.0.0.1")
    identity.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    config = hypercorn.config.Config()
    config.certfile = config.keyfile = str(tmp_path / "server.pem")
    config.bind, config.loglevel = ["127.0.0.1:0"], "CRITICAL"
    sockets = config.create_sockets()
    config.create_sockets = lambda: sockets
    server, ended = ModelServer(), anyio.Event()
    server.url = f"https://127.0.0.1:{sockets.secure_sockets[0].getsockname()[1]}/v1"
    async with anyio.create_task_group() as tasks:
        serve = hypercorn.asyncio.serve
        tasks.start_soon(lambda: serve(server, config, shutdown_trigger=ended.wait))
        await _until_it_listens(sockets.secure_sockets[0].getsockname())
        yield server
        await openai.close()  # or the end of TLS would be waited for
        ended.set()


async def _until_it_listens(address):
    with anyio.fail_after(5):
        while True:
            try:
                await (await anyio.connect_tcp(*address)).aclose()
            except OSError:
                await anyio.sleep(0.01)
            else:
                return


@pytest.fixture(params=["server", "server2"], ids=["http1", "http2"])
def either(request):
    return request.getfixturevalue(request.param)
