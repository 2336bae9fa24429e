"""Handing something on to another task at once, if there is room for it, and waiting only if not.

anyio's own `send` lets all other tasks run first, every time: in a chain of tasks that a word goes
through on its way to the user's ear, each of these rounds is heard.
"""

from typing import TypeVar

import anyio
from anyio.streams.memory import MemoryObjectSendStream

T = TypeVar("T")


async def hand_on(stream: MemoryObjectSendStream[T], item: T) -> None:
    """Send `item`. Raises what `stream.send` does."""
    try:
        stream.send_nowait(item)
    except anyio.WouldBlock:
        await stream.send(item)
