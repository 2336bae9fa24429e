"""Work beside a generator ends no later than the generator does."""

import anyio
import pytest

from turnkit.errand import errand

pytestmark = pytest.mark.anyio


async def test_work_goes_on_while_the_block_does():
    log = []

    async def work():
        await anyio.sleep(1)
        log.append("done")

    async with errand(work) as begun:
        assert log == []
        await begun.ended()
        assert log == ["done"]


async def test_what_it_raises_is_raised_where_its_end_is_awaited():
    async def work():
        raise ValueError("boom")

    async with errand(work) as begun:
        with pytest.raises(ValueError, match="boom"):
            await begun.ended()


async def test_what_it_raises_is_dropped_if_nobody_waits():
    async def work():
        raise ValueError("boom")

    async with errand(work):
        await anyio.sleep(1)


async def test_work_that_is_not_done_is_cancelled_and_its_end_is_awaited():
    log = []

    async def work():
        try:
            await anyio.sleep(100)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(1)
            log.append(anyio.current_time())

    async with errand(work):
        await anyio.sleep(2)
    assert log == [3.0]


async def test_so_it_is_when_the_block_itself_is_cancelled():
    log = []

    async def work():
        try:
            await anyio.sleep(100)
        except anyio.get_cancelled_exc_class():
            await anyio.sleep(1)
            log.append(anyio.current_time())

    with anyio.move_on_after(2):
        async with errand(work) as begun:
            await begun.ended()
    assert log == [3.0]
