"""A caller on virtual time over real sockets: a call takes milliseconds, and instants are exact.

That needs client and server in one event loop; see `turnkit.testing.clock`.
"""

from dataclasses import dataclass, field

import anyio
import pytest

from turnkit.errors import SourceError
from turnkit.sources.base import TurnSource
from turnkit.turn.events import EndOfTurn, Update

CHUNK = 2560


@dataclass
class Called:
    """What came of a call."""

    source: TurnSource
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
    def words(self):
        """The same in order, whatever their numbers."""
        return [event.transcript for event in self.ends]

    @property
    def ended_at(self):
        """When each turn was ended, by its number."""
        return {event.turn: at for at, event in self.events if isinstance(event, EndOfTurn)}

    def when(self, kind, turn=0):
        """The instant of the first event of this kind in this turn."""
        return next(at for at, e in self.events if isinstance(e, kind) and e.turn == turn)


async def _call_over(source, audio, turns, *, limit_s=60.0, does=(), goes_dead=False):
    """Speak `audio`, be silent, and hang up when so many turns have ended, or at `limit_s`.

    `does` are pairs of an instant and a function that is given the source; it may be async. A line
    that goes dead carries nothing after the audio, not even silence.
    """
    called = Called(source)
    began = anyio.current_time()

    def report(event):
        called.events.append((round(anyio.current_time() - began, 3), event))

    async def speak():
        place = 0
        while len(called.ends) < turns and anyio.current_time() - began < limit_s:
            if not (goes_dead and place >= len(audio)):
                source.hear(audio[place : place + CHUNK].ljust(CHUNK, b"\0"))
            place += CHUNK
            await anyio.sleep_until(began + place / 32000)
        source.finish()

    async def do(at, action):
        await anyio.sleep_until(began + at)
        if (awaited := action(source)) is not None:
            await awaited

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        for at, action in does:
            tasks.start_soon(do, at, action)
        try:
            await source.run(report)
        except SourceError as exc:
            called.error = exc
        called.over_at = round(anyio.current_time() - began, 3)
        tasks.cancel_scope.cancel()
    return called


@pytest.fixture
def call_over():
    """Let a caller speak in real time over a source, and return what it reports."""
    return _call_over
