"""A caller on virtual time over real sockets, as in the tests of the Flux client."""

import pytest
from pydantic import SecretStr

from turnkit.sources.aigateway import AIgatewaySource
from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.route import routes_of
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.patience import Patience
from turnkit.testing.aigateway_server import KEY
from turnkit.testing.clock import LoopbackLoop
from turnkit.testing.known_ears import KnownEars

PARAMETERS = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": LoopbackLoop}


@pytest.fixture
def call(call_over):
    """Let a caller speak in real time, and return what the source reports."""

    async def call(
        urls,
        audio,
        turns,
        *,
        limit_s=60.0,
        does=(),
        key=KEY,
        finalizes=False,
        parameters=PARAMETERS,
        patience=None,
        opened=KnownEars,
        **join,
    ):
        secret = None if key is None else SecretStr(key)
        source = AIgatewaySource(
            routes_of(urls, "deepgram/flux", secret, finalizes=finalizes),
            parameters,
            Join(**join),
            patience=patience or Patience(),
            chance=lambda: 0.5,
            ears=opened,
        )
        return await call_over(source, audio, turns, limit_s=limit_s, does=does)

    return call
