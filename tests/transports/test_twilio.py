"""A caller on the telephone, on virtual time."""

import base64
import json

import anyio
import numpy as np
import pytest
import structlog

from turnkit.audio.frames import samples_of
from turnkit.audio.g711 import decode_mulaw
from turnkit.errors import TransportClosed
from turnkit.transports import twilio
from turnkit.transports.base import DigitPressed, PlayoutReported

pytestmark = pytest.mark.anyio

START = json.dumps({"event": "start", "start": {"streamSid": "MZ1", "callSid": "CA1"}})
FRAME = np.full(160, 1000, np.int16).tobytes()
STOP = '{"event":"stop"}'


def media(chunk, audio=b"\xff" * 160, track="inbound"):
    payload = base64.b64encode(audio).decode()
    return json.dumps(
        {"event": "media", "media": {"track": track, "chunk": str(chunk), "payload": payload}}
    )


def mark(reply, played_ms):
    return json.dumps({"event": "mark", "mark": {"name": f"reply-{reply}-{played_ms}"}})


@pytest.fixture
async def transport(far_side):
    far_side.says('{"event":"connected"}', START)
    return await twilio.answer(await far_side.accept())


def sent(far_side):
    """Tell in short what Twilio was sent."""
    messages = map(json.loads, far_side.sent)
    return [m["mark"]["name"] if m["event"] == "mark" else m["event"] for m in messages]


async def until_closed(transport):
    heard = []
    try:
        while True:
            heard.append(await transport.receive())
    except TransportClosed:
        return heard


async def test_mulaw_reaches_the_source_untouched(transport, far_side):
    far_side.says(media(1, b"\x01\x02"), media(2, b"\x03"))
    assert [await transport.receive() for _ in range(2)] == [b"\x01\x02", b"\x03"]
    assert (transport.incoming.sample_rate_hz, transport.incoming.encoding) == (8000, "mulaw")


async def test_under_another_server_nothing_is_passed_on_and_all_is_received(transport, far_side):
    passed = []
    transport.pass_to(passed.append)
    far_side.says(media(1, b"\x01\x02"), mark(1, 100))
    received = [await transport.receive() for _ in range(2)]
    assert (received, passed) == ([b"\x01\x02", PlayoutReported(1, 0.1)], [])


async def test_replies_are_sent_as_mulaw_of_this_stream(transport, far_side, running):
    transport.play(1, FRAME)
    await running(transport)
    message = json.loads(far_side.sent[0])
    audio = decode_mulaw(base64.b64decode(message["media"]["payload"]))
    assert message["streamSid"] == "MZ1"
    assert np.abs(audio - samples_of(FRAME)).max() < 32


async def test_a_mark_follows_every_100_ms_and_the_end_of_a_reply(transport, far_side, running):
    for _ in range(7):
        transport.play(1, FRAME)
    transport.finish(1)
    await running(transport)
    assert sent(far_side) == [*["media"] * 5, "reply-1-100", "media", "media", "reply-1-140"]


async def test_the_end_is_marked_once(transport, far_side, running):
    for _ in range(5):
        transport.play(1, FRAME)
    transport.finish(1)
    await running(transport)
    assert sent(far_side) == [*["media"] * 5, "reply-1-100"]


async def test_a_mark_that_comes_back_tells_what_was_heard(transport, far_side):
    far_side.says(mark(1, 100), '{"event":"dtmf","dtmf":{"digit":"5"}}')
    assert await transport.receive() == PlayoutReported(1, 0.1)
    assert await transport.receive() == DigitPressed("5")


async def test_marks_that_come_back_after_a_clear_do_not_count_as_heard(
    transport, far_side, running
):
    for _ in range(10):
        transport.play(1, FRAME)
    await running(transport)
    transport.clear(1)
    transport.play(2, FRAME)
    await running(transport)
    assert sent(far_side)[-2:] == ["clear", "media"]
    far_side.says(mark(1, 100), mark(1, 200), mark(2, 20))
    assert await transport.receive() == PlayoutReported(2, 0.02)


async def test_repeats_and_the_other_track_are_not_heard(transport, far_side):
    far_side.says(
        media(1, b"a"), media(1, b"a"), media(9, b"x", track="outbound"), media(2, b"b"), STOP
    )
    assert await until_closed(transport) == [b"a", b"b"]


async def test_a_lost_chunk_is_20_ms_of_silence(transport, far_side):
    far_side.says(*(media(n, b"a") for n in (1, 3, 4, 5, 6, 7)), STOP)
    assert b"".join(await until_closed(transport)) == b"a" + b"\xff" * 160 + b"aaaaa"


async def test_what_cannot_be_read_or_is_unknown_is_overlooked(transport, far_side):
    broken = media(1).replace('"payload": "', '"payload": "!')
    theirs = '{"event":"mark","mark":{"name":"theirs"}}'
    far_side.says(broken, "junk", '{"event":"applause"}', theirs, media(1, b"a"), STOP)
    assert await until_closed(transport) == [b"a"]
    await transport.close()
    assert far_side.closed == (1000, "hung up")


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([START], 1002),
        (["junk"] * 10, 1003),
        ([b"\xff" * 160], 1003),
        ([" " * 65_537], 1009),
        ([media(n, b"\xff" * 8000) for n in range(60)], 1008),
    ],
)
async def test_a_peer_that_is_not_twilio_is_closed(transport, far_side, messages, code):
    far_side.says(*messages)
    await until_closed(transport)
    await transport.close()
    assert far_side.closed[0] == code


async def test_unreadable_messages_few_and_far_between_are_forgiven(transport, far_side):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(until_closed, transport)
        for _ in range(50):
            far_side.says("junk")
            await anyio.sleep(1.2)
        far_side.says(STOP)
    assert transport.verdict.code == 1000


async def test_media_before_the_start_is_ignored(far_side):
    far_side.says(media(1), START, media(2, b"b"))
    transport = await twilio.answer(await far_side.accept())
    assert await transport.receive() == b"b"


async def test_a_peer_that_never_starts_is_closed_after_ten_seconds(far_side):
    far_side.says('{"event":"connected"}')
    with pytest.raises(TransportClosed, match="no start"):
        await twilio.answer(await far_side.accept())
    assert far_side.closed[0] == 1002
    assert anyio.current_time() == 10.0


async def test_a_call_that_stops_before_it_starts_is_over(far_side):
    far_side.says(STOP)
    with pytest.raises(TransportClosed, match="hung up"):
        await twilio.answer(await far_side.accept())


async def test_what_was_odd_is_counted_in_one_line(transport, far_side):
    far_side.says("junk", '{"event":"applause"}', media(1), media(1), STOP)
    await until_closed(transport)
    with structlog.testing.capture_logs() as logs:
        await transport.close()
    assert logs == [
        {
            "event": "twilio.oddities",
            "log_level": "warning",
            "unreadable": 1,
            "unexpected": 1,
            "repeated": 1,
        }
    ]


async def test_a_failure_of_ours_closes_with_1011(transport, far_side):
    await transport.close("turn source failed")
    assert far_side.closed == (1011, "turn source failed")
    assert far_side.sent == []
