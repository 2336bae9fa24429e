"""Play a scripted conversation on a whole session, and tell what was heard, when, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from turnkit.agent import Agent
from turnkit.config import Settings
from turnkit.far_end import Sound
from turnkit.history import Entry
from turnkit.listeners.base import Item
from turnkit.session import Session
from turnkit.testing.fakes import ExactVoice, MemoryTransport, ScriptedAgent, ScriptedSource, Tape
from turnkit.transports.base import Transport
from turnkit.tts.base import Synthesizer
from turnkit.turn.commands import CloseTurn
from turnkit.turn.events import UserEvent


@dataclass(frozen=True, slots=True)
class Span:
    """Sound of one reply without a gap, in seconds."""

    reply: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of a conversation."""

    sounds: Sequence[Sound]
    tape: Sequence[tuple[float, Item]]
    history: Sequence[Entry]

    @property
    def first_sound_at(self) -> float | None:
        """When the user first heard anything, to the microsecond."""
        return round(self.sounds[0].start, 6) if self.sounds else None

    @property
    def spans(self) -> list[Span]:
        """What was heard, gaps and replies apart; to the microsecond."""
        spans: list[Span] = []
        for sound in self.sounds:
            start, end = round(sound.start, 6), round(sound.end, 6)
            if spans and spans[-1].reply == sound.reply and spans[-1].end == start:
                spans[-1] = Span(sound.reply, spans[-1].start, end)
            else:
                spans.append(Span(sound.reply, start, end))
        return spans

    @property
    def outcomes(self) -> dict[int, str]:
        """How each turn ended."""
        return {item.turn: item.outcome for _, item in self.tape if isinstance(item, CloseTurn)}

    def items(self, *kinds: type) -> list[tuple[float, Item]]:
        """Return what of these kinds is on the tape, to the microsecond."""
        return [(round(at, 6), item) for at, item in self.tape if isinstance(item, kinds)]


async def play(
    *script: tuple[float, UserEvent],
    agent: Agent | None = None,
    llm_s: float = 0.0,
    tts_s: float = 0.0,
    voice: Synthesizer | None = None,
    settings: Settings | None = None,
    hang_up_at: float | None = None,
) -> Heard:
    """Run a session on scripted turn events; return what the user heard. Once in a test.

    Args:
        script: turn events with their instants.
        agent: the one under test; else one that answers "You said: ..." `llm_s` after it starts.
        llm_s: see there.
        tts_s: how long the voice takes to its first audio.
        voice: instead of an `ExactVoice`.
        settings: else the defaults, whatever the environment says.
        hang_up_at: when the user leaves; by default a minute after the last event.
    """
    transport = MemoryTransport()
    tape = Tape()
    session = Session(
        agent or ScriptedAgent(thinking_s=llm_s),
        source=ScriptedSource(script),
        voice=voice or ExactVoice(tts_s),
        transport=transport,
        settings=settings or Settings.model_construct(),
        listeners=[tape],
    )
    end = hang_up_at if hang_up_at is not None else script[-1][0] + 60.0
    await run_until(session, transport, end)
    return Heard(transport.far_end.sounds, tape.items, session.history)


async def run_until(session: Session, transport: MemoryTransport, hang_up_at: float) -> None:
    """Run a session whose user leaves at that instant."""

    async def leave() -> None:
        await anyio.sleep_until(hang_up_at)
        transport.hang_up()
        transport.far_end.clear(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leave)
        await session.run()
        tasks.cancel_scope.cancel()
    transport.close()


_: type[Transport] = MemoryTransport  # the type checker holds the fake to the protocol
