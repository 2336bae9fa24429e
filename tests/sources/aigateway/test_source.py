"""AIgateway as a turn source: whole calls over loopback, with a service that does its worst."""

import asyncio
import re
import socket
from contextlib import asynccontextmanager, suppress

import anyio
import numpy as np
import pytest
from websockets.utils import accept_key

from turnkit.audio.g711 import encode_mulaw
from turnkit.errors import SourceLost, SourceRefused
from turnkit.sources.aigateway.route import GatewayLost, GatewayRefused
from turnkit.sources.aigateway.stretches import DUPLICATE
from turnkit.sources.base import Change, ConfigureRefused
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.retries import RetryPolicy
from turnkit.testing.aigateway_server import KEY, Manner, aigateway_server
from turnkit.testing.flux_faults import Close, Drop, Fail, Hang, Late, Refuse, Skip, Stall, Twice
from turnkit.testing.spelling import Said, say
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = [pytest.mark.anyio, pytest.mark.network]

CALL = say(Said("i would like a table", 0.7), Said("for four people", 2.0), Said("thank you", 2.0))
TURNS = ["i would like a table for four people", "thank you"]


@asynccontextmanager
async def deaf_server():
    """Accept a handshake, and then neither say nor answer anything."""

    async def accept(reader, writer):
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = re.search(r"Sec-WebSocket-Key: (\S+)", request)[1]
        head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        writer.write(f"{head}Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode())
        with suppress(ConnectionError):
            while await reader.read(65536):
                pass
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"


async def test_a_call_has_its_turns_from_here_and_its_words_from_there(call):
    async with aigateway_server() as server:
        called = await call(server.url, CALL, 2)
    assert called.error is None
    assert called.told == [
        StartOfTurn(0, "..."),
        EagerEndOfTurn(0, "i would like a table"),
        TurnResumed(0, "i would like a table"),
        EagerEndOfTurn(0, TURNS[0]),
        EndOfTurn(0, TURNS[0], "model"),
        StartOfTurn(1, "..."),
        EagerEndOfTurn(1, TURNS[1]),
        EndOfTurn(1, TURNS[1], "model"),
    ]
    (visit,) = server.visits
    assert visit.query == {
        "model": "deepgram/flux",
        "encoding": "linear16",
        "sample_rate": "16000",
        "interim_results": "true",
    }
    assert visit.key == f"Bearer {KEY}"
    assert visit.orders == ["CloseStream"]


@pytest.mark.parametrize(
    "manner",
    [
        Manner(word_times=False),
        Manner(word_times=False, times=False),
        Manner(empty=False),
        Manner(lag_s=0.6),
        Manner(finals=False),
        Manner(turns=True),
    ],
    ids=["no word times", "no times", "silent in silence", "slow", "nothing final", "TurnInfo"],
)
async def test_whatever_the_manner_of_the_service_the_turns_are_the_same(call, manner):
    async with aigateway_server(manner=manner) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS
    starts = [event.turn for event in called.told if isinstance(event, StartOfTurn)]
    assert starts == [0, 1]


async def test_words_that_are_later_than_an_end_waits_are_in_some_turn_in_order(call):
    async with aigateway_server(manner=Manner(lag_s=4.0)) as server:
        called = await call(server.url, CALL, 20, limit_s=16.0)
    assert len(called.words) > 2
    assert " ".join(called.words).split() == " ".join(TURNS).split()
    assert called.source.odd["ends without all"] >= 1


async def test_real_turn_events_are_used_where_they_come(call):
    async with aigateway_server(manner=Manner(turns=True)) as server:
        called = await call(server.url, CALL, 2)
    said = [info for info in server.visits[0].told if info["event"] != "Update"]
    assert [(type(event).__name__, event.transcript) for event in called.told] == [
        (info["event"], info["transcript"]) for info in said
    ]
    with pytest.raises(ConfigureRefused, match="decides about turns by itself"):
        await called.source.configure(Change(eot_threshold=0.8))


async def test_finalize_is_sent_at_a_pause_where_it_is_understood(call):
    async with aigateway_server(manner=Manner(finalizes=True, finals=False)) as server:
        called = await call(server.url, CALL, 2, finalizes=True)
    assert called.words == TURNS
    assert server.visits[0].orders.count("Finalize") >= 2


async def test_a_service_that_fails_over_finalize_is_not_asked_again(call):
    async with aigateway_server() as server:
        called = await call(server.url, CALL, 2, finalizes=True)
    assert called.words == TURNS
    assert [visit.orders for visit in server.visits] == [["Finalize"], ["CloseStream"]]


@pytest.mark.parametrize("message", range(0, 24, 4))
@pytest.mark.parametrize("fault", [Drop, Close, Skip, Twice, Late], ids=lambda kind: kind.__name__)
async def test_a_fault_at_any_message_costs_no_turn_and_no_word(call, fault, message):
    async with aigateway_server(fault(0, message)) as server:
        called = await call(server.url, CALL, 2)
    assert called.error is None
    assert called.words == TURNS


@pytest.mark.parametrize("message", range(0, 24, 3))
async def test_an_outage_at_any_message_costs_no_turn_and_no_word(call, message):
    refusals = [Refuse(n, 503) for n in (1, 2, 3)]
    async with aigateway_server(Drop(0, message), *refusals) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS


@pytest.mark.parametrize("message", range(6, 30, 6))
@pytest.mark.parametrize("turns", [False, True], ids=["Results", "TurnInfo"])
async def test_a_steady_service_that_stops_costs_no_turn_and_no_word(call, turns, message):
    spoken = bytes(64000) + CALL
    async with aigateway_server(Stall(0, message), manner=Manner(turns=turns)) as server:
        called = await call(server.url, spoken, 2)
    assert called.words == TURNS
    assert len(server.visits) == 2


async def test_a_final_result_that_comes_twice_is_counted(call):
    async with aigateway_server(*(Twice(0, n) for n in range(40))) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS
    assert called.source.odd[DUPLICATE] >= 2


async def test_a_service_that_falls_silent_is_given_up_for_another_connection(call):
    long = say(Said(" ".join(["word"] * 50), 2.0))
    async with aigateway_server(Stall(0, 5)) as server:
        called = await call(server.url, long, 1)
    assert len(server.visits) == 2
    assert called.words == [" ".join(["word"] * 50)]


async def test_an_outage_is_written_down(call):
    async with aigateway_server(Drop(0, 6), Refuse(1, 503), Refuse(2, 503)) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS
    (outage,) = called.source.outages
    assert outage.tries == 3
    assert outage.replayed_s > 0
    assert outage.missing_s == 0


async def test_the_user_can_interrupt_while_there_is_no_connection(call):
    refusals = [Refuse(n, 503) for n in range(1, 5)]
    async with aigateway_server(Drop(0, 0), *refusals) as server:
        called = await call(server.url, CALL, 2)
    assert called.when(StartOfTurn) < 1.0
    assert called.words == TURNS


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "set AIGATEWAY_API_KEY to a key"),
        (402, "the account is out of credit"),
        (404, "check AIGATEWAY_BASE_URL"),
        (426, "check the URL"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_do(call, status, advice):
    async with aigateway_server(Refuse(0, status)) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, GatewayRefused)
    assert isinstance(called.error, SourceRefused)
    assert f"HTTP {status}" in str(called.error)
    assert advice in str(called.error)
    assert "does not help" in str(called.error)
    assert len(server.knocked_at) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_service_that_is_busy_is_asked_again(call, status):
    async with aigateway_server(Refuse(0, status)) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS
    assert len(server.knocked_at) == 2


