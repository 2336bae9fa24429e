"""The seam for whoever watches: metrics, traces, the page."""

import dataclasses
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from turnkit.turn.commands import Command
from turnkit.turn.events import Event


@dataclass(frozen=True, slots=True)
class ReplyWorded:
    """The agent produced more words of a reply. They may never be heard."""

    reply: int
    text: str


@dataclass(frozen=True, slots=True)
class ReplyReady:
    """The first sound of a reply has been made; it may not be heard for a while, or ever."""

    reply: int


@dataclass(frozen=True, slots=True)
class ReplySpent:
    """Something was used up for a reply: tokens of a model, characters of a voice."""

    reply: int
    tokens: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class ReplyHeard:
    """A reply is over: what of it the user can have heard, and what not."""

    reply: int
    heard: str
    unheard: str
    estimated: bool = False
    """Whether it was cut within a clause whose voice does not tell where its words are."""


@dataclass(frozen=True, slots=True)
class AgentStuck:
    """A cancelled reply did not end in time: inaudible, but its code is still running."""

    reply: int


@dataclass(frozen=True, slots=True)
class UserAcknowledged:
    """The user said something short while the agent spoke, such as "mm-hm", and took no turn."""

    transcript: str
    spoken_s: float
    """How long it was, pauses not counted."""


Note: TypeAlias = ReplyWorded | ReplyReady | ReplySpent | ReplyHeard | AgentStuck | UserAcknowledged
Item: TypeAlias = Event | Command | Note


def named(item: Item) -> dict[str, Any]:
    """Turn an item into its name and its fields, and what is within it likewise: for JSON."""
    return _named(item)


class Listener(Protocol):
    """Whoever watches a conversation. It may not block, and what it raises ends only itself."""

    def note(self, at: float, item: Item) -> None:
        """Take notice of something that happened `at` seconds on the session's clock."""


def _named(item: Any) -> dict[str, Any]:
    fields = {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    for name, value in fields.items():
        if dataclasses.is_dataclass(value):
            fields[name] = _named(value)
    return {"name": type(item).__name__, "fields": fields}
