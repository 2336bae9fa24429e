"""A bell wakes who waits, and nobody else."""

import anyio
import pytest

from turnkit.bell import Bell

pytestmark = pytest.mark.anyio


@pytest.fixture
def bell():
    return Bell()


async def wait_for(bell, woken, until):
    await bell.wait(until)
    woken.append(anyio.current_time())


async def test_all_who_wait_are_woken_and_those_who_come_later_are_not(bell):
    woken = []
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(wait_for, bell, woken, 50.0)
        await anyio.sleep(1)
        bell.ring()
        bell.ring()
        tasks.start_soon(wait_for, bell, woken, 5.0)
    assert woken == [1.0, 1.0, 5.0]


async def test_one_who_gives_up_leaves_the_others_waiting(bell):
    woken = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait_for, bell, woken, 9.0)
        with anyio.move_on_after(1):
            await bell.wait()
        await anyio.sleep(1)
        assert woken == []
        bell.ring()
    assert woken == [2.0]


async def test_a_time_that_is_past_does_not_keep_anybody(bell):
    await bell.wait(-1.0)
    assert anyio.current_time() == 0.0