async def test_a_service_that_says_when_is_asked_then(call):
    async with aigateway_server(Refuse(0, 429, "3")) as server:
        await call(server.url, CALL, 2)
    assert server.knocked_at[1] - server.knocked_at[0] >= 3.0


async def test_a_service_that_stays_busy_is_given_up(call):
    async with aigateway_server(*(Refuse(n, 503) for n in range(40))) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, GatewayLost)
    assert called.error.advice.blame == "service"
    assert "trying again may help" in str(called.error)
    assert called.over_at <= 8.0


async def test_a_wait_that_is_too_long_for_a_call_is_told(call):
    async with aigateway_server(Refuse(0, 429, "60")) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, GatewayLost)
    assert called.error.retry_after_s == 60
    assert "trying again may help after 60 s" in str(called.error)


async def test_an_account_that_runs_out_in_mid_call_ends_it(call):
    async with aigateway_server(Fail(0, 6, "insufficient_credits")) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, GatewayRefused)
    assert called.error.advice.blame == "account"
    assert "top it up" in str(called.error)


async def test_a_failure_of_the_service_in_mid_call_is_got_over(call):
    async with aigateway_server(Fail(0, 6, "server_error")) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS


async def test_a_wrong_key_is_in_no_message(call):
    async with aigateway_server() as server:
        called = await call(server.url, CALL, 2, key="sk-aig-canary")
    assert isinstance(called.error, SourceRefused)
    assert "canary" not in str(called.error)


