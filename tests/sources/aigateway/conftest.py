"""A caller on virtual time over real sockets, as in the tests of the Flux client."""

from dataclasses import dataclass, field

import anyio
import pytest
from pydantic import SecretStr

from turnkit.errors import SourceError
from turnkit.sources.aigateway import AIgatewaySource
from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.route import routes_of
from turnkit.sources.flux.patience import Patience
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.aigateway_server import KEY
from turnkit.testing.clock import LoopbackLoop
from turnkit.testing.known_ears import KnownEars
from turnkit.turn.events import EndOfTurn, Update

CHUNK = 2560
PARAMETERS = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)


@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": LoopbackLoop}


@dataclass
class Called:
    """What came of a call."""

    source: AIgatewaySource
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
        """The words of the turns that were ended, in order."""
        return [event.transcript for event in self.ends]

    def when(self, kind, turn=0):
        """The instant of the first event of this kind in this turn."""
        return next(at for at, e in self.events if isinstance(e, kind) and e.turn == turn)


async def _call(
    urls,
    audio,
    turns,
    *,
    limit_s=60.0,
    does=(),
    key=KEY,
    finalizes=False,
    parameters=PARAMETERS,
    patience=None,
    opened=KnownEars,
    **join,
):
    """Speak `audio`, be silent, and hang up when so many turns have ended, or at `limit_s`.

    `does` are pairs of an instant and a function that is given the source; it may be async.
    """
    secret = None if key is None else SecretStr(key)
    routes = routes_of(urls, "deepgram/flux", secret, finalizes=finalizes)
    called = Called(
        AIgatewaySource(
            routes,
            parameters,
            Join(**join),
            patience=patience or Patience(),
            chance=lambda: 0.5,
            ears=opened,
        )
    )
    began = anyio.current_time()

    def report(event):
        called.events.append((round(anyio.current_time() - began, 3), event))

    async def speak():
        place = 0
        while len(called.ends) < turns and anyio.current_time() - began < limit_s:
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
