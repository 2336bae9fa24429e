"""The feed: exact chunks of what was heard, silence for what was not, and bounds."""

import anyio
import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.sources.feed import Feed

pytestmark = pytest.mark.anyio

PHONE = AudioFormat(8000, "mulaw")
CHUNK = 640  # 80 ms of it
QUIET = b"\xff" * CHUNK


def voice(size):
    """Audio in which every byte tells its place."""
    return (bytes(range(200)) * (size // 200 + 1))[:size]


async def take(feed, count):
    """Take so many chunks; return when each came, and all of them joined."""
    instants, audio = [], b""
    for _ in range(count):
        audio += await feed.next_chunk()
        instants.append(anyio.current_time())
    return instants, audio


async def say(feed, *pieces):
    """Be the caller: each piece is heard at its instant."""
    for at, audio in pieces:
        await anyio.sleep(at - anyio.current_time())
        feed.hear(audio)


async def drain(feed):
    feed.finish()
    chunks = []
    while (chunk := await feed.next_chunk()) is not None:
        chunks.append(chunk)
    return chunks


@pytest.mark.parametrize("size", [1, 7, 160, 639, 640, 641, 3000])
async def test_pieces_of_any_length_become_chunks_of_80_ms(size):
    feed = Feed(PHONE)
    said = voice(3 * CHUNK)
    for start in range(0, len(said), size):
        feed.hear(said[start : start + size])
    chunks = await drain(feed)
    assert [len(chunk) for chunk in chunks] == [CHUNK] * 3
    assert b"".join(chunks) == said


async def test_a_chunk_comes_the_moment_it_is_whole():
    feed = Feed(PHONE)
    async with anyio.create_task_group() as tasks:
        frames = [(0.02 * n, voice(160)) for n in range(1, 9)]
        tasks.start_soon(say, feed, *frames)
        assert (await take(feed, 2))[0] == [0.08, 0.16]


async def test_the_last_partial_chunk_is_filled_with_silence():
    feed = Feed(PHONE)
    feed.hear(voice(CHUNK + 100))
    assert await drain(feed) == [voice(CHUNK), voice(CHUNK + 100)[CHUNK:] + QUIET[100:]]


async def test_an_unheard_call_has_no_chunks():
    assert await drain(Feed(PHONE)) == []


async def test_the_end_wakes_whoever_waits():
    feed = Feed(PHONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say, feed, (0.05, b"\x01"))
        tasks.start_soon(_finish_at, feed, 0.1)
        assert await feed.next_chunk() == b"\x01" + QUIET[1:]
        assert anyio.current_time() == 0.1
        assert await feed.next_chunk() is None
        assert await feed.next_chunk() is None


async def _finish_at(feed, at):
    await anyio.sleep(at)
    feed.finish()


async def test_after_the_end_nothing_is_heard():
    feed = Feed(PHONE)
    feed.finish()
    feed.hear(voice(CHUNK))
    assert await feed.next_chunk() is None


async def test_silence_comes_200_ms_late_and_then_in_real_time():
    instants, audio = await take(Feed(PHONE), 4)
    assert instants == [0.28, 0.36, 0.44, 0.52]
    assert audio == QUIET * 4


async def test_silence_is_digital_silence_of_the_encoding():
    assert await Feed(AudioFormat(16000)).next_chunk() == b"\0" * 2560
    assert await Feed(AudioFormat(8000, "alaw")).next_chunk() == b"\xd5" * CHUNK


async def test_a_frame_180_ms_late_meets_no_silence():
    feed = Feed(PHONE)
    feed.hear(voice(CHUNK))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say, feed, (0.26, voice(CHUNK)))
        assert await take(feed, 2) == ([0.0, 0.26], voice(CHUNK) * 2)


async def test_what_comes_after_silence_follows_it():
    feed = Feed(PHONE)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(say, feed, (0.4, voice(2 * CHUNK)))
        instants, audio = await take(feed, 5)
    assert instants == [0.28, 0.36, 0.4, 0.4, 0.68]
    assert audio == QUIET * 2 + voice(2 * CHUNK) + QUIET


async def test_a_pause_within_a_chunk_fills_it():
    feed = Feed(PHONE)
    feed.hear(voice(100))
    _, audio = await take(feed, 2)
    assert audio == voice(100) + QUIET[100:] + QUIET


async def test_half_a_sample_waits_for_its_other_half():
    feed = Feed(AudioFormat(8000))
    feed.hear(b"\x01\x02\x03")
    assert await feed.next_chunk() == b"\x01\x02" + b"\0" * 1278
    feed.hear(b"\x04")
    assert await feed.next_chunk() == b"\x03\x04" + b"\0" * 1278


async def test_half_a_sample_at_the_end_is_let_go():
    feed = Feed(AudioFormat(8000))
    feed.hear(b"\x01")
    assert await drain(feed) == []


async def test_a_source_that_was_stuck_gets_no_flood_of_silence():
    feed = Feed(PHONE)
    await feed.next_chunk()
    await anyio.sleep_until(100.0)
    assert (await take(feed, 3))[0] == [100.0, 100.0, 100.08]


async def test_beyond_the_limit_the_oldest_goes_and_is_counted():
    feed = Feed(PHONE, limit_s=0.16)
    said = voice(3 * CHUNK)
    for start in range(0, len(said), 160):
        feed.hear(said[start : start + 160])
    assert feed.dropped_bytes == CHUNK
    assert b"".join(await drain(feed)) == said[CHUNK:]


async def test_what_goes_is_whole_samples():
    feed = Feed(AudioFormat(8000), limit_s=0.08)
    feed.hear(b"\x01\x02" * 640 + b"\x03")
    assert feed.dropped_bytes == 2
    feed.hear(b"\x04")
    assert await drain(feed) == [b"\x01\x02" * 639 + b"\x03\x04"]


async def test_half_a_minute_may_wait():
    feed = Feed(PHONE)
    for _ in range(1600):
        feed.hear(voice(160))
    assert feed.dropped_bytes == 2 * 8000


async def test_giving_up_on_a_chunk_loses_nothing():
    feed = Feed(PHONE)
    feed.hear(voice(100))
    with anyio.move_on_after(0.1):
        await feed.next_chunk()
    assert await feed.next_chunk() == voice(100) + QUIET[100:]
    assert anyio.current_time() == 0.28


async def test_much_audio_does_not_keep_others_waiting():
    feed = Feed(PHONE)
    feed.hear(voice(100 * CHUNK))
    others = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_run, others)
        await take(feed, 50)
        assert others == ["ran"]


