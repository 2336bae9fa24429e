"""The seam where a conversation becomes an answer.

A model module has a function `create(argument, settings) -> Model`; `argument` is what stood
behind the colon of `llm=NAME:ARGUMENT`, or None.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from turnkit.history import Message, ToolUse

# What goes in.


@dataclass(frozen=True, slots=True)
class Instructions:
    """Who the model is to be, and how it is to answer."""

    text: str


Item: TypeAlias = Instructions | Message | ToolUse
"""A part of the conversation. History's entries are used as they are."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool."""

    name: str
    description: str
    parameters: Mapping[str, object]
    """The JSON schema of an object."""


# What comes out.


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of what is to be said."""

    text: str


@dataclass(frozen=True, slots=True)
class Busy:
    """A sign of life with nothing to say in it: a thought, or a part of a tool call."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A request to use a tool, complete; the arguments are JSON if the model kept to it."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of an answer that is complete, and what it cost if the model tells."""

    reason: Literal["stop", "tools", "length", "filter"] = "stop"
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


Delta: TypeAlias = Text | Busy | ToolCall | Finish


class Model(Protocol):
    """Whoever thinks. One belongs to one call, and answers several requests of it at a time."""

    def stream(
        self, messages: Sequence[Item], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[Delta, None]:
        """Yield the answer as it comes, ending with `Finish`; anything else is an early end.

        Closing the generator ends the work at once, on the model's side too. Pass the same objects
        again in the next request: what is known need not be put into wire form twice.
        Raises ModelError.
        """
