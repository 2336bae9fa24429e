"""Orders to a running source over the real wire: end this turn, listen otherwise from now on."""
# ruff: noqa: N802

import anyio
import pytest

from turnkit.errors import SourceLost
from turnkit.sources.base import Change, ConfigureRefused, ConfigureUnsupported
from turnkit.sources.flux import FluxSource, Patience
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, Configure, ForceEndTurn, Thresholds
from turnkit.testing.flux_faults import OLD, Deployment, Drop, Refuse
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import Said, say
from turnkit.turn.events import EndOfTurn

pytestmark = [pytest.mark.anyio, pytest.mark.network]

ENGLISH = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)
# "book a table" is heard until 1.12 s, "for four" from 1.42 s to 1.9 s.
PAUSED = say(Said("book a table", 0.3), "for four")


def end_turn(source):
    source.end_turn()


def configure(results, **change):
    """Order a change, and remember what came of it and when."""

    async def order(source):
        began = anyio.current_time()
        try:
            await source.configure(Change(**change))
        except (ConfigureRefused, SourceLost) as exc:
            results.append((exc, round(anyio.current_time() - began, 3)))
        else:
            results.append((None, round(anyio.current_time() - began, 3)))

    return order


# End this turn.


async def test_a_server_known_to_end_turns_on_demand_is_told_to(call):
    async with flux_server() as server:
        called = await call(server.url, PAUSED, 2, does=[(1.22, end_turn)])
    assert called.ends == [
        EndOfTurn(0, "book a table", "manual"),
        EndOfTurn(1, "for four", "model"),
    ]
    assert called.ended_at[0] == 1.22
    assert server.visits[0].orders == [ForceEndTurn(), CloseStream()]


async def test_for_any_other_the_turn_is_ended_here(call):
    async with flux_server(runs=OLD) as server:
        called = await call(server.url, PAUSED, 2, does=[(1.22, end_turn)])
    assert called.ends == [
        EndOfTurn(0, "book a table", "manual"),
        EndOfTurn(1, "for four", "model"),
    ]
    assert called.ended_at[0] == pytest.approx(1.22, abs=0.25)  # until the server's next message
    assert server.visits[0].orders == [CloseStream()]


async def test_a_server_that_says_what_ended_a_turn_can_end_turns(call):
    runs = Deployment(introduces=False)
    audio = say("yes please", Said("book a table", 9.0))
    async with flux_server(runs=runs) as server:
        called = await call(server.url, audio, 2, does=[(3.9, end_turn)])
    assert [end.trigger for end in called.ends] == ["model", "manual"]
    assert server.visits[0].orders == [ForceEndTurn(), CloseStream()]


async def test_without_a_turn_nothing_is_sent(call):
    async with flux_server() as server:
        called = await call(server.url, PAUSED, 1, does=[(0.1, end_turn), (8.0, end_turn)])
    assert called.turns == {0: "book a table for four"}
    assert server.visits[0].orders == [CloseStream()]


async def test_asking_twice_ends_one_turn(call):
    async with flux_server() as server:
        does = [(1.21, end_turn), (1.22, end_turn)]
        called = await call(server.url, PAUSED, 2, does=does)
    assert called.turns == {0: "book a table", 1: "for four"}
    assert server.visits[0].orders == [ForceEndTurn(), CloseStream()]


async def test_a_server_that_was_thought_to_know_better_is_told_once_only(call):
    runs = Deployment(forces=False, triggers=True, introduces=True)
    audio = say(Said("book a table", 0.3), Said("for four", 0.3), "please")
    async with flux_server(runs=runs) as server:
        called = await call(server.url, audio, 2, does=[(1.22, end_turn), (7.0, end_turn)])
    assert len(server.visits) == 2
    assert called.ends[0].trigger == "manual"
    assert " ".join(called.turns.values()) == "book a table for four please"
    assert [visit.orders for visit in server.visits] == [[], [CloseStream()]]


async def test_a_turn_ended_during_an_outage_has_all_its_words(call):
    faults = [Drop(0, 4), Refuse(1), Refuse(2), Refuse(3)]
    async with flux_server(*faults) as server:
        called = await call(server.url, PAUSED, 2, does=[(1.22, end_turn)])
    assert called.turns == {0: "book a table", 1: "for four"}
    assert [end.trigger for end in called.ends] == ["manual", "model"]


# Listen otherwise.


async def test_a_change_is_in_force_when_the_server_has_said_so(call):
    results = []
    does = [(0.5, configure(results, eot_timeout_ms=700, keyterms=("table",)))]
    async with flux_server() as server:
        called = await call(server.url, PAUSED, 1, does=does)
    (order, _) = server.visits[0].orders
    assert order == Configure(Thresholds(0.5, 0.7, 700), ("table",))
    assert results == [(None, 0.0)]
    assert called.ends == [EndOfTurn(0, "book a table for four", "timeout")]
    assert called.source.active.eot_timeout_ms == 700


