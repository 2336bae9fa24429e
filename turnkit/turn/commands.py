"""What the turn machine may ask of the session. Each is carried out without awaiting."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

CancelReason: TypeAlias = Literal[
    "resumed",  # the turn went on: the guess was wrong
    "changed",  # the words changed: the draft answers something that was not said
    "barge_in",  # the user spoke while the reply was audible
    "superseded",  # the user spoke again before anything was heard
    "deadline",  # it took too long
    "expired",  # it waited too long for its turn to be final
    "asked",  # the agent had it stopped
    "call_ended",
]

Outcome: TypeAlias = Literal["answered", "interrupted", "declined", "superseded", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply to what the user said. `drafted` if it began before the turn was final."""

    turn: int
    transcript: str
    drafted: bool


@dataclass(frozen=True, slots=True)
class Apology:
    """Words in place of the answer that failed."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Words that answer nothing, such as a greeting."""

    prompt: int
    interruptible: bool = True


Purpose: TypeAlias = Answer | Apology | Prompt


@dataclass(frozen=True, slots=True)
class StartReply:
    """Begin to prepare a reply; it stays inaudible until it is released."""

    reply: int
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class ReleaseReply:
    """Let the reply be heard: its turn is final."""

    reply: int


@dataclass(frozen=True, slots=True)
class CancelReply:
    """Drop the reply: no sound of it from now on, and an end to its work."""

    reply: int
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class PauseReply:
    """Stop the sound of the reply at once, but keep it: the user may not want the floor."""

    reply: int


@dataclass(frozen=True, slots=True)
class ResumeReply:
    """Go on with a paused reply where it stopped."""

    reply: int
    reason: str


@dataclass(frozen=True, slots=True)
class SkipDraft:
    """Take note that no draft was started for an eager end, and why."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class AskIdle:
    """Ask the agent whether it has something to say: nobody has spoken for a while."""


@dataclass(frozen=True, slots=True)
class CloseTurn:
    """Enter into the ledger how a turn ended. Comes once for every turn that was final."""

    turn: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefusePrompt:
    """Forget a prompt: the floor was taken."""

    prompt: int


Command: TypeAlias = (
    StartReply
    | ReleaseReply
    | CancelReply
    | PauseReply
    | ResumeReply
    | SkipDraft
    | AskIdle
    | CloseTurn
    | RefusePrompt
)
