"""Where a conversation can be. A state carries exactly the data that is valid in it."""

from dataclasses import dataclass
from typing import TypeAlias

from turnkit.turn.commands import Answer, Purpose


@dataclass(frozen=True, slots=True)
class Listening:
    """Nobody has the floor."""


@dataclass(frozen=True, slots=True)
class UserSpeaking:
    """The user has the floor; `drafts` were started for this turn and dropped."""

    turn: int
    drafts: int = 0


@dataclass(frozen=True, slots=True)
class Speculating:
    """The user is probably done, and an inaudible draft answers what was said so far."""

    answer: Answer
    reply: int
    drafts: int


@dataclass(frozen=True, slots=True)
class Thinking:
    """A released reply is being prepared, and nothing of it has been heard yet."""

    purpose: Purpose
    reply: int
    deadline: float


@dataclass(frozen=True, slots=True)
class AgentSpeaking:
    """A reply is being heard."""

    purpose: Purpose
    reply: int
    deadline: float


@dataclass(frozen=True, slots=True)
class Closed:
    """The call is over."""


State: TypeAlias = Listening | UserSpeaking | Speculating | Thinking | AgentSpeaking | Closed
