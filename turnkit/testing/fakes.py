"""Stand-ins for everything around a session: scripted, exact, and on virtual time."""

import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from turnkit.agent import Agent, Speech, Turn
from turnkit.audio.frames import AudioFormat
from turnkit.errors import SynthesisError, TransportClosed
from turnkit.far_end import FarEnd
from turnkit.listeners.base import Item
from turnkit.sources.base import Change, Report
from turnkit.transports.base import Incoming, PlayoutReported
from turnkit.tts.base import Mark
from turnkit.turn.events import UserEvent

Script: TypeAlias = Sequence[tuple[float, UserEvent]]

_BACKLOG = 1024
"""How much a test may feed at once; a frame is 20 ms, so this is 20 s."""


class ScriptedSource:
    """A turn source that reports given events at given instants and hears nothing."""

    def __init__(self, script: Script) -> None:
        self.ended = 0
        self.changes: list[tuple[float, Change]] = []
        self._script = script

    def hear(self, audio: bytes) -> None:
        """Take no notice."""

    def finish(self) -> None:
        """Take no notice either."""

    def end_turn(self) -> None:
        """Remember that it was asked."""
        self.ended += 1

    async def configure(self, change: Change) -> None:
        """Remember what was asked."""
        self.changes.append((anyio.current_time(), change))

    async def run(self, report: Report) -> None:
        """Play the script, then stay open as a source does."""
        for at, event in self._script:
            await anyio.sleep_until(at)
            report(event)
        await anyio.sleep_forever()


class ScriptedAgent(Agent):
    """An agent that answers "You said: ..." after a delay, or whatever it is given.

    Args:
        answer: from the turn to the pieces of the reply; an Exception among them is raised.
        thinking_s: before the first piece.
        pause_s: before each of the others.
    """

    def __init__(
        self,
        answer: Callable[[Turn], Sequence[Speech | Exception]] | None = None,
        *,
        thinking_s: float = 0.0,
        pause_s: float = 0.0,
    ) -> None:
        self.turns: list[Turn] = []
        self.interruptions: list[tuple[str, str]] = []
        self.ended: list[str] = []
        self._answer = answer or (lambda turn: [f"You said: {turn.transcript}"])
        self._thinking_s = thinking_s
        self._pause_s = pause_s

    async def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Yield the scripted pieces."""
        self.turns.append(turn)
        await anyio.sleep(self._thinking_s)
        for number, piece in enumerate(self._answer(turn)):
            if number:
                await anyio.sleep(self._pause_s)
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:  # noqa: ARG002
        """Remember the interruption."""
        self.interruptions.append((heard, unheard))

    async def on_end(self, reason: str) -> None:
        """Remember the end."""
        self.ended.append(reason)


@dataclass(slots=True)
class ExactVoice:
    """A synthesizer whose audio lasts exactly `len(text) / characters_per_s` seconds.

    It speaks a constant sample, so that a test can tell sound from silence. `fails` is asked for
    each text whether to break down; with `marks` it tells where each word begins.
    """

    first_audio_s: float = 0.0
    characters_per_s: float = 20.0
    sample_rate_hz: int = 16000
    fails: Callable[[str], bool] = field(default=lambda _: False)
    marks: bool = False

    async def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield the audio in pieces of 100 ms or a word, faster than real time."""
        await anyio.sleep(self.first_audio_s)
        if self.fails(text):
            raise SynthesisError("scripted failure")
        words = [match.start() for match in re.finditer(r"\S+", text)] if self.marks else []
        for start, end in pairwise(sorted({0, *words, len(text)})):
            if start in words:
                yield Mark(start)
            for piece in self._sound(self._samples(end) - self._samples(start)):
                yield piece

    def _samples(self, characters: int) -> int:
        return round(characters / self.characters_per_s * self.sample_rate_hz)

    def _sound(self, samples: int) -> Iterator[bytes]:
        piece = self.sample_rate_hz // 10
        for start in range(0, samples, piece):
            yield b"\x00\x10" * min(piece, samples - start)


@dataclass(frozen=True, slots=True)
class Reports:
    """How a far end tells what it has played, as browsers and telephone networks do.

    `says` makes what is reported of what is true; None is no report.
    """

    every_s: float = 0.1
    late_s: float = 0.0
    says: Callable[[float], float | None] = field(default=lambda played_s: played_s)


class MemoryTransport:
    """A transport whose far end is a `FarEnd` in the same process, and tells nothing by default."""

    incoming = AudioFormat(16000)

    def __init__(self, outgoing_hz: int = 16000, *, reports: Reports | None = None) -> None:
        self.outgoing_hz = outgoing_hz
        self.reports_playout = reports is not None
        self.far_end = FarEnd(outgoing_hz)
        self.undelivered = 0
        """Reports that came when nobody listened any more."""
        self._reports = reports
        self._broken = anyio.Event()
        self._send, self._receive = anyio.create_memory_object_stream[Incoming](_BACKLOG)

    async def feed(self, item: Incoming) -> None:
        """Let the session receive this."""
        await self._send.send(item)

    def hang_up(self) -> None:
        """End the call as the user does."""
        self._send.close()

    def close(self) -> None:
        """Let go of what is left when the conversation is over."""
        self._send.close()
        self._receive.close()

    def pass_to(self, take: Callable[[Incoming], None]) -> None:
        """Take no notice: `receive` returns all."""

    async def receive(self) -> Incoming:
        """Return what was fed."""
        try:
            return await self._receive.receive()
        except anyio.EndOfStream:
            raise TransportClosed("hung up") from None

    def play(self, reply: int, frame: bytes) -> None:
        """Let the far end have it at once."""
        self.far_end.arrive(reply, frame, anyio.current_time())

    def finish(self, reply: int) -> None:
        """Take no notice: the clock tells."""

    def clear(self, reply: int) -> None:  # noqa: ARG002
        """Have the far end drop what it has not played."""
        self.far_end.clear(anyio.current_time())

    def break_off(self) -> None:
        """End the call as a line does that breaks."""
        self._broken.set()

    async def run(self) -> None:
        """Report what is played, if reports are wanted; all there is to send went at once."""
        async with anyio.create_task_group() as tasks:
            if self._reports is not None:
                tasks.start_soon(self._keep_reporting, self._reports, tasks)
            await self._broken.wait()
            tasks.cancel_scope.cancel()
        raise TransportClosed("the line broke")

    async def _keep_reporting(self, reports: Reports, tasks: TaskGroup) -> None:
        last: PlayoutReported | None = None
        while True:
            await anyio.sleep(reports.every_s)
            report = self._report(reports)
            if report is not None and report != last:
                tasks.start_soon(self._deliver, report, reports.late_s)
                last = report

    def _report(self, reports: Reports) -> PlayoutReported | None:
        if not self.far_end.sounds:
            return None
        reply = self.far_end.sounds[-1].reply
        played_s = reports.says(self.far_end.played_s(reply, anyio.current_time()))
        return None if played_s is None else PlayoutReported(reply, played_s)

    async def _deliver(self, report: PlayoutReported, late_s: float) -> None:
        await anyio.sleep(late_s)
        try:
            self._send.send_nowait(report)
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.WouldBlock):
            self.undelivered += 1


class Tape:
    """A listener that keeps everything."""

    def __init__(self) -> None:
        self.items: list[tuple[float, Item]] = []

    def note(self, at: float, item: Item) -> None:
        """Keep it."""
        self.items.append((at, item))
