"""What users write: an agent, and the turn it answers."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import anyio

from turnkit.history import Message

if TYPE_CHECKING:
    from turnkit.session import Session


@dataclass(frozen=True, slots=True)
class Audio:
    """Sound to play instead of words to speak, such as a recording.

    `pcm` is linear16 mono at `sample_rate_hz`; `text` is what history says was heard.
    """

    pcm: bytes
    sample_rate_hz: int
    text: str = ""


Speech: TypeAlias = str | Audio
"""What an agent may yield."""


class Turn:
    """What the user said, for the agent to answer.

    It may be a guess: the reply is under way before the turn is final, and whatever it does must
    be harmless until `settled` returns.
    """

    def __init__(self, index: int, transcript: str, history: tuple[Message, ...] = ()) -> None:
        self.index = index
        self.transcript = transcript
        self.history = history
        """What was heard before this turn."""
        self._settled = anyio.Event()

    @property
    def speculative(self) -> bool:
        """Whether the user may still go on, so that this reply may never be heard."""
        return not self._settled.is_set()

    async def settled(self) -> None:
        """Wait until the turn is final. If the user goes on instead, the reply is cancelled here.

        Do this before anything that cannot be undone.
        """
        await self._settled.wait()

    def settle(self) -> None:
        """Make it final; the session does this."""
        self._settled.set()


class Agent:
    """Subclass this, and answer. One instance serves one call."""

    def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Yield the reply to a turn in pieces of any size; they are spoken as they come.

        Write it as `async def reply(self, turn): yield ...`. It may start before the turn is final
        and be cancelled at any `await` or `yield`. Yielding nothing leaves the turn unanswered.
        """
        raise NotImplementedError(f"{type(self).__name__} has no reply(); write one")

    async def on_start(self, session: "Session") -> str | None:  # noqa: ARG002
        """Return words to open the conversation with, or None to wait for the user."""
        return None

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:
        """Learn that the user took the floor. `turn` is None if it was not an answer."""

    async def on_error(self, turn: Turn, error: str) -> str | None:  # noqa: ARG002
        """Return words for the user when the reply to `turn` failed, or None for silence."""
        return "Sorry, something went wrong on my side. Could you say that again?"

    async def on_end(self, reason: str) -> None:
        """Learn that the call is over; there are two seconds to tidy up in."""
