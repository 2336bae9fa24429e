"""Everything that can happen to a connection, and what the call has of it.

The letters and numbers are those of turnkit's list of faults; what is not here is in
`test_every_message.py` (A9, A12, A22) and `test_retries.py` (A20).
"""
# ruff: noqa: N802

import asyncio
import socket

import anyio
import numpy as np
import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.errors import SourceLost, SourceRefused
from turnkit.sources.flux import Patience, RetryPolicy
from turnkit.sources.flux.ear import Ear
from turnkit.sources.flux_wire import UNPARSABLE
from turnkit.testing.flux_faults import (
    OLD,
    Close,
    Deployment,
    Drop,
    Fail,
    Forgetful,
    Hang,
    Refuse,
    Stall,
    Unending,
)
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import Said, say, spell
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = [pytest.mark.anyio, pytest.mark.network]

YES = say("yes please")
TWICE = say("book a table", "for four please")
BOTH = {0: "book a table", 1: "for four please"}
NEVER = [Refuse(n) for n in range(1, 30)]


def knocks(server):
    """When somebody came to the door, after the first time."""
    first = server.knocked_at[0]
    return [round(at - first, 3) for at in server.knocked_at]


# At the start of a call.


async def test_A1_a_server_that_is_not_there_is_tried_for_eight_seconds(call):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    called = await call(f"ws://127.0.0.1:{port}", YES, 1)
    assert isinstance(called.error, SourceLost)
    assert "cannot be reached" in str(called.error)
    assert called.over_at == 7.7  # the next try would be at 9.7


async def test_A1_what_was_said_in_the_meantime_is_not_lost(call):
    async with flux_server(*(Refuse(n) for n in range(5))) as server:
        called = await call(server.url, TWICE, 2)
    assert knocks(server) == [0.0, 0.0, 0.2, 0.7, 1.7, 3.7]
    assert called.turns == BOTH
    assert not called.source.outages  # there was no call yet to have one


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404])
async def test_A2_A3_A5_a_server_that_says_no_is_not_asked_again(call, status):
    async with flux_server(Refuse(0, status=status)) as server:
        called = await call(server.url, YES, 1)
    assert isinstance(called.error, SourceRefused)
    assert f"HTTP {status}: FAULT: asked" in str(called.error)
    assert (knocks(server), called.over_at) == ([0.0], 0.0)


async def test_A4_a_busy_server_says_when_to_come_back(call):
    async with flux_server(
        Refuse(0, status=429, retry_after="2"), Refuse(1, status=429, retry_after="3")
    ) as server:
        called = await call(server.url, YES, 1)
    assert knocks(server) == [0.0, 2.0, 5.0]
    assert called.turns == {0: "yes please"}


@pytest.mark.parametrize("wait_s", ["9", "3600"])
async def test_A4_but_not_if_that_is_too_late(call, wait_s):
    async with flux_server(Refuse(0, status=429, retry_after=wait_s)) as server:
        called = await call(server.url, YES, 1)
    assert isinstance(called.error, SourceLost)
    assert "HTTP 429" in str(called.error)
    assert called.over_at == 0.0


async def test_A4_a_date_to_come_back_is_no_number_of_seconds(call):
    async with flux_server(
        Refuse(0, status=429, retry_after="Fri, 20 Nov 2026 10:00:00 GMT")
    ) as server:
        called = await call(server.url, YES, 1)
    assert knocks(server) == [0.0, 0.0]
    assert called.turns == {0: "yes please"}


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_A6_a_server_in_trouble_is_asked_again(call, status):
    async with flux_server(Refuse(0, status=status)) as server:
        called = await call(server.url, YES, 1)
    assert called.turns == {0: "yes please"}


async def test_A7_a_handshake_without_an_answer_is_a_try_that_failed(call):
    async with flux_server(Hang(0)) as server:
        called = await call(server.url, YES, 1)
    assert knocks(server) == [0.0, 3.0]
    assert called.turns == {0: "yes please"}


async def test_A7_a_server_that_never_answers_costs_eight_seconds(call):
    async with flux_server(*(Hang(n) for n in range(9))) as server:
        called = await call(server.url, YES, 1)
    assert knocks(server) == [0.0, 3.0, 6.2]
    assert isinstance(called.error, SourceLost)
    assert called.over_at == 8.0


