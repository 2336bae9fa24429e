"""A WebSocket at a wrong path learns that it is the path, on each of our servers."""

import json

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from turnkit.agent import Agent
from turnkit.asgi import create_app
from turnkit.config import Settings
from turnkit.dial import NOTHING, Refused, dial
from turnkit.errors import SourceRefused
from turnkit.listen import create_listen_app
from turnkit.server import running
from turnkit.sources.flux import FluxSource
from turnkit.sources.flux_query import ListenParameters

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

SETTINGS = Settings.model_construct()


@pytest.mark.parametrize(
    ("app", "known"),
    [
        (create_listen_app(SETTINGS), "/v2/listen"),
        (create_app(Agent, SETTINGS), "/ws or /twilio"),
    ],
)
async def test_it_is_refused_with_404_and_told_where_to_go(app, known):
    async with running(app, SETTINGS) as url:
        with pytest.raises(Refused) as caught:
            await dial(f"{url.replace('http', 'ws')}/v1/listen", NOTHING, open_s=5, close_s=1)
    response = caught.value.response
    assert response.status_code == 404
    said = f"nothing is served at '/v1/listen'; connect to {known}"
    assert json.loads(response.body) == {"code": "NOT_FOUND", "description": said}


async def test_the_flux_client_passes_it_on():
    parameters = ListenParameters("flux-general-en", "linear16", 16000)
    async with running(create_listen_app(SETTINGS), SETTINGS) as url:
        source = FluxSource(f"{url.replace('http', 'ws')}/v1/listen", parameters)
        with pytest.raises(SourceRefused, match=r"HTTP 404: NOT_FOUND: .*; check the URL"):
            await source.run([].append)


def test_what_is_no_header_is_not_put_into_one():
    with (
        TestClient(create_listen_app(SETTINGS)) as client,
        pytest.raises(WebSocketDenialResponse) as caught,
        client.websocket_connect("/\u00e9\u263a"),
    ):
        pass
    assert caught.value.status_code == 404
