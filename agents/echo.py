"""The smallest agent: says back what it heard."""

from collections.abc import AsyncGenerator

from turnkit import Agent, Turn


class Echo(Agent):
    """Repeats the user."""

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Say it back."""
        yield f"You said: {turn.transcript}"