async def test_A8_no_tls_where_it_was_asked_for_is_final(call):
    async def talk_plainly(reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(talk_plainly, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        called = await call(f"wss://127.0.0.1:{port}", YES, 1)
    assert isinstance(called.error, SourceRefused)
    assert "TLS" in str(called.error)
    assert called.over_at == 0.0


# In mid-call.


async def message_number(call, audio, event):
    """Return the number of the first message of this kind in the call without faults."""
    async with flux_server() as server:
        await call(server.url, audio, 1)
    told = server.visits[0].told
    return next(n for n, one in enumerate(told) if getattr(one, "event", None) == event)


async def test_A10_a_draft_is_kept_while_the_turn_is_heard_again(call):
    eager = await message_number(call, YES, "EagerEndOfTurn")
    async with flux_server(Drop(0, eager + 1)) as server:
        called = await call(server.url, YES, 1)
    assert called.told == [
        StartOfTurn(0, "..."),
        EagerEndOfTurn(0, "yes please"),
        EndOfTurn(0, "yes please"),
    ]
    assert len(called.source.outages) == 1


async def test_A10_and_dropped_only_when_the_turn_goes_on(call):
    audio = say(Said("yes", 0.7), "please")
    eager = await message_number(call, audio, "EagerEndOfTurn")
    async with flux_server(Drop(0, eager + 1)) as server:
        called = await call(server.url, audio, 1)
    assert called.told[1:3] == [EagerEndOfTurn(0, "yes"), TurnResumed(0, "yes")]
    assert called.turns == {0: "yes please"}


@pytest.fixture
def voice():
    """Two seconds that our own ear takes for a voice, and that the server here cannot read."""
    seconds = np.arange(32000) / 16000
    loudness = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * seconds)
    harmonics = {140: 0.5, 280: 0.4, 420: 0.4, 560: 0.5, 700: 0.4, 1120: 0.2, 2240: 0.2}
    tone = sum(part * np.sin(2 * np.pi * hz * seconds) for hz, part in harmonics.items())
    samples = (2300 * loudness * tone).astype(np.int16)
    ear = Ear(AudioFormat(16000))
    for number, piece in enumerate(np.split(samples, 25), 1):
        ear.hear(piece.tobytes(), number * 0.08)
    assert ear.spoken_s > 1.0
    return samples.tobytes()


async def test_A11_who_speaks_during_an_outage_has_the_floor(call, voice):
    script = bytes(32000) + spell("yes please") + bytes(96000)
    faults = [Drop(0, 3), *(Refuse(n) for n in range(1, 5))]
    async with flux_server(*faults, script=script) as server:
        called = await call(server.url, bytes(32000) + voice, 1)
    (lost,) = called.source.outages
    started_at = next(at for at, event in called.events if event == StartOfTurn(0))
    assert started_at < lost.began_at + lost.gap_s
    assert called.told == [StartOfTurn(0), EagerEndOfTurn(0, "yes please"), *called.ends]
    assert called.turns == {0: "yes please"}


async def test_A11_and_gives_it_back_if_there_were_no_words(call, voice):
    faults = [Drop(0, 3), *(Refuse(n) for n in range(1, 5))]
    async with flux_server(*faults, script=bytes(32000)) as server:
        called = await call(server.url, bytes(32000) + voice, 1)
    assert called.told == [StartOfTurn(0), EndOfTurn(0, "", "watchdog")]


async def test_A13_a_server_that_missed_our_audio_is_connected_to_again(call):
    async with flux_server(Close(0, 6, 1011, "NET-0001")) as server:
        called = await call(server.url, TWICE, 2)
    assert called.turns == BOTH
    assert len(server.visits) == 2


async def test_A14_a_server_that_cannot_read_our_audio_never_will(call):
    async with flux_server(Close(0, 3, 1008, "DATA-0000")) as server:
        called = await call(server.url, TWICE, 2)
    assert isinstance(called.error, SourceRefused)
    assert "linear16 at 16000 Hz" in str(called.error)
    assert len(server.visits) == 1


@pytest.mark.parametrize("message", [0, 5])
async def test_A15_a_server_that_does_not_understand_us_gets_one_more_chance(call, message):
    async with flux_server(Fail(0, message, UNPARSABLE)) as server:
        called = await call(server.url, TWICE, 2)
    assert called.turns == BOTH
    async with flux_server(*(Fail(n, message, UNPARSABLE) for n in range(9))) as server:
        called = await call(server.url, TWICE, 2)
    assert isinstance(called.error, SourceRefused)
    assert len(server.visits) == 2


async def test_A16_half_open(call):
    async with flux_server(Stall(0, 9)) as server:
        called = await call(server.url, TWICE, 2)
    (lost,) = called.source.outages
    last_word_at = [at for at, _ in called.events if at < lost.began_at][-1]
    assert lost.began_at - server.knocked_at[0] == pytest.approx(last_word_at + 3.0)
    assert called.turns == BOTH


async def test_A17_a_server_that_can_is_told_to_end_a_turn_it_does_not(call):
    async with flux_server(Unending(0)) as server:
        called = await call(server.url, YES, 1)
    assert called.ends == [EndOfTurn(0, "yes please", "watchdog")]
    # The last word begins to be heard at 0.88 s, and after that there are 6 s of silence.
    assert called.ended_at[0] == pytest.approx(7.0, abs=0.2)
    assert len(server.visits) == 1


async def test_A17_a_server_that_cannot_is_left_and_the_next_connection_ends_it(call):
    async with flux_server(Unending(0), runs=OLD) as server:
        called = await call(server.url, YES, 1)
    assert called.ends == [EndOfTurn(0, "yes please", "model")]
    assert len(server.visits) == 2
    assert not any(visit.orders[:-1] for visit in server.visits)  # but CloseStream


async def test_A17_and_if_that_does_not_either_we_do(call):
    async with flux_server(Unending(0), Unending(1), runs=OLD) as server:
        called = await call(server.url, YES, 1)
    assert called.ends == [EndOfTurn(0, "yes please", "watchdog")]
    assert len(server.visits) == 2
    # 6 s of silence, all of it again 1.25 times as fast, and a second more.
    assert called.ended_at[0] == pytest.approx(7.0 + 8.0 / 1.25, abs=0.3)


async def test_A17_a_server_that_forgets_the_words_of_a_turn_does_not_lose_them(call):
    async with flux_server(Forgetful(0), Forgetful(1), runs=OLD) as server:
        called = await call(server.url, say(Said("yes please do", 9.0)), 1, limit_s=40)
    (end,) = called.ends
    assert end.trigger == "watchdog"
    assert end.transcript == "..."  # all it ever said
    assert len(server.visits) == 2


async def test_A18_a_connection_that_cannot_keep_up_is_left_once(call):
    async with flux_server(runs=Deployment(bytes_per_s=24000)) as server:
        called = await call(server.url, YES + bytes(32000 * 20), 9, limit_s=30)
    assert len(called.source.outages) == 1
    assert called.turns[0] == "yes please"


async def test_A19_a_connection_that_never_lasts_is_given_up(call):
    async with flux_server(*(Drop(n, 3) for n in range(20))) as server:
        called = await call(server.url, TWICE, 2)
    assert isinstance(called.error, SourceLost)
    assert len(server.visits) == 5


async def test_A21_lost_audio_is_made_up_for_at_one_and_a_quarter_of_real_time(call):
    async with flux_server(Drop(0, 20)) as server:
        await call(server.url, TWICE, 2)
    visit = server.visits[1]
    came = [at - visit.audio[0][0] for at, _ in visit.audio]
    sent = [0.08 * n for n in range(len(came))]
    assert all(audio_s <= 1.25 * at + 0.001 for at, audio_s in zip(came, sent, strict=True))
    assert sent[20] == pytest.approx(1.25 * came[20])


async def test_A25_a_caller_whose_line_goes_quiet_in_mid_turn_is_heard_to_end(call):
    async with flux_server() as server:
        called = await call(server.url, say("yes please")[:-40000], 1, goes_dead=True)
    assert called.turns == {0: "yes please"}


async def test_an_outage_of_ten_seconds_costs_no_words(call):
    async with flux_server(Drop(0, 6), *(Refuse(n) for n in range(1, 9))) as server:
        called = await call(server.url, TWICE, 2)
    assert called.turns == BOTH
    (lost,) = called.source.outages
    assert lost.gap_s == pytest.approx(11.7)
    assert (lost.tries, lost.missing_s) == (9, 0.0)


async def test_after_twelve_seconds_a_call_is_given_up(call):
    async with flux_server(Drop(0, 6), *NEVER) as server:
        called = await call(server.url, TWICE, 2)
    assert isinstance(called.error, SourceLost)
    lost_at = server.knocked_at[1] - server.knocked_at[0]
    assert called.over_at == pytest.approx(lost_at + 11.7)


async def test_how_long_is_a_setting(call):
    patience = Patience(retries=RetryPolicy(outage_s=1.0))
    async with flux_server(Drop(0, 6), *NEVER) as server:
        called = await call(server.url, TWICE, 2, patience=patience)
    lost_at = server.knocked_at[1] - server.knocked_at[0]
    assert called.over_at == pytest.approx(lost_at + 0.7)


async def test_of_a_long_turn_ten_seconds_are_heard_again_and_no_word_is_lost(call):
    words = " ".join(f"word{n}" for n in range(70))  # 16.8 s
    async with flux_server(Drop(0, 60)) as server:
        called = await call(server.url, say(words), 1)
    assert called.turns == {0: words}
    (lost,) = called.source.outages
    assert 9.0 < lost.replayed_s <= 10.3


async def test_nor_with_a_server_that_does_not_say_when_words_were_said(call):
    words = " ".join(f"word{n}" for n in range(70))
    async with flux_server(Drop(0, 60), runs=OLD) as server:
        called = await call(server.url, say(words), 1)
    said = called.turns[0].split()
    assert len(said) == len(set(said)) >= 69  # the one in whose middle it was cut may suffer


async def test_another_route_takes_over_in_mid_call(call):
    async with flux_server(Drop(0, 6), *NEVER) as first, flux_server() as second:
        called = await call(f"{first.url},{second.url}", TWICE, 2)
    assert called.turns == BOTH
    assert [len(server.visits) for server in (first, second)] == [1, 1]
    (lost,) = called.source.outages
    assert (lost.gap_s, lost.tries) == (0.0, 1)
    assert lost.host in second.url


async def test_a_route_that_says_no_is_left_to_the_others(call):
    async with flux_server(Refuse(0, status=401)) as first, flux_server() as second:
        called = await call(f"{first.url}, {second.url}", TWICE, 2)
    assert called.turns == BOTH
    assert len(first.knocked_at) == 1


async def test_when_all_routes_are_gone_the_last_error_is_told(call):
    refusing = [Refuse(n, status=503) for n in range(30)]
    async with flux_server(Refuse(0, status=401)) as first, flux_server(*refusing) as second:
        called = await call(f"{first.url},{second.url}", TWICE, 2)
    assert isinstance(called.error, SourceLost)
    assert "HTTP 503" in str(called.error)


async def test_audio_that_no_server_took_is_counted(call):
    patience = Patience(retries=RetryPolicy(start_s=100.0))
    async with flux_server(*(Refuse(n) for n in range(22))) as server:
        called = await call(server.url, bytes(32000 * 40), 9, limit_s=40, patience=patience)
    assert called.error is None
    first_s = server.visits[0].opened_at - server.knocked_at[0]
    assert called.source.dropped_bytes == pytest.approx((first_s - 30) * 32000, abs=5120)


async def test_hanging_up_during_an_outage_ends_it(call):
    async with flux_server(Drop(0, 6), *NEVER) as server:
        with anyio.move_on_after(5) as hung_up:
            await call(server.url, TWICE, 2)
    assert hung_up.cancelled_caught


async def test_a_process_that_stood_still_blames_nobody_else(call):
    def stand_still(source):
        asyncio.get_running_loop().jump(5.0)

    async with flux_server() as server:
        called = await call(server.url, TWICE, 2, does=[(1.3, stand_still)])
    assert called.turns == BOTH
    assert not called.source.outages
