"""Code that may refuse to end is cancelled once, waited for, and left behind."""

import anyio
import pytest

from turnkit.unruly import run_unruly

pytestmark = pytest.mark.anyio


def never_abandoned():
    raise AssertionError("abandoned")


async def test_what_it_raises_is_raised_here():
    async def work():
        raise ValueError("boom")

    with pytest.raises(ValueError, match="boom"):
        await run_unruly(work, 1.0, never_abandoned)


async def test_code_that_ends_when_cancelled_costs_no_wait():
    async def work():
        await anyio.sleep(100)

    with anyio.move_on_after(1.0):
        await run_unruly(work, 5.0, never_abandoned)
    assert anyio.current_time() == 1.0


async def test_code_that_tidies_up_gets_its_grace():
    tidy = []

    async def work():
        try:
            await anyio.sleep(100)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.5)
            tidy.append(anyio.current_time())

    with anyio.move_on_after(1.0):
        await run_unruly(work, 5.0, never_abandoned)
    assert tidy == [1.5]


async def test_code_that_goes_on_is_left_behind_after_the_grace():
    left = []

    async def work():
        while anyio.current_time() < 10:
            try:
                await anyio.sleep(20 - anyio.current_time())
            except BaseException:  # noqa: BLE001
                continue

    with anyio.move_on_after(1.0):
        await run_unruly(work, 2.0, lambda: left.append(anyio.current_time()))
    assert left == [3.0]
    await anyio.sleep(30)


async def test_an_error_on_the_way_out_is_nobodys_business():
    async def work():
        try:
            await anyio.sleep(100)
        finally:
            raise ValueError("late")

    with anyio.move_on_after(1.0):
        await run_unruly(work, 2.0, never_abandoned)
    assert anyio.current_time() == 1.0
