"""A process of the load that is told what to do: JSON lines in, JSON lines out.

It ends when its standard input does, so none outlives whoever started it.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable

import msgspec
import uvloop


class Order(msgspec.Struct, frozen=True):
    """What to do, and with what."""

    do: str
    with_: msgspec.Raw = msgspec.field(name="with", default=msgspec.Raw(b"null"))


Handler = Callable[[bytes], Awaitable[object]]


def work(begin: Callable[[], Awaitable[tuple[object, dict[str, Handler]]]]) -> None:
    """Begin, say what there is to say, and carry out orders, one at a time, until there are none.

    Args:
        begin: starts the work; returns what to say first, and who carries out what.
    """
    uvloop.run(_work(begin))
    os._exit(0)  # connections that are open need no farewell


async def _work(begin: Callable[[], Awaitable[tuple[object, dict[str, Handler]]]]) -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    greeting, handlers = await begin()
    _say(greeting)
    gc.collect()
    gc.freeze()
    gc.disable()  # a collection would be measured as the subject's; runs are short
    while line := await orders.readline():
        order = msgspec.json.decode(line, type=Order)
        _say(await handlers[order.do](bytes(order.with_)))


def _say(what: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()
