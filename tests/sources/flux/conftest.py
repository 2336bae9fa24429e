"""Calls to Flux servers, on virtual time over real sockets; see the conftest one folder up."""

import pytest

from turnkit.sources.flux import FluxSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.clock import LoopbackLoop

PARAMETERS = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": LoopbackLoop}


@pytest.fixture
def call(call_over):
    """Let a caller speak in real time to a Flux server, and return what the source reports."""

    async def call(
        url,
        audio,
        turns,
        *,
        limit_s=60.0,
        does=(),
        parameters=PARAMETERS,
        goes_dead=False,
        **options,
    ):
        source = FluxSource(url, parameters, chance=lambda: 0.5, **options)
        return await call_over(
            source, audio, turns, limit_s=limit_s, does=does, goes_dead=goes_dead
        )

    return call
