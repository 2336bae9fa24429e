"""The process of the callers: an open-loop load of telephone calls, or of calls on `/ws`.

    python -m benchmarks.load.callers

Open loop: every caller sends its 20 ms of audio each 20 ms, on its own beat, whatever comes back;
calls begin and end by the clock. Orders: `call` (a Calls) and `collect` (a path: where to write
the Load, as msgpack). All waits are bounded by the order's own times.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import msgspec
from picows import WSError, ws_connect

from benchmarks.load.codes import FRAME_S
from benchmarks.load.ends import ENDS, Program, Telephone
from benchmarks.load.records import STALL_S, Heard, Load
from benchmarks.load.worker import Handler, work

_BEATS = 20
"""Callers speak on one of so many beats in 20 ms, so that not all speak at once."""
_DIAL_S = 10.0


class Calls(msgspec.Struct, frozen=True):
    """Calls to make: one each `gap_s`, and each lasts `seconds`."""

    url: str
    end: str
    calls: int
    gap_s: float
    seconds: float


class Placed(msgspec.Struct, frozen=True):
    """What came of it."""

    began_at: float
    ended_at: float
    failed: int


class Callers:
    """All of them."""

    def __init__(self) -> None:
        self._beats: list[list[Telephone | Program]] = [[] for _ in range(_BEATS)]
        self._calls: list[Heard] = []
        self._late_ms: list[float] = []
        self._stalls: list[tuple[float, float]] = []
        self._number = 0

    async def call(self, given: bytes) -> object:
        """Make calls; return when the last is over."""
        order = msgspec.json.decode(given, type=Calls)
        began_at, before = monotonic(), len(self._calls)
        async with asyncio.TaskGroup() as tasks:
            beat = tasks.create_task(self._keep_beat())
            async with asyncio.TaskGroup() as calls:
                for n in range(order.calls):
                    calls.create_task(self._one(order, began_at + n * order.gap_s))
            beat.cancel()
        failed = sum(bool(heard.failure) for heard in self._calls[before:])
        return Placed(began_at, monotonic(), failed)

    async def collect(self, given: bytes) -> object:
        """Write down what was heard, and begin anew."""
        load = Load(self._calls, self._late_ms, self._stalls)
        self._calls, self._late_ms, self._stalls = [], [], []
        path = Path(msgspec.json.decode(given, type=str))
        await asyncio.to_thread(path.write_bytes, msgspec.msgpack.encode(load))
        return len(load.calls)

    async def _one(self, order: Calls, at: float) -> None:
        await asyncio.sleep(at - monotonic())
        end = ENDS[order.end](self._number)
        self._number += 1
        dialed_at, failure = monotonic(), ""
        beat = self._beats[end.number * 7 % _BEATS]
        try:
            async with asyncio.timeout(_DIAL_S):
                await ws_connect(lambda: end, order.url + getattr(end, "query", ""))
            beat.append(end)
            await asyncio.sleep(at + order.seconds - monotonic())
        except (OSError, WSError, TimeoutError) as exc:
            failure = f"{type(exc).__name__}: {exc}"[:200]
        else:
            beat.remove(end)
            failure = end.hang_up()
        ear = end.ear
        self._calls.append(
            Heard(
                caller=end.number,
                encoding=end.encoding,
                dialed_at=dialed_at,
                at=ear.at,
                seconds=ear.seconds,
                keys=ear.keys,
                clears=ear.clears,
                failure=failure,
            )
        )

    async def _keep_beat(self) -> None:
        """Have everybody speak on their beat; what was missed is made up for at once."""
        base = monotonic()
        for number in self._numbers():
            due = base + number * FRAME_S / _BEATS
            if (wait_s := due - monotonic()) > 0:
                await asyncio.sleep(wait_s)
            now = monotonic()
            self._late_ms.append((now - due) * 1000)
            if now - due > STALL_S:
                self._stalls.append((due, now))
            for end in self._beats[number % _BEATS]:
                end.speak()

    def _numbers(self) -> Iterator[int]:
        """Count beats, and leave out those on which nobody speaks; never a whole round."""
        number = 0
        while True:
            if self._beats[number % _BEATS] or number % _BEATS == 0:
                yield number
            number += 1


async def _begin() -> tuple[object, dict[str, Handler]]:
    callers = Callers()
    return "ready", {"call": callers.call, "collect": callers.collect}


if __name__ == "__main__":
    work(_begin)
