"""Talks through any OpenAI-compatible model. Needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server.

The package is an extra: `pip install 'turnkit[openai]'`. OPENAI_MODEL chooses the model.
"""

import os
from collections.abc import AsyncGenerator

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from turnkit import Agent, Message, Turn

PROMPT = "You are on the telephone. Answer in one or two short spoken sentences, without lists."


class Chat(Agent):
    """Passes the conversation on, and speaks what comes back as it comes."""

    def __init__(self) -> None:
        self.model = os.environ.get("OPENAI_MODEL", "gpt-4o-mini")
        self.client = AsyncOpenAI(max_retries=0)  # a retry would come too late for a caller

    async def reply(self, turn: Turn) -> AsyncGenerator[str, None]:
        """Stream the model's answer. A cancelled draft closes the stream."""
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": PROMPT}]
        for entry in turn.history:
            match entry:
                case Message("user", text):
                    messages.append({"role": "user", "content": text})
                case Message("agent", text):
                    messages.append({"role": "assistant", "content": text})
        messages.append({"role": "user", "content": turn.transcript})
        async with await self.client.chat.completions.create(
            model=self.model, messages=messages, stream=True
        ) as stream:
            async for chunk in stream:
                for choice in chunk.choices:
                    yield choice.delta.content or ""

    async def on_end(self, reason: str) -> None:  # noqa: ARG002
        """Let the connection go."""
        await self.client.close()
