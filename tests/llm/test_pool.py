"""Connections: what `test_openai` does not see of it."""

import pytest

pytest.importorskip("httpx2")
import httpcore2
import httpx2

from turnkit import plug
from turnkit.llm import openai, pool

pytestmark = pytest.mark.anyio


def test_an_unknown_version_of_the_library_leaves_us_with_http_1(monkeypatch):
    assert pool.transport(httpx2.Limits())
    monkeypatch.delattr(httpcore2.AsyncHTTP2Connection, "_write_outgoing_data")
    assert pool.transport(httpx2.Limits()) is None


async def test_a_proxy_is_not_passed_over(monkeypatch):
    pytest.importorskip("openai")
    monkeypatch.setattr(pool, "transport", lambda limits: pytest.fail("went past the proxy"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    await openai._new_line("key", None).http.aclose()


async def test_a_connection_that_fails_is_an_error_and_leaves_the_pool():
    transport = pool.transport(httpx2.Limits(max_connections=1))
    async with httpx2.AsyncClient(transport=transport) as client:
        for _ in range(3):
            with pytest.raises(httpx2.ConnectError):
                await client.get("https://127.0.0.1:1/")


def test_only_models_can_be_named_as_models():
    assert plug.names("turnkit.llm") == ["openai", "scripted"]
    for name in plug.names("turnkit.llm"):
        assert plug.load("llm", "turnkit.llm", name)
