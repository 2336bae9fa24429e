"""Calls that lose their server together."""
# ruff: noqa: N802

import anyio
import pytest

from turnkit.sources.link.crowd import CONNECTS, WINDOW_S
from turnkit.testing.flux_faults import Drop
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import say


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