async def test_A23_a_change_the_server_refuses_changes_nothing(call):
    results = []
    does = [(0.5, configure(results, keyterms=("table",)))]
    async with flux_server(runs=Deployment(refuses_changes=True)) as server:
        called = await call(server.url, PAUSED, 1, does=does)
    ((refused, _),) = results
    assert isinstance(refused, ConfigureRefused)
    assert (refused.code, refused.description) == ("INVALID_PARAMETER", "asked for")
    assert called.source.active == ENGLISH


async def test_a_change_flux_would_refuse_is_not_even_sent(call):
    results = []
    does = [(0.5, configure(results, eot_threshold=0.4))]
    async with flux_server() as server:
        await call(server.url, PAUSED, 1, does=does)
    ((refused, _),) = results
    assert refused.code == "INVALID_THRESHOLD"
    assert server.visits[0].orders == [CloseStream()]


async def test_A24_three_changes_go_in_order_and_one_at_a_time(call):
    results = []
    does = [
        (0.5, configure(results, eot_threshold=0.8)),
        (0.6, configure(results, eager_eot_threshold=0.6)),
        (0.7, configure(results, eot_threshold=0.9, keyterms=("table",))),
    ]
    async with flux_server(runs=Deployment(configure_s=0.3)) as server:
        await call(server.url, PAUSED, 1, does=does)
    assert server.visits[0].orders[:-1] == [
        Configure(Thresholds(0.5, 0.8, 5000), ()),
        Configure(Thresholds(0.6, 0.9, 5000), ("table",)),
    ]
    assert sorted(waited_s for _, waited_s in results) == [0.3, 0.4, 0.5]


async def test_a_slow_answer_is_waited_for(call):
    results = []
    does = [(0.5, configure(results, eot_threshold=0.9))]
    async with flux_server(runs=Deployment(configure_s=9.9)) as server:
        await call(server.url, PAUSED, 9, does=does, limit_s=12)
    assert results == [(None, 9.9)]


async def test_but_not_for_ever_and_none_goes_before_it(call):
    results = []
    does = [
        (0.5, configure(results, eot_threshold=0.9)),
        (0.6, configure(results, eot_threshold=0.8)),
    ]
    async with flux_server(runs=Deployment(configure_s=60.0)) as server:
        called = await call(server.url, PAUSED, 9, does=does, limit_s=12)
    assert [(type(failure), waited_s) for failure, waited_s in results] == [(SourceLost, 10.0)] * 2
    assert len(server.visits[0].orders) == 1 + 1  # and CloseStream
    assert called.source.active == ENGLISH


async def test_what_is_in_force_stays_so_on_the_next_connection(call):
    results = []
    does = [(0.3, configure(results, eot_timeout_ms=900, keyterms=("table",)))]
    async with flux_server(Drop(0, 8)) as server:
        called = await call(server.url, PAUSED, 1, does=does)
    assert called.turns == {0: "book a table for four"}
    second = server.visits[1]
    assert (second.parameters.eot_timeout_ms, second.parameters.keyterms) == (900, ("table",))
    assert second.orders == [CloseStream()]


async def test_a_change_whose_answer_was_lost_is_sent_again(call):
    results = []
    does = [(1.0, configure(results, eot_timeout_ms=900))]
    async with flux_server(Drop(0, 8), runs=Deployment(configure_s=1.0)) as server:
        called = await call(server.url, PAUSED, 1, does=does, limit_s=9)
    assert [visit.parameters.eot_timeout_ms for visit in server.visits] == [5000, 5000]
    assert [len(visit.orders) for visit in server.visits] == [1, 2]
    ((failure, waited_s),) = results
    assert failure is None
    assert 1.0 < waited_s < 3.0
    assert called.source.active.eot_timeout_ms == 900


async def test_a_change_before_the_call_is_what_it_begins_with(call):
    async with flux_server() as server:
        source = FluxSource(server.url, ENGLISH)
        await source.configure(Change(eot_timeout_ms=900))
        source.finish()
        await source.run([].append)
    assert server.visits[0].parameters.eot_timeout_ms == 900


async def test_a_server_that_knows_no_changes_costs_a_reconnection_and_no_words(call):
    results = []
    does = [(1.0, configure(results, eot_timeout_ms=900))]
    async with flux_server(runs=OLD) as server:
        called = await call(server.url, PAUSED, 1, does=does)
    ((refused, _),) = results
    assert isinstance(refused, ConfigureUnsupported)
    assert called.turns == {0: "book a table for four"}
    assert len(server.visits) == 2
    assert called.error is None


async def test_who_waits_for_an_answer_learns_that_the_source_is_gone(call):
    results = []
    patience = Patience()
    does = [(1.0, configure(results, eot_timeout_ms=900))]
    gone = [Drop(0, 8), Refuse(1, status=401)]
    async with flux_server(*gone, runs=Deployment(configure_s=9.0)) as server:
        called = await call(server.url, PAUSED, 1, does=does, patience=patience)
    ((failure, waited_s),) = results
    assert isinstance(failure, SourceLost)
    assert waited_s < 2.0
    assert "HTTP 401" in str(called.error)
