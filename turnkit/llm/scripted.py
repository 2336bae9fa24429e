"""A model that follows a script: for tests, and for agents that have no other yet.

`llm=scripted`, the default, repeats what the user said; `llm=scripted:WORDS` always says those. An
agent built on `ModelAgent` can bring its own script instead. Exact on virtual time.
"""

import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import TypeAlias, assert_never

import anyio

from turnkit.config import Settings
from turnkit.history import Message, ToolUse
from turnkit.llm.base import Delta, Finish, Item, Model, Text, ToolCall, ToolSpec

FIRST_TOKEN_S = 0.15
TOKEN_S = 0.01

_REMEMBERED = 100
"""A call may be long; a test looks at the last requests only."""

_TOKEN = re.compile(r"\s*\S+|\s+")


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence in mid-answer; without an end, the model has stalled."""

    seconds: float = inf


@dataclass(frozen=True, slots=True)
class Cut:
    """The answer ends here without having come to its end, as when a connection breaks."""


Step: TypeAlias = str | ToolCall | Pause | Cut | Exception
"""Part of an answer: words, a tool to use, or what goes wrong; an exception is raised."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the model was asked."""

    messages: tuple[Item, ...]
    tools: tuple[ToolSpec, ...] = ()

    @property
    def transcript(self) -> str:
        """What the user said last."""
        for item in reversed(self.messages):
            if isinstance(item, Message) and item.role == "user":
                return item.text
        return ""

    @property
    def uses(self) -> tuple[ToolUse, ...]:
        """What was done since."""
        found: list[ToolUse] = []
        for item in reversed(self.messages):
            if isinstance(item, ToolUse):
                found.insert(0, item)
            elif isinstance(item, Message) and item.role == "user":
                break
        return tuple(found)


Answer: TypeAlias = Callable[[Request], Sequence[Step]]


def in_order(*answers: Sequence[Step]) -> Answer:
    """Answer the first request with the first of these, and so on; then always with the last."""
    remaining = list(answers)
    return lambda _: remaining.pop(0) if len(remaining) > 1 else remaining[0]


class ScriptedModel:
    """Answers by rule.

    Args:
        answer: from the request to the steps of the answer.
        first_token_s: before the first step.
        token_s: before each further token; words are cut into tokens at white space.
    """

    def __init__(
        self, answer: Answer, *, first_token_s: float = FIRST_TOKEN_S, token_s: float = TOKEN_S
    ) -> None:
        self.requests: deque[Request] = deque(maxlen=_REMEMBERED)
        """What it was asked, the last hundred times."""
        self._answer = answer
        self._first_token_s = first_token_s
        self._token_s = token_s

    async def stream(
        self, messages: Sequence[Item], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[Delta, None]:
        """Yield the scripted answer."""
        request = Request(tuple(messages), tuple(tools))
        self.requests.append(request)
        tokens, called = 0, False
        await anyio.sleep(self._first_token_s)
        for step in self._answer(request):
            match step:
                case str() as words:
                    for token in _TOKEN.findall(words):
                        await anyio.sleep(self._token_s if tokens else 0)
                        tokens += 1
                        yield Text(token)
                case ToolCall():
                    await anyio.sleep(self._token_s if tokens else 0)
                    tokens, called = tokens + 1, True
                    yield step
                case Pause(seconds):
                    await anyio.sleep(seconds)
                case Cut():
                    return
                case Exception():
                    raise step
                case _:
                    assert_never(step)
        yield Finish("tools" if called else "stop", completion_tokens=tokens)


def create(argument: str | None, settings: Settings) -> Model:  # noqa: ARG001
    """Return a model that repeats the user, or always says `argument`."""
    return ScriptedModel(_repeat if argument is None else lambda _: [argument])


def _repeat(request: Request) -> Sequence[Step]:
    return [f"You said: {request.transcript}. I have no model to think with yet."]
