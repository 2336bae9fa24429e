"""A turn source that hears turns itself and has the words from the gateway, and stays connected.

Our ears go on while there is no connection: the user can begin a turn, and interrupt. An end waits
for its words until they can come.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import structlog
from anyio import to_thread

from turnkit.audio.frames import AudioFormat
from turnkit.audio.vad import open_vad, silero_installed
from turnkit.engine.engine import Engine
from turnkit.recognizers.none import SpeechMark
from turnkit.sources.aigateway.call import Call
from turnkit.sources.aigateway.connection import connect
from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.route import Route
from turnkit.sources.aigateway.story import Story
from turnkit.sources.base import Change, ConfigureRefused, Report
from turnkit.sources.feed import Feed
from turnkit.sources.flux_query import ListenParameters, ParameterRefused
from turnkit.sources.flux_wire import (
    ClientMessage,
    Configure,
    ForceEndTurn,
    ServerMessage,
    Thresholds,
    TurnInfo,
    configured,
)
from turnkit.sources.link.patience import Patience
from turnkit.sources.link.reconnecting import Outage, Reconnecting
from turnkit.sources.link.retries import Chance

log = structlog.get_logger(__name__)


class Ears(Protocol):
    """What hears turns: the embedded engine, or what takes its place in a test."""

    def change(self, parameters: ListenParameters) -> None:
        """Listen by these from now on."""

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in audio; return what to say of turns."""

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out an order."""


_PATIENCE = Patience()


def open_ears(parameters: ListenParameters) -> Ears:
    """Return the embedded engine without a recognizer: it says when, and nothing of what."""
    if not silero_installed():
        log.warning("aigateway.vad_missing", effect="noise opens turns", install="turnkit[local]")
    return Engine(parameters, "ears", vad=open_vad(), recognizer=SpeechMark())


class AIgatewaySource:
    """A turn source behind AIgateway's realtime WebSocket. Nothing is sent before it is run."""

    def __init__(
        self,
        routes: list[Route],
        parameters: ListenParameters,
        join: Join,
        *,
        patience: Patience = _PATIENCE,
        chance: Chance = random.random,
        ears: Callable[[ListenParameters], Ears] = open_ears,
    ) -> None:
        """Make one.

        Args:
            routes: where the gateway is; the next one is asked when one is lost.
            parameters: how our ears listen: thresholds, and the format of the audio.
            join: how turns and words are put together.
            patience: how long to wait for what.
            chance: spreads the tries of many calls over time.
            ears: opens what hears the turns; called in a worker thread.
        """
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self._parameters = parameters
        self._open_ears = ears
        self._feed = Feed(audio)
        self._call = Call(audio, Story(join, parameters.eot_timeout_ms / 1000))
        self._end_wanted = False
        self._reconnecting = Reconnecting(
            routes,
            lambda route: connect(route, self._call, patience),
            patience.retries,
            chance,
        )

    @property
    def outages(self) -> deque[Outage]:
        """The last hundred times without a connection in mid-call, and what each cost."""
        return self._reconnecting.outages

    @property
    def dropped_bytes(self) -> int:
        """How much audio was dropped because nobody took it."""
        return self._feed.dropped_bytes + self._call.unsent_bytes

    @property
    def odd(self) -> Counter[str]:
        """What the service said that was of no use, by kind; "late words" are in no turn."""
        join = self._call.story.join
        ends = Counter({"turns without words": join.wordless, "ends without all": join.overdue})
        return Counter(self._call.odd) + join.stretches.odd + ends

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio; 30 s wait at most, then the oldest goes."""
        self._feed.hear(audio)

    def finish(self) -> None:
        """Say that no more audio will come."""
        self._feed.finish()

    def end_turn(self) -> None:
        """End the open turn on what was heard up to now; its words may take a second to come."""
        self._end_wanted = True

    async def configure(self, change: Change) -> None:
        """Change when turns end; in force at once, for all audio not yet worked on.

        Raises ConfigureRefused for anything the service would have to change: it takes no orders.
        """
        thresholds = Thresholds(
            change.eager_eot_threshold, change.eot_threshold, change.eot_timeout_ms
        )
        if change != Change(
            thresholds.eager_eot_threshold, thresholds.eot_threshold, thresholds.eot_timeout_ms
        ):
            raise ConfigureRefused("UNSUPPORTED", "AIgateway takes thresholds only, of our ears")
        if self._call.story.remote:
            raise ConfigureRefused("UNSUPPORTED", "this service decides about turns by itself")
        try:
            self._parameters = configured(self._parameters, Configure(thresholds))
        except ParameterRefused as exc:
            raise ConfigureRefused(exc.code, exc.description) from None
        self._call.story.timeout_s = self._parameters.eot_timeout_ms / 1000

    async def run(self, report: Report) -> None:
        """Connect, send what is heard, report events; return after `finish` and the last event.

        What ends it otherwise is SourceRefused, at once, or SourceLost, when trying again has not
        helped for as long as the settings allow.
        """
        self._call.report_to(report)
        ears = await to_thread.run_sync(self._open_ears, self._parameters, abandon_on_cancel=True)
        await self._reconnecting.run(partial(self._hear, ears))
        self._call.tell(self._call.story.close())

    async def _hear(self, ears: Ears) -> None:
        call = self._call
        while (chunk := await self._feed.next_chunk()) is not None:
            call.hear(chunk)
            ears.change(self._parameters)
            self._follow(await to_thread.run_sync(ears.feed, chunk))
            if self._end_wanted:
                self._end_wanted = False
                await self._end_turn(ears)
            call.tell(call.story.hear(call.ring.seconds(call.ring.end), call.got_s))
        call.ring.finished = True
        call.wake()

    def _follow(self, messages: list[ServerMessage]) -> None:
        call = self._call
        for info in messages:
            if isinstance(info, TurnInfo):
                if info.event in {"EagerEndOfTurn", "EndOfTurn"}:
                    call.pauses += 1
                    call.wake()
                call.tell(call.story.local(info))

    async def _end_turn(self, ears: Ears) -> None:
        told = await to_thread.run_sync(ears.handle, ForceEndTurn())
        if self._call.story.remote or not any(isinstance(info, TurnInfo) for info in told):
            self._call.tell(self._call.story.end())
        self._follow(told)
