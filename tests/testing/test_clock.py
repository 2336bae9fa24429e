"""Virtual time: what it waits for, and what it does not."""

import asyncio
import time

import anyio
import anyio.abc
import pytest

from turnkit.testing.clock import run_virtual

pytestmark = pytest.mark.anyio


def test_an_hour_takes_no_time_and_ends_at_the_very_instant():
    async def wait():
        await anyio.sleep(3600.1)
        return anyio.current_time()

    assert run_virtual(wait) == 3600.1


@pytest.mark.parametrize("where", ["anyio", "executor"])
async def test_time_stands_still_while_a_thread_is_at_work(where):
    with anyio.fail_after(0.001):
        if where == "anyio":
            await anyio.to_thread.run_sync(time.sleep, 0.05)
        else:
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.05)
    assert anyio.current_time() == 0


@pytest.mark.network
@pytest.mark.loopback
async def test_messages_over_loopback_take_no_time():
    async def echo(stream):
        async with stream:
            async for data in stream:
                await stream.send(data)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, echo)
        for milliseconds in range(1, 100):
            tasks.start_soon(anyio.sleep, milliseconds / 1000)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            for size in range(1, 100_000, 1000):
                await stream.send(bytes(size))
                heard = 0
                while heard < size:
                    heard += len(await stream.receive())
        assert anyio.current_time() == 0
        tasks.cancel_scope.cancel()
