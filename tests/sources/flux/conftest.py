"""Virtual time with real sockets: a call over loopback takes milliseconds, and instants are exact.

That needs client and server in one event loop. What one sends the kernel hands to the other at
once, so the clock may jump when nothing is there to be read, nor a moment later.
"""

from dataclasses import dataclass, field

import anyio
import pytest

from turnkit.errors import SourceError
from turnkit.sources.flux import FluxSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.clock import LoopbackLoop
from turnkit.turn.events import EndOfTurn, Update

CHUNK = 2560
PARAMETERS = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": LoopbackLoop}


@dataclass
class Called:
    """What came of a call."""

    source: FluxSource
    events: list = field(default_factory=list)
    error: SourceError | None = None
    over_at: float = 0.0

    @property
    def told(self):
        """What was reported, without instants and updates."""
        return [event for _, event in self.events if not isinstance(event, Update)]

    @property
    def ends(self):
        return [event for event in self.told if isinstance(event, EndOfTurn)]

    @property
    def turns(self):
        """The words of the turns that were ended, by number."""
        return {event.turn: event.transcript for event in self.ends}

    @property
    def ended_at(self):
        """When each turn was ended, by its number."""
        return {event.turn: at for at, event in self.events if isinstance(event, EndOfTurn)}


async def _call(
    url, audio, turns, *, limit_s=60.0, does=(), parameters=PARAMETERS, goes_dead=False, **options
):
    """Speak `audio`, be silent, and hang up when so many turns have ended, or at `limit_s`.

    `does` are pairs of an instant and a function that is given the source; it may be async. A line
    that goes dead carries nothing after the audio, not even silence.
    """
    called = Called(FluxSource(url, parameters, chance=lambda: 0.5, **options))
    began = anyio.current_time()

    def report(event):
        called.events.append((round(anyio.current_time() - began, 3), event))

    async def speak():
        place = 0
        while len(called.ends) < turns and anyio.current_time() - began < limit_s:
            if not (goes_dead and place >= len(audio)):
                called.source.hear(audio[place : place + CHUNK].ljust(CHUNK, b"\0"))
            place += CHUNK
            await anyio.sleep_until(began + place / 32000)
        called.source.finish()

    async def do(at, action):
        await anyio.sleep_until(began + at)
        if (awaited := action(called.source)) is not None:
            await awaited

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        for at, action in does:
            tasks.start_soon(do, at, action)
        try:
            await called.source.run(report)
        except SourceError as exc:
            called.error = exc
        called.over_at = round(anyio.current_time() - began, 3)
        tasks.cancel_scope.cancel()
    return called


@pytest.fixture
def call():
    """Let a caller speak in real time, and return what the source reports."""
    return _call
