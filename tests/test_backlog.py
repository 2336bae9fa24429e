"""Messages between a quick peer and slow work."""

import anyio
import pytest

from turnkit.backlog import Backlog

pytestmark = pytest.mark.anyio


async def test_messages_come_out_as_they_went_in():
    backlog = Backlog()
    for message in (b"one", "two", b""):
        await backlog.put(message)
    assert [await backlog.take() for _ in range(3)] == [b"one", "two", b""]


async def test_who_takes_waits_for_a_message():
    backlog = Backlog()
    taken = []

    async def take() -> None:
        taken.append((anyio.current_time(), await backlog.take()))
        taken.append((anyio.current_time(), await backlog.take()))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take)
        await anyio.sleep(2)
        await backlog.put("late")
        await backlog.put("later")
    assert [message for _, message in taken] == ["late", "later"]


async def test_who_puts_waits_for_room():
    backlog = Backlog(limit_bytes=200)
    put_at = []

    async def put() -> None:
        for _ in range(4):
            await backlog.put(bytes(100))
            put_at.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(put)
        for second in (1, 2):
            await anyio.sleep_until(second)
            await backlog.take()
    assert put_at == [0, 0, 1, 2]


async def test_a_message_larger_than_the_limit_is_let_in_alone():
    backlog = Backlog(limit_bytes=10)
    await backlog.put(bytes(100))
    with anyio.move_on_after(1) as waiting:
        await backlog.put(b"")
    assert waiting.cancelled_caught
    assert len(await backlog.take()) == 100
