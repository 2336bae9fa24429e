"""What can happen in a conversation, as far as the turn machine cares.

The first five are Flux's own words (developers.deepgram.com/docs/flux/state); the rest is
news from the session about replies. Every event about a turn or a reply carries its number.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StartOfTurn:
    """The user began to speak."""

    turn: int
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """More words, or other words, of the turn; nothing else changed."""

    turn: int
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class EagerEndOfTurn:
    """The turn is probably over."""

    turn: int
    transcript: str


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The turn was not over after all."""

    turn: int
    transcript: str = ""


@dataclass(frozen=True, slots=True)
class EndOfTurn:
    """The turn is over and its transcript final.

    `trigger` says why: "model", "timeout", "manual", or another word of the source's.
    """

    turn: int
    transcript: str
    trigger: str = "model"


@dataclass(frozen=True, slots=True)
class PlayoutStarted:
    """The first frame of a reply left for the user."""

    reply: int


@dataclass(frozen=True, slots=True)
class PlayoutFinished:
    """The last frame of a reply has been played to the user."""

    reply: int


@dataclass(frozen=True, slots=True)
class ReplyDeclined:
    """The agent, asked for a reply, finished without saying anything."""

    reply: int


@dataclass(frozen=True, slots=True)
class ReplyFailed:
    """The agent or the synthesizer broke down; what it had said before has been played."""

    reply: int
    reason: str


@dataclass(frozen=True, slots=True)
class PromptRequested:
    """The agent wants to speak without having been spoken to, for example to greet.

    A `patient` prompt waits until nobody has the floor; another is refused if somebody has. One
    that is not `interruptible` is heard to its end, and the user's turn is answered after it.
    """

    prompt: int
    patient: bool = False
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class InterruptRequested:
    """The agent wants whatever is being said to stop."""

    reason: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """One side hung up, or the turn source is gone for good."""

    reason: str


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The machine's own deadline has passed."""


UserEvent: TypeAlias = StartOfTurn | Update | EagerEndOfTurn | TurnResumed | EndOfTurn
ReplyEvent: TypeAlias = PlayoutStarted | PlayoutFinished | ReplyDeclined | ReplyFailed
FloorEvent: TypeAlias = StartOfTurn | EagerEndOfTurn | TurnResumed | EndOfTurn
StateEvent: TypeAlias = UserEvent | ReplyEvent | InterruptRequested | CallEnded | DeadlineReached
Event: TypeAlias = StateEvent | PromptRequested
