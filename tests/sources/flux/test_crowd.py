"""Coming back together: never more than so many at a time, and nobody waits for ever."""
# ruff: noqa: N802

import anyio
import pytest

from turnkit.sources.flux.crowd import CONNECTS, WINDOW_S, Crowd
from turnkit.testing.flux_faults import Drop
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say

CALLS = 200


def test_who_comes_alone_comes_at_once():
    crowd = Crowd()
    assert [crowd.admit(now) for now in (0.0, 5.0, 9.0)] == [0.0, 5.0, 9.0]


def test_A20_two_hundred_calls_are_back_within_ten_seconds():
    crowd = Crowd()
    instants = [crowd.admit(0.0) for _ in range(CALLS)]
    assert max(instants) == 9.0
    assert instants == sorted(instants)
    for begin in instants:
        assert sum(begin <= at < begin + WINDOW_S for at in instants) <= CONNECTS


def test_the_next_window_begins_where_the_last_one_was_filled():
    crowd = Crowd(2, 1.0)
    assert [crowd.admit(now) for now in (0.0, 0.3, 0.5, 0.5, 3.0)] == [0.0, 0.3, 1.0, 1.3, 3.0]


@pytest.mark.anyio
@pytest.mark.network
async def test_A20_calls_that_lose_their_server_together_come_back_apart(call):
    calls = 50  # for three windows
    done = []
    drops = [Drop(n, 5) for n in range(calls)]
    async with flux_server(*drops) as server, anyio.create_task_group() as tasks:

        async def one():
            done.append(await call(server.url, say("yes please"), 1))

        for _ in range(calls):
            tasks.start_soon(one)
    knocked = server.knocked_at
    back = sorted(knocked[calls:])
    assert len(set(knocked[:calls])) == 1  # who calls need not wait
    for begin in back:
        assert sum(begin <= at < begin + WINDOW_S - 1e-6 for at in back) <= CONNECTS
    assert [called.turns for called in done] == [{0: "yes please"}] * calls
    assert max(called.source.outages[0].gap_s for called in done) <= 3.0