async def _run(others):
    others.append("ran")


async def test_a_chunk_that_is_complete_is_had_without_waiting_for_it():
    feed = Feed(PHONE)
    assert feed.hear_at_once(voice(CHUNK)) is None  # nobody has asked yet: the call has not begun
    assert await feed.next_chunk() == voice(CHUNK)
    assert feed.hear_at_once(voice(CHUNK - 1)) is None
    assert feed.hear_at_once(voice(2)) == (voice(CHUNK - 1) + voice(2))[:CHUNK]


async def test_what_is_had_so_is_not_had_again_and_what_is_left_is_not_lost():
    feed = Feed(PHONE)
    feed.hear(voice(CHUNK))
    assert await feed.next_chunk() == voice(CHUNK)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_hear_at_once, feed, voice(3 * CHUNK))
        assert await take(feed, 2) == ([0.1, 0.1], voice(3 * CHUNK)[CHUNK:])


async def test_a_chunk_had_at_once_puts_silence_off():
    feed = Feed(PHONE)
    feed.hear(voice(CHUNK))
    assert await feed.next_chunk() == voice(CHUNK)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_hear_at_once, feed, voice(CHUNK))
        assert await take(feed, 1) == ([0.38], QUIET)


async def test_after_the_end_nothing_is_had_at_once():
    feed = Feed(PHONE)
    feed.finish()
    assert await feed.next_chunk() is None
    assert feed.hear_at_once(voice(CHUNK)) is None


async def _hear_at_once(feed, audio):
    await anyio.sleep(0.1)
    assert feed.hear_at_once(audio) == audio[:CHUNK]
