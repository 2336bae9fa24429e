"""The seam where turn events come from: audio in, events out.

A source module has a function `create(argument, settings, audio) -> TurnSource`; `argument` is what
stood behind the colon of `--source NAME:ARGUMENT`, or None.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from turnkit.turn.events import UserEvent

Report: TypeAlias = Callable[[UserEvent], None]


class TurnSource(Protocol):
    """Whoever reports the user's turns."""

    def hear(self, audio: bytes) -> None:
        """Take in the user's audio, in pieces of any length, without blocking.

        What is heard but not yet worked on is bounded; beyond it the oldest goes, and is counted.
        """

    def finish(self) -> None:
        """Say that no more audio will come, so that `run` ends."""

    async def run(self, report: Report) -> None:
        """Report turn events as they happen; return after `finish`, once all is reported.

        `report` does not block. Raises SourceRefused or SourceLost. Cancelling ends it at once.
        """
