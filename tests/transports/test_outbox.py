"""What goes first, and what goes never."""

import anyio
import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.transports.outbox import NOTES, Clear, Finish, Frame, Outbox, Tell
from turnkit.turn.events import Update

pytestmark = pytest.mark.anyio

NEWS = Update(0, "book")
FRAME = b"\0" * 320  # 20 ms at 8 kHz


@pytest.fixture
def outbox():
    return Outbox(AudioFormat(8000))


async def everything(outbox):
    with anyio.fail_after(0):
        await outbox.wait()
    return list(iter(outbox.next, None))


async def test_audio_overtakes_notes_and_clears_overtake_audio(outbox):
    outbox.tell(0.0, NEWS)
    outbox.play(2, FRAME)
    outbox.finish(2)
    outbox.clear(1)
    taken = await everything(outbox)
    assert taken == [Clear(1), Frame(2, FRAME, 0.02), Finish(2, 0.02), Tell(0.0, NEWS)]


async def test_a_clear_purges_its_reply_and_what_still_comes_of_it(outbox):
    outbox.play(1, FRAME)
    outbox.finish(1)
    outbox.clear(1)
    outbox.play(1, FRAME)
    outbox.finish(1)
    assert await everything(outbox) == [Clear(1)]
    assert outbox.cleared(1)
    assert not outbox.cleared(2)


async def test_a_frame_says_how_far_into_its_reply_it_reaches(outbox):
    for reply in (1, 1, 2):
        outbox.play(reply, FRAME)
    ends = [(frame.reply, frame.end_s) for frame in await everything(outbox)]
    assert ends == [(1, 0.02), (1, 0.04), (2, 0.02)]


async def test_a_reply_without_a_frame_is_finished_at_zero(outbox):
    outbox.play(1, FRAME)
    outbox.finish(2)
    assert (await everything(outbox))[-1] == Finish(2, 0.0)


async def test_a_backlog_of_more_than_three_seconds_is_skipped_to_the_newest_200_ms(outbox):
    for _ in range(151):
        outbox.play(1, FRAME)
    assert outbox.skipped_s(1) == pytest.approx(2.82)
    assert [frame.end_s for frame in await everything(outbox)] == [
        pytest.approx(2.84 + 0.02 * n) for n in range(10)
    ]


async def test_skipping_keeps_the_news_of_where_a_reply_ends(outbox):
    outbox.play(1, FRAME)
    outbox.finish(1)
    for _ in range(150):
        outbox.play(2, FRAME)
    assert (await everything(outbox))[0] == Finish(1, 0.02)
    assert outbox.skipped_s(1) == 0.0  # only the newest reply matters to anybody
    assert outbox.skipped_s(2) == pytest.approx(2.8)


async def test_of_too_many_notes_the_oldest_go_and_are_counted(outbox):
    for number in range(NOTES + 3):
        outbox.tell(number, NEWS)
    assert outbox.dropped_notes == 3
    assert outbox.take_notes()[0] == Tell(3, NEWS)
    assert outbox.take_notes() == []


async def test_who_waits_is_woken_by_the_bell(outbox):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep, 1)
        with anyio.fail_after(2):
            tasks.start_soon(_play_later, outbox)
            await outbox.wait()
    assert outbox.next() == Frame(1, FRAME, 0.02)
    assert anyio.current_time() == 1.0


async def _play_later(outbox):
    await anyio.sleep(0.5)
    outbox.play(1, FRAME)
    outbox.ring()
