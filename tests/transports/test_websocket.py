"""A caller at /ws, on virtual time."""

import json

import anyio
import pytest
import structlog

from turnkit.errors import TransportClosed
from turnkit.transports.base import DigitPressed, PlayoutReported
from turnkit.transports.client_wire import Terms
from turnkit.transports.peer import Verdict
from turnkit.transports.websocket import WebSocketTransport
from turnkit.turn.events import Update

pytestmark = pytest.mark.anyio

FRAME = b"\1\0" * 480  # 20 ms at 24 kHz
SECOND = b"\0\0" * 16000


@pytest.fixture
async def transport(far_side):
    return WebSocketTransport(await far_side.accept(), Terms(), "c0ffee")


def kinds(sent):
    """Tell the messages apart: 'audio 1' for texts, the length of binaries."""
    return [
        len(message)
        if isinstance(message, bytes)
        else " ".join(map(str, json.loads(message).values()))
        for message in sent
    ]


async def test_the_first_thing_said_is_hello(transport, far_side, running):
    transport.play(1, FRAME)
    await running(transport)
    assert json.loads(far_side.sent[0])["call"] == "c0ffee"
    assert kinds(far_side.sent[1:]) == ["audio 1", 960]


async def test_audio_is_announced_when_the_reply_changes(transport, far_side, running):
    for reply in (1, 1, 2):
        transport.play(reply, FRAME)
        transport.finish(reply) if reply == 2 else None
    await running(transport)
    assert kinds(far_side.sent[1:]) == ["audio 1", 960, 960, "audio 2", 960, "finish 2"]


async def test_a_clear_overtakes_audio_that_waits(transport, far_side, running):
    transport.play(1, FRAME)
    transport.clear(1)
    transport.play(2, FRAME)
    await running(transport)
    assert kinds(far_side.sent[1:]) == ["clear 1", "audio 2", 960]


async def test_what_happens_is_told_with_milliseconds_since_the_hello(transport, far_side, running):
    await anyio.sleep(5)
    transport.note(6.7, Update(0, "book"))
    await running(transport)
    assert json.loads(far_side.sent[-1])["at_ms"] == 1700


async def test_audio_of_odd_length_is_joined_across_messages(transport, far_side):
    far_side.says(b"\1\2\3", b"\4", b"\5", b"\6\7")
    assert [await transport.receive() for _ in range(3)] == [b"\1\2", b"\3\4", b"\5\6"]


async def test_playout_news_and_digits_come_through(transport, far_side):
    far_side.says('{"type":"playout","reply":1,"played_ms":40}', '{"type":"digit","digit":"5"}')
    assert await transport.receive() == PlayoutReported(1, 0.04)
    assert await transport.receive() == DigitPressed("5")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"bye"}', 1000),
        ("hello", 1007),
        ('{"type":"dance"}', 1003),
        (b"\0" * 65_537, 1009),
    ],
)
async def test_a_client_that_ends_it_is_answered_with_a_close_code(
    transport, far_side, message, code
):
    far_side.says(message)
    with pytest.raises(TransportClosed):
        await transport.receive()
    await transport.close()
    assert far_side.closed[0] == code


async def test_a_client_that_left_is_not_written_to(transport, far_side):
    far_side.leaves(1012)
    with pytest.raises(TransportClosed, match="server is shutting down"):
        await transport.receive()
    with pytest.raises(TransportClosed):
        await transport.run()
    await transport.close()
    assert transport.verdict == Verdict(1012, "server is shutting down")
    assert far_side.sent == []


async def test_a_client_that_reads_nothing_for_five_seconds_is_closed(transport, far_side):
    far_side.seconds_per_message = 3600
    with pytest.raises(TransportClosed, match="slow_consumer"):
        await transport.run()
    await transport.close()
    assert far_side.closed == (1008, "slow_consumer")
    assert anyio.current_time() == 5.0


async def test_a_client_that_reads_too_slowly_is_skipped_to_live(transport, far_side):
    far_side.seconds_per_message = 0.04
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(transport.run)
        for _ in range(500):
            transport.play(1, FRAME)
            await anyio.sleep(0.02)
        skipped_s = transport._outbox.skipped_s(1)
        assert transport._outbox._waiting_bytes <= 24000 * 2 * 3
        tasks.cancel_scope.cancel()
    assert skipped_s == pytest.approx(2.82)
    far_side.says('{"type":"playout","reply":1,"played_ms":1000}')
    assert await transport.receive() == PlayoutReported(1, 1.0 + skipped_s)


async def test_a_clear_reaches_a_slow_client_before_the_audio_it_is_behind_with(
    transport, far_side
):
    far_side.seconds_per_message = 0.04
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(transport.run)
        for _ in range(100):
            transport.play(1, FRAME)
        await anyio.sleep(1)
        transport.clear(1)
        await anyio.sleep(0.1)
        assert kinds(far_side.sent)[-1] == "clear 1"
        tasks.cancel_scope.cancel()


async def test_a_client_that_sends_a_file_at_once_is_read_at_twice_real_time(transport, far_side):
    far_side.says(*[SECOND] * 12)
    for _ in range(12):
        await transport.receive()
    assert anyio.current_time() == pytest.approx(4.5)


async def test_a_client_that_floods_on_and_on_is_closed(transport, far_side):
    far_side.says(*[SECOND] * 60)
    with pytest.raises(TransportClosed, match="as it is recorded"):  # noqa: PT012
        for _ in range(60):
            await transport.receive()
    assert transport.verdict.code == 1008


async def test_the_last_notes_and_the_end_are_sent_before_the_close(transport, far_side):
    transport.note(0.0, Update(0, "bye"))
    far_side.says('{"type":"bye"}')
    with pytest.raises(TransportClosed):
        await transport.receive()
    await transport.close()
    assert [json.loads(text)["type"] for text in far_side.sent] == ["note", "end"]
    assert far_side.closed == (1000, "hung up")


async def test_notes_that_had_to_be_dropped_are_counted(transport):
    for number in range(300):
        transport.note(number, Update(0, "word"))
    with structlog.testing.capture_logs() as logs:
        await transport.close()
    assert logs == [{"event": "notes.dropped", "log_level": "warning", "notes": 44}]


async def test_a_failure_of_ours_is_said_and_closed_with_1011(transport, far_side):
    await transport.close("turn source failed")
    assert json.loads(far_side.sent[-1]) == {"type": "error", "message": "turn source failed"}
    assert far_side.closed == (1011, "turn source failed")


async def test_a_long_reason_is_cut_to_what_a_close_frame_holds(transport, far_side):
    await transport.close("é" * 200)
    assert far_side.closed == (1011, "é" * 61)
