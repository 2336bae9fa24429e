"""Servers of Flux's protocol, over real sockets."""

import anyio
import numpy as np
import pytest
from anyio import to_thread

from benchmarks.turns.remote import RemoteEndpoint
from turnkit.errors import ConfigError
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import Connected, TurnInfo
from turnkit.testing.ears import silence, speech
from turnkit.testing.flux_faults import Close, Refuse
from turnkit.testing.flux_server import flux_server

pytestmark = [pytest.mark.anyio, pytest.mark.network]

ASKED = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)
SPEECH = np.frombuffer(silence(0.5) + speech(0.8) + silence(3.0), np.int16)


async def hear(server, *, asked=ASKED, pace=0.0, ends_at_s=(), key=None, audio=SPEECH):
    endpoint = RemoteEndpoint(server.url, pace=pace, key=key)
    with anyio.fail_after(60):
        return await to_thread.run_sync(endpoint.hear, audio, asked, ends_at_s)


def turns(heard):
    return [m.event for m in heard.messages if isinstance(m, TurnInfo) and m.event != "Update"]


async def test_a_server_is_heard_out_as_fast_as_it_answers():
    async with flux_server() as server:
        heard = await hear(server, key="secret")
    assert isinstance(heard.messages[0], Connected)
    assert turns(heard) == ["StartOfTurn", "EagerEndOfTurn", "EndOfTurn"]
    assert server.requests[0].headers["Authorization"] == "Token secret"
    assert server.visits[0].parameters == ASKED
    assert all(told.delay_s is None for told in heard.told)
    assert heard.trace.values.max() >= 0.7


async def test_in_real_time_it_is_known_how_late_each_message_was():
    async with flux_server() as server:
        heard = await hear(server, pace=1.0, audio=SPEECH[:12000])
    delays = [told.delay_s for told in heard.told if isinstance(told.message, TurnInfo)]
    assert all(delay is not None and delay > -0.09 for delay in delays)


async def test_turns_are_ended_by_force_where_that_is_asked():
    endless = ListenParameters("flux-general-en", "linear16", 16000, eot_threshold=1.0)
    async with flux_server() as server:
        heard = await hear(server, asked=endless, ends_at_s=[2.0])
    (end,) = [m for m in heard.messages if isinstance(m, TurnInfo) and m.event == "EndOfTurn"]
    assert (end.trigger, end.audio_window_end) == ("manual", 2.0)


async def test_a_refusal_is_told_with_the_servers_reason():
    async with flux_server(Refuse(status=429)) as server:
        with pytest.raises(ConfigError, match="refused with HTTP 429: FAULT: asked"):
            await hear(server)


async def test_a_server_that_hangs_up_in_mid_stream_spoils_the_hearing():
    async with flux_server(Close(code=1011, message=3)) as server:
        with pytest.raises(ConfigError, match="hung up in mid-stream"):
            await hear(server, pace=1.0)


async def test_a_server_that_is_not_there_is_an_error():
    endpoint = RemoteEndpoint("ws://127.0.0.1:9", pace=0)
    with pytest.raises(ConfigError, match="cannot be reached"):
        await to_thread.run_sync(endpoint.hear, SPEECH, ASKED)


@pytest.mark.parametrize("url", ["http://a", "ws://", "deepgram", "ws://a/v2/listen?model=x"])
def test_an_address_that_is_none_is_an_error(url):
    with pytest.raises(ConfigError, match="is no server's address"):
        RemoteEndpoint(url)


def test_a_pace_below_nothing_is_an_error():
    with pytest.raises(ConfigError, match="pace -1"):
        RemoteEndpoint("ws://a", pace=-1)