async def test_without_a_key_the_advice_is_to_set_one(call):
    async with aigateway_server() as server:
        called = await call(server.url, CALL, 2, key=None)
    assert "set AIGATEWAY_API_KEY" in str(called.error)


async def test_a_handshake_without_an_answer_is_tried_again(call):
    async with aigateway_server(Hang(0)) as server:
        called = await call(server.url, CALL, 2)
    assert called.words == TURNS


async def test_another_address_is_asked_when_the_first_is_gone(call):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        gone = f"ws://127.0.0.1:{closed.getsockname()[1]}/v1/realtime"
        async with aigateway_server() as server:
            called = await call(f"{gone},{server.url}", CALL, 2)
    assert called.words == TURNS


async def test_connections_that_keep_breaking_end_the_call(call):
    async with aigateway_server(*(Drop(n, 2) for n in range(30))) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, SourceLost)
    assert len(server.visits) == 5


async def test_messages_that_make_no_sense_are_counted_and_many_end_the_connection(call):
    async with aigateway_server(manner=Manner(garbage=2)) as server:
        called = await call(server.url, CALL, 2)
    assert isinstance(called.error, SourceLost)
    assert "make no sense" in str(called.error)
    assert called.source.odd["malformed"] >= 5 * 10


async def test_a_few_messages_that_make_no_sense_cost_nothing(call):
    async with aigateway_server(manner=Manner(garbage=1, empty=False, lag_s=0.4)) as server:
        called = await call(server.url, CALL, 1)
    assert called.words == TURNS[:1]
    assert called.source.odd["malformed"] > 0


async def test_a_service_that_is_gone_without_a_close_is_noticed_by_a_ping(call):
    """A network that swallows everything, as far as a server can play one."""
    async with deaf_server() as url, aigateway_server() as server:
        called = await call(f"{url},{server.url}", bytes(64000) + CALL, 2)
    assert called.words == TURNS


async def test_audio_that_cannot_be_sent_for_too_long_is_counted(call):
    refusals = [Refuse(n, 503) for n in range(60)]
    patience = Patience(retries=RetryPolicy(start_s=40.0))
    async with aigateway_server(*refusals) as server:
        called = await call(server.url, CALL, 2, patience=patience)
    assert called.source.dropped_bytes > 0


async def test_a_turn_can_be_ended_by_order(call):
    async with aigateway_server() as server:
        end = [(1.9, lambda source: source.end_turn())]
        called = await call(server.url, CALL, 3, does=end)
    assert called.ends[0].trigger == "manual"
    assert " ".join(called.words).split() == " ".join(TURNS).split()


async def test_thresholds_may_be_changed_in_mid_call(call):
    async def change(source):
        await source.configure(Change(eot_threshold=0.5, eager_eot_threshold=0.5))

    async with aigateway_server() as server:
        called = await call(server.url, CALL, 3, does=[(0.1, change)])
    assert called.words == ["i would like a table", "for four people", "thank you"]


async def test_what_the_route_cannot_change_is_refused(call):
    refused = []

    async def change(source):
        try:
            await source.configure(Change(keyterms=("Deepgram",)))
        except ConfigureRefused as exc:
            refused.append(exc.code)

    async with aigateway_server() as server:
        await call(server.url, CALL, 2, does=[(0.1, change)])
    assert refused == ["UNSUPPORTED"]


async def test_telephone_audio_is_sent_as_linear16(call):
    samples = np.frombuffer(say(Said("hello", 2.0)), "<i2")[::2]
    parameters = ListenParameters("flux-general-en", "mulaw", 8000, eager_eot_threshold=0.5)
    script = [("hello", 0.5, 0.7)]
    async with aigateway_server(script=script) as server:
        called = await call(
            server.url, encode_mulaw(samples.copy()), 1, parameters=parameters, limit_s=4.0
        )
    assert server.visits[0].query["sample_rate"] == "8000"
    assert server.visits[0].audio_bytes % 1280 == 0  # 80 ms of 16-bit samples
    assert called.source.dropped_bytes == 0


async def test_cancelling_ends_it_at_once(call):
    async with aigateway_server() as server:
        with anyio.move_on_after(1.0) as scope:
            await call(server.url, CALL, 2)
        assert scope.cancelled_caught
        assert anyio.current_time() < 1.2
