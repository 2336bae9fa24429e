"""Staying connected, whatever it is that is said on the connections."""

from dataclasses import dataclass, field

import anyio
import pytest

from turnkit.errors import SourceError, SourceLost, SourceRefused
from turnkit.sources.link.crowd import CONNECTS
from turnkit.sources.link.reconnecting import ConnectionLost, Outage, Reconnecting
from turnkit.sources.link.retries import RetryPolicy

pytestmark = pytest.mark.anyio


@dataclass
class Way:
    """A route whose connections end so after so long; an error at once is no connection."""

    host: str = "far"
    fates: list = field(default_factory=list)

    def lost(self, what):
        return ConnectionLost(f"{self.host} {what}")


@dataclass
class Conversation:
    lasts_s: float
    error: SourceError | None
    replayed_s: float = 0.5
    missing_s: float = 0.25

    async def run(self):
        await anyio.sleep(self.lasts_s)
        return self.error


def reconnecting(*ways):
    """Return one, and when it tried which route."""
    tried, began = [], anyio.current_time()

    async def connect(way):
        tried.append((round(anyio.current_time() - began, 3), way.host))
        lasts_s, error = way.fates.pop(0)
        if error is not None and lasts_s == 0:
            raise error
        return Conversation(lasts_s, error)

    return Reconnecting(ways, connect, RetryPolicy(), lambda: 0.5), tried


async def deaf():
    await anyio.sleep_forever()


async def test_a_conversation_that_is_over_ends_it_and_the_hearing_with_it():
    link, tried = reconnecting(Way(fates=[(3.0, None)]))
    await link.run(deaf)
    assert (tried, list(link.outages), link.lost_at) == ([(0.0, "far")], [], None)


async def test_a_lost_connection_is_replaced_and_the_outage_written_down():
    lost = ConnectionLost("gone")
    way = Way(fates=[(1.0, lost), (0.0, lost), (0.0, lost), (2.0, None)])
    link, tried = reconnecting(way)
    began = anyio.current_time()
    await link.run(deaf)
    assert [at for at, _ in tried] == [0.0, 1.0, 1.2, 1.7]
    assert list(link.outages) == [
        Outage(began + 1.0, pytest.approx(0.7), 3, replayed_s=0.5, missing_s=0.25, host="far")
    ]


async def test_it_says_since_when_there_is_no_connection():
    link, _ = reconnecting(Way(fates=[(1.0, ConnectionLost("x", retry_after_s=3)), (2.0, None)]))
    seen = []

    async def look():
        began = anyio.current_time()
        for _ in range(5):
            await anyio.sleep_until(began + len(seen) + 0.5)
            seen.append(None if link.lost_at is None else link.lost_at - began)
        await anyio.sleep_forever()

    await link.run(look)
    assert seen == [None, 1.0, 1.0, 1.0, None]


async def test_another_route_takes_over_at_once_and_one_that_refuses_is_not_asked_again():
    gone, no = ConnectionLost("gone"), SourceRefused("no")
    near, far = Way("near", [(1.0, gone), (0.0, no)]), Way("far", [(1.0, gone), (1.0, None)])
    link, tried = reconnecting(near, far)
    await link.run(deaf)
    assert [host for _, host in tried] == ["near", "far", "near", "far"]


async def test_it_gives_up_where_nothing_helps():
    link, _ = reconnecting(Way(fates=[(1.0, ConnectionLost("gone"))] * 9))
    with pytest.raises(SourceLost, match="gone"):
        await link.run(deaf)


@pytest.mark.parametrize("error", [SourceRefused("no"), SourceError("what?")])
async def test_it_gives_up_at_once_where_trying_again_cannot_help(error):
    link, tried = reconnecting(Way(fates=[(0.0, error)]))
    with pytest.raises(type(error)):
        await link.run(deaf)
    assert len(tried) == 1


async def test_a_route_that_does_not_answer_is_given_up_when_time_is_up():
    async def connect(_):
        await anyio.sleep_forever()

    link = Reconnecting([Way()], connect, RetryPolicy(start_s=4.0), lambda: 0.5)
    began = anyio.current_time()
    with pytest.raises(SourceLost, match="far cannot be reached in time"):
        await link.run(deaf)
    assert anyio.current_time() - began == 4.0


async def test_what_goes_wrong_while_hearing_ends_it():
    link, _ = reconnecting(Way(fates=[(9.0, None)]))

    async def hear():
        raise SourceError("too much at once")

    with pytest.raises(SourceError, match="too much at once"):
        await link.run(hear)


async def test_calls_that_are_lost_together_come_back_to_a_server_apart():
    tries = []

    async def one():
        fates = [(1.0, ConnectionLost("gone")), (1.0, None)]
        link, tried = reconnecting(Way(fates=fates))
        await link.run(deaf)
        tries.append(tried[1][0])

    async with anyio.create_task_group() as tasks:
        for _ in range(CONNECTS + 1):
            tasks.start_soon(one)
    assert sorted(tries) == [1.0] * CONNECTS + [2.0]
