"""What a session sees of the source when the trouble is not the network's."""

import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import SourceError
from turnkit.sources import flux
from turnkit.sources.flux import FluxSource, Patience
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.flux_faults import OLD, Unending
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say

pytestmark = [pytest.mark.anyio, pytest.mark.network]

ENGLISH = ListenParameters("flux-general-en", "linear16", 16000)


class Full:
    """A listener that cannot take an event of this kind."""

    def __init__(self, kind):
        self.kind = kind

    def report(self, event):
        if type(event).__name__ == self.kind:
            raise SourceError("too much at once")


@pytest.mark.parametrize("kind", ["Update", "EndOfTurn"])
async def test_a_session_that_cannot_take_an_event_ends_the_call(kind):
    async with flux_server() as server:
        source = FluxSource(server.url, ENGLISH)
        source.hear(say("yes please"))
        with pytest.raises(SourceError, match="too much at once"):
            await source.run(Full(kind).report)
    assert len(server.knocked_at) == 1


async def test_also_an_event_of_our_own():
    async with flux_server(Unending(0), runs=OLD) as server:
        source = FluxSource(server.url, ENGLISH)
        source.hear(say("yes please"))

        def report(event):
            source.end_turn()
            Full("EndOfTurn").report(event)

        with pytest.raises(SourceError, match="too much at once"):
            await source.run(report)


async def test_a_server_that_does_not_close_in_the_end_has_said_all_it_had_to_say(call):
    async with flux_server() as server:
        called = await call(server.url, say("yes"), 1, patience=Patience(drain_s=0.5))
    assert called.error is None
    assert called.turns == {0: "yes"}


def test_settings_say_how_stubborn_it_is():
    settings = Settings.model_construct(source_outage_s=3.0, catch_up=2.0)
    patience = flux.create("ws://localhost", settings, AudioFormat(16000))._patience
    assert (patience.retries.outage_s, patience.retries.start_s, patience.catch_up) == (3, 8, 2)
