"""What goes wrong in a scenario: an agent and a voice that are slow, fail or stall when told to."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from math import inf
from typing import Any, Literal, TypeAlias

import anyio

from turnkit.agent import Agent, Speech, Turn
from turnkit.tts.base import Mark, Synthesizer

When: TypeAlias = Literal["eager", "final", "any"]
"""While the attempt at the turn is a guess; once the turn is final; either."""


class ScriptedFault(Exception):
    """What a scenario had go wrong."""


@dataclass(slots=True)
class _Fault:
    at: When
    after: int
    stalls: bool
    left: float


@dataclass(slots=True)
class Faults:
    """What will go wrong with one part of a call, each fault so many times."""

    name: str
    _faults: list[_Fault] = field(default_factory=list)

    def fails(self, *, at: When = "any", after: int = 0, times: float = inf) -> None:
        """Have it raise, `after` so many pieces of what it yields."""
        self._faults.append(_Fault(at, after, stalls=False, left=times))

    def stalls(self, *, at: When = "any", after: int = 0, times: float = inf) -> None:
        """Have it fall silent for ever, `after` so many pieces of what it yields."""
        self._faults.append(_Fault(at, after, stalls=True, left=times))

    async def strike(self, pieces: int, turn: Turn | None) -> None:
        """Do what is due after so many pieces of an attempt at `turn`. Raises ScriptedFault."""
        is_guess = turn is not None and turn.speculative
        for fault in self._faults:
            fits = fault.at == "any" or (fault.at == "eager") == is_guess
            if fits and fault.after == pieces and fault.left:
                fault.left -= 1
                if fault.stalls:
                    await anyio.sleep_forever()
                raise ScriptedFault(f"{self.name} failed as scripted")


class UnreliableAgent:
    """Stands in for an agent: all it has, and on top of it a delay before words, and faults."""

    def __init__(self, agent: Agent, delay_s: float, faults: Faults) -> None:
        self.attempt: Turn | None = None
        """The newest attempt at a turn."""
        self._agent = agent
        self._delay_s = delay_s
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._agent, name)

    async def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Yield what the agent yields, as far as it gets."""
        self.attempt = turn
        await anyio.sleep(self._delay_s)
        pieces = 0
        await self._faults.strike(pieces, turn)
        async with aclosing(self._agent.reply(turn)) as speech:
            async for piece in speech:
                yield piece
                pieces += 1
                await self._faults.strike(pieces, turn)


class UnreliableVoice:
    """Stands in for a voice, and has faults besides."""

    def __init__(self, voice: Synthesizer, agent: UnreliableAgent, faults: Faults) -> None:
        self.sample_rate_hz = voice.sample_rate_hz
        self._voice = voice
        self._agent = agent
        self._faults = faults

    async def speak(self, text: str) -> AsyncGenerator[bytes | Mark, None]:
        """Yield the audio, as far as it gets."""
        pieces = 0
        await self._faults.strike(pieces, self._agent.attempt)
        async with aclosing(self._voice.speak(text)) as audio:
            async for piece in audio:
                yield piece
                pieces += 1
                await self._faults.strike(pieces, self._agent.attempt)
