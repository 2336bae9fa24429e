"""The seam where turn events come from: audio in, events out, and the few orders a source takes.

A source module has a function `create(argument, settings, audio) -> TurnSource`; `argument` is what
stood behind the colon of `--source NAME:ARGUMENT`, or None.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from turnkit.errors import SourceRefused
from turnkit.listeners.base import UserAcknowledged
from turnkit.turn.events import UserEvent

UserNews: TypeAlias = UserEvent | UserAcknowledged
Report: TypeAlias = Callable[[UserNews], None]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change about how a source listens. None leaves a thing as it is.

    A list replaces the one in force, and an empty one clears it. There is no word for switching
    eager ends off; an `eager_eot_threshold` equal to `eot_threshold` comes to the same.
    """

    eager_eot_threshold: float | None = None
    eot_threshold: float | None = None
    eot_timeout_ms: int | None = None
    keyterms: tuple[str, ...] | None = None
    language_hints: tuple[str, ...] | None = None
    numerals: bool | None = None


DICTATION = Change(eager_eot_threshold=0.9, eot_threshold=0.9, eot_timeout_ms=8000)
"""For numbers and spelled names, which are said with long pauses."""


class ConfigureRefused(SourceRefused):
    """A change was refused, and all of it: the source listens as before.

    `code` is for programs, such as INVALID_THRESHOLD, and `description` for people.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"the change was refused ({code}): {description}")
        self.code = code
        self.description = description


class ConfigureUnsupported(ConfigureRefused):
    """The server that listens now knows no changes; another one may, after a failover."""

    def __init__(self, host: str) -> None:
        super().__init__("UNSUPPORTED", f"{host} does not understand Configure")
        self.host = host


class TurnSource(Protocol):
    """Whoever reports the user's turns."""

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio, in pieces of any length, without blocking.

        What is heard but not yet worked on is bounded; beyond it the oldest goes, and is counted.
        """

    def finish(self) -> None:
        """Say that no more audio will come, so that `run` ends."""

    def end_turn(self) -> None:
        """End the open turn now, on what was heard so far; without one, do nothing.

        The EndOfTurn follows through `report`, with trigger "manual". Raises SourceRefused where
        that is impossible.
        """

    async def configure(self, change: Change) -> None:
        """Change how it listens from now on; return once that is in force.

        Raises ConfigureRefused, with everything as it was; or SourceLost if no answer came.
        Cancelling gives up the waiting, not the change.
        """

    async def run(self, report: Report) -> None:
        """Report turn events as they happen; return after `finish`, once all is reported.

        `report` does not block. Raises SourceRefused or SourceLost. Cancelling ends it at once.
        """


@runtime_checkable
class HearsAgent(Protocol):
    """What a turn source may be besides: one that wants to know what the user is played.

    With that it can tell our own echo from speech, and an acknowledgement from an interruption.
    """

    def played(self, frame: bytes) -> None:
        """Take in 20 ms of linear16 audio that left for the user, without blocking."""

    def silenced(self) -> None:
        """Take in that what left and has not been heard will not be."""
