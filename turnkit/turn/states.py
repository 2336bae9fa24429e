"""Where a conversation can be. A state carries exactly the data that is valid in it."""

from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from turnkit.turn.commands import Answer, Purpose


@dataclass(frozen=True, slots=True)
class Listening:
    """Nobody has the floor. The agent is asked for something to say at the deadline."""

    deadline: float = inf


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
    deadline: float = inf


@dataclass(frozen=True, slots=True)
class Holding:
    """The user went on, but the draft is kept for a moment: they may end with the same words."""

    answer: Answer
    reply: int
    drafts: int
    deadline: float


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
class Overlapping:
    """The user made a sound during a reply, and it is not clear whether they want the floor."""

    speaking: AgentSpeaking
    turn: int
    words: str
    paused: bool
    deadline: float


@dataclass(frozen=True, slots=True)
class Insisting:
    """A reply is being heard to its end, whatever the user does; `floor` is where they are."""

    speaking: AgentSpeaking
    floor: "Floor"


@dataclass(frozen=True, slots=True)
class Closed:
    """The call is over."""


Floor: TypeAlias = Listening | UserSpeaking | Speculating | Holding | Thinking
State: TypeAlias = Floor | AgentSpeaking | Overlapping | Insisting | Closed
