"""Counting calls."""

import anyio
import pytest

from turnkit.calls import Calls

pytestmark = pytest.mark.anyio


async def test_calls_count_for_as_long_as_they_last():
    calls = Calls(2)
    with calls.admit("a"), calls.admit("b"):
        assert len(calls) == 2
        assert calls.refusal == "all 2 lines are busy; try again later"
    assert len(calls) == 0
    assert calls.refusal is None


async def test_a_call_that_breaks_is_over_too():
    calls = Calls(1)
    with pytest.raises(ZeroDivisionError), calls.admit("a"):
        raise ZeroDivisionError
    assert calls.refusal is None


async def test_the_oldest_call_has_lasted_longest():
    calls = Calls(2)
    assert calls.oldest_s(anyio.current_time()) == 0
    with calls.admit("a"):
        await anyio.sleep(5)
        with calls.admit("b"):
            await anyio.sleep(2)
            assert calls.oldest_s(anyio.current_time()) == 7.0


def test_no_call_begins_while_draining():
    calls = Calls(2)
    calls.draining = True
    assert calls.refusal == "shutting down; try another server"
