"""One call, several agents: whoever is at the desk answers, and may hand over to another.

    class Hotel(Desk):
        def __init__(self) -> None:
            super().__init__(Reception())

A `ModelAgent` hands over through a tool that returns an agent; any other by `raise HandOver(...)`
in its reply. The successor answers the same turn at once, and all that follow. When that happens
in a draft, the successor's answer is a draft too, and the desk changes hands once the turn is
final. The successor's `on_start` is not called, for the conversation has begun.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from turnkit.agent import Agent, Conversation, Speech, Turn
from turnkit.config import Settings

_MOST_IN_A_TURN = 3
"""Agents who pass the user on and on never answer."""


class HandOver(Exception):
    """Raise this in a reply to leave the rest of it, and of the call, to another agent."""

    def __init__(self, agent: Agent) -> None:
        super().__init__(f"to {type(agent).__name__}, but there is no Desk to see to it")
        self.agent = agent


class Desk(Agent):
    """Lets the agent at the desk answer; `first` is there when the call begins."""

    def __init__(self, first: Agent) -> None:
        self.current = first
        """Who is at the desk."""
        self._seen: list[Agent] = [first]
        self._settings: Settings | None = None

    def prepare(self, settings: Settings) -> None:
        """Take in the settings of the call, for those at the desk."""
        self._settings = settings
        self._brief(self.current)

    async def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Yield the reply of whoever is at the desk, and of whom they hand over to."""
        agent = self.current
        for _ in range(_MOST_IN_A_TURN + 1):
            try:
                async with aclosing(agent.reply(turn)) as speech:
                    async for piece in speech:
                        yield piece
            except HandOver as exc:
                agent = exc.agent
                self._brief(agent)
                turn.on_commit(partial(self._seat, agent))
                yield "\n"  # what the last one said ends here
            else:
                return
        raise RuntimeError(f"the user was handed over {_MOST_IN_A_TURN + 1} times in one turn")

    async def on_start(self, session: Conversation) -> str | None:
        """Let the first agent open the conversation."""
        return await self.current.on_start(session)

    async def on_idle(self, session: Conversation) -> str | None:
        """Let the agent at the desk break the silence."""
        return await self.current.on_idle(session)

    async def on_digit(self, session: Conversation, digit: str) -> str | None:
        """Tell the agent at the desk."""
        return await self.current.on_digit(session, digit)

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:
        """Tell the agent at the desk."""
        await self.current.on_interrupted(turn, heard, unheard)

    async def on_error(self, turn: Turn, error: str) -> str | None:
        """Let the agent at the desk apologise."""
        return await self.current.on_error(turn, error)

    async def on_end(self, reason: str) -> None:
        """Tell everybody who was at the desk."""
        for agent in self._seen:
            await agent.on_end(reason)

    def _brief(self, agent: Agent) -> None:
        if self._settings is not None:
            agent.prepare(self._settings)

    def _seat(self, agent: Agent) -> None:
        self.current = agent
        if all(seen is not agent for seen in self._seen):
            self._seen.append(agent)
