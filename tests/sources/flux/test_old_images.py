"""Servers older than what we know: what they lack is found out and told, and costs no words."""
# ruff: noqa: N802

import anyio
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import serve

from turnkit.errors import SourceRefused
from turnkit.sources.base import Change, ConfigureUnsupported
from turnkit.sources.flux import FluxSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, Configure, Thresholds
from turnkit.testing.flux_faults import OLD, OLD_AND_SILENT, Deployment, Drop, DropAt, Unending
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import Said, say
from turnkit.turn.events import EndOfTurn

pytestmark = [pytest.mark.anyio, pytest.mark.network]

TWICE = say(Said("book a table", 0.3), "for four")
BOTH = {0: "book a table for four"}
HAS_NO_FORCE = Deployment(forces=False)  # it introduces itself as one that has
HANGS_UP_ON_FORCE = Deployment(forces=False, explains=False)


def change(results, **values):
    """Order a change, and remember what came of it."""

    async def order(source):
        try:
            await source.configure(Change(**values))
        except ConfigureUnsupported as exc:
            results.append(exc)
        else:
            results.append(None)

    return order


def unsupported(server, called):
    (found,) = called.source.unsupported.values()
    return found


@pytest.mark.parametrize(("runs", "connections"), [(OLD, 2), (OLD_AND_SILENT, 3)])
async def test_configure_is_given_up_and_the_caller_is_told(call, runs, connections):
    results = []
    does = [(1.0, change(results, eot_timeout_ms=900))]
    async with flux_server(runs=runs) as server:
        called = await call(server.url, TWICE, 1, does=does)
    assert [type(result) for result in results] == [ConfigureUnsupported]
    assert results[0].code == "UNSUPPORTED"
    assert called.turns == BOTH
    assert len(server.visits) == connections
    assert unsupported(server, called) == {"Configure"}
    assert called.source.active.eot_timeout_ms == 5000


async def test_from_then_on_it_is_not_sent(call):
    results = []
    does = [(at, change(results, eot_timeout_ms=900)) for at in (1.0, 2.0, 3.0)]
    async with flux_server(runs=OLD) as server:
        called = await call(server.url, TWICE, 1, does=does)
    assert [type(result) for result in results] == [ConfigureUnsupported] * 3
    assert len(server.visits) == 2
    assert called.turns == BOTH


async def test_nor_after_another_reconnection(call):
    results = []
    does = [(at, change(results, eot_timeout_ms=900)) for at in (0.6, 2.6)]
    async with flux_server(DropAt(1, 15), runs=OLD) as server:
        called = await call(server.url, TWICE, 1, does=does)
    assert [type(result) for result in results] == [ConfigureUnsupported] * 2
    assert len(server.visits) == 3
    assert called.turns == BOTH


async def test_what_changes_nothing_is_no_order(call):
    results = []
    does = [(0.6, change(results, eot_timeout_ms=900)), (2.6, change(results, eot_timeout_ms=5000))]
    async with flux_server(runs=OLD) as server:
        await call(server.url, TWICE, 1, does=does)
    assert [type(result) for result in results] == [ConfigureUnsupported, type(None)]


async def test_one_connection_lost_over_a_change_is_an_accident(call):
    results = []
    does = [(0.6, change(results, eot_timeout_ms=900))]
    slow = Deployment(configure_s=9.0)
    async with flux_server(Drop(0, 5), runs=slow) as first, flux_server() as second:
        urls = f"{first.url},{second.url}"
        called = await call(urls, TWICE, 1, does=does)
    assert results == [None]
    assert second.visits[0].orders[0] == Configure(Thresholds(0.5, 0.7, 900), ())
    assert called.source.active.eot_timeout_ms == 900


async def test_another_server_may_know_what_the_first_does_not(call):
    results = []
    does = [(at, change(results, eot_timeout_ms=900)) for at in (0.6, 2.0)]
    async with flux_server(runs=OLD) as first, flux_server() as second:
        called = await call(f"{first.url},{second.url}", TWICE, 1, does=does)
    assert [type(result) for result in results] == [ConfigureUnsupported, type(None)]
    assert [end.trigger for end in called.ends] == ["timeout"]


@pytest.mark.parametrize("runs", [HAS_NO_FORCE, HANGS_UP_ON_FORCE])
async def test_a_turn_is_ended_here_where_the_server_cannot(call, runs):
    audio = say(Said("book a table", 0.3), Said("for four", 0.3), "please")
    does = [(1.22, lambda source: source.end_turn()), (7.0, lambda source: source.end_turn())]
    async with flux_server(runs=runs) as server:
        called = await call(server.url, audio, 2, does=does)
    assert called.ends[0].trigger == "manual"
    assert " ".join(called.turns.values()) == "book a table for four please"
    assert [visit.orders for visit in server.visits] == [[], [CloseStream()]]
    assert unsupported(server, called) == {"ForceEndTurn"}


async def test_it_is_not_even_tried_where_nothing_speaks_for_it(call):
    async with flux_server(Unending(0), runs=OLD_AND_SILENT) as server:
        called = await call(
            server.url, say("yes"), 1, does=[(1.0, lambda source: source.end_turn())]
        )
    assert called.ends == [EndOfTurn(0, "yes", "manual")]
    assert len(server.visits) == 1
    assert unsupported(server, called) == frozenset()


async def test_what_is_missing_is_logged_once(call):
    results = []
    does = [(at, change(results, eot_timeout_ms=900)) for at in (0.6, 1.6)]
    with capture_logs() as logs:
        async with flux_server(runs=OLD) as server:
            await call(server.url, TWICE, 1, does=does)
    assert [line["what"] for line in logs if line["event"] == "flux.unsupported"] == ["Configure"]


async def test_numerals_are_mentioned_only_to_whom_they_are_asked_of(call):
    results = []
    does = [(0.5, change(results, eot_timeout_ms=900)), (0.9, change(results, numerals=True))]
    async with flux_server() as server:
        called = await call(server.url, TWICE, 1, does=does)
    first, second = server.visits[0].orders[:2]
    assert (first.numerals, second.numerals) == (None, True)
    assert results == [None, None]
    assert called.source.active.numerals


async def test_a_server_that_knows_no_close_stream_has_said_all_it_had_to_say():
    """An Error over CloseStream is no reason to hear the call again."""
    visits = []

    async def script(websocket):
        visits.append(websocket)
        await websocket.send('{"type":"Connected","request_id":"r","sequence_id":0}')
        async for message in websocket:
            if isinstance(message, str):
                await websocket.send('{"type":"Error","code":"UNPARSABLE_CLIENT_MESSAGE"}')
                return

    async with serve(script, "127.0.0.1", 0) as running:
        url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        source = FluxSource(url, ListenParameters("flux-general-en", "linear16", 16000))
        source.finish()
        with anyio.fail_after(5):
            await source.run([].append)
    assert len(visits) == 1


async def test_A14_audio_nobody_can_read_is_described():
    async def script(websocket):
        await websocket.send('{"type":"Connected","request_id":"r","sequence_id":0}')
        await websocket.recv()
        await websocket.close(1008, "DATA-0000")

    async with serve(script, "127.0.0.1", 0) as running:
        url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"
        source = FluxSource(url, ListenParameters("flux-general-en", "linear16", 16000))
        source.hear(b"RIFF" + bytes(2556))
        with pytest.raises(SourceRefused) as caught:
            await source.run([].append)
    assert "announced as linear16 at 16000 Hz" in str(caught.value)
    assert "begin with 52 49 46 46, are 100 % 0x00" in str(caught.value)
    assert "look like a WAV file" in str(caught.value)
