"""What users write: an agent, and the turn it answers."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from turnkit.bell import Bell
from turnkit.config import Settings
from turnkit.history import Entry, ToolUse
from turnkit.ledger import Ledger
from turnkit.sources.base import DICTATION, Change


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


class Conversation(Protocol):
    """What an agent sees of the conversation it is in. What it asks for is not awaited."""

    @property
    def id(self) -> str:
        """By what logs and traces name it."""

    @property
    def history(self) -> tuple[Entry, ...]:
        """What was heard and done so far."""

    @property
    def ledger(self) -> Ledger:
        """How every turn ended, and what speculation cost and gained, as it stands."""

    def say(self, text: str, *, patient: bool = True, interruptible: bool = True) -> None:
        """Speak without having been spoken to, once nobody has the floor.

        Args:
            text: the words.
            patient: wait for the floor, rather than be dropped if somebody has it now.
            interruptible: whether the user can cut it short. If not, they are answered after it.
        """

    def interrupt(self, reason: str = "the agent asked for it") -> None:
        """Stop what is being said or prepared."""

    def end_turn(self) -> None:
        """Take the user's turn as over now, on what was heard of it so far."""

    async def configure(self, change: Change) -> None:
        """Change how the source listens, from now on; returns once that is in force.

        Raises ConfigureRefused, and everything is as before; or SourceLost if no answer came.
        """

    def expect(self, change: Change = DICTATION) -> None:
        """Listen differently to the next turn alone, for example while a number is dictated."""


Action: TypeAlias = Callable[[], object]
"""Called without arguments and not awaited; what it raises is logged and changes nothing."""


class Turn:
    """What the user said, for the agent to answer.

    It may be a guess: the reply is under way before the turn is final, and whatever it does must
    be harmless until `settled` returns. A turn may be attempted more than once; what one attempt
    puts into `kept`, the next one finds there.
    """

    def __init__(
        self,
        index: int,
        transcript: str,
        history: tuple[Entry, ...] = (),
        *,
        attempt: int = 1,
        key: str = "",
        kept: dict[str, object] | None = None,
        digits: str = "",
        session: Conversation | None = None,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.index = index
        self.transcript = transcript
        self.history = history
        """What was heard and done before this turn."""
        self.attempt = attempt
        """How many replies to this turn were started, this one included."""
        self.key = key or f"turn-{index}"
        """The same for every attempt at this turn, and for no other turn of any call."""
        self.kept: dict[str, object] = {} if kept is None else kept
        """What attempts at this turn leave for one another."""
        self.done: list[ToolUse] = []
        """What this attempt did; it enters history when the turn is final."""
        self.digits = digits
        """The keys that were pressed since the turn before, such as "1234"; without "#"."""
        self.session = session
        """The conversation it is part of; None in a test without one."""
        self._spend = spend
        self._fate: bool | None = None  # True for settled, False for dropped
        self._news = Bell()
        self._on_commit: list[Action] = []
        self._on_rollback: list[Action] = []

    @property
    def speculative(self) -> bool:
        """Whether the user may still go on, so that this reply may never be heard."""
        return self._fate is None

    @property
    def final(self) -> bool:
        """Whether the turn is final, and this attempt the one that answers it."""
        return self._fate is True

    async def settled(self) -> None:
        """Wait until the turn is final. If the user goes on instead, the reply is cancelled here.

        Do this before anything that cannot be undone.
        """
        while not self.final:
            await self._news.wait()

    def spent(self, tokens: int) -> None:
        """Tell how many tokens of a model were used for this reply; may be called repeatedly."""
        self._spend(tokens)

    def expect(self, change: Change = DICTATION) -> None:
        """Have the next turn listened to differently, once this one is final.

        As it stands, with patience for a number or a spelled name.
        """
        if (session := self.session) is not None:
            self.on_commit(lambda: session.expect(change))

    def on_commit(self, action: Action) -> None:
        """Have `action` called once the turn is final; at once if it is."""
        if self._fate:
            action()
        else:
            self._on_commit.append(action)

    def on_rollback(self, action: Action) -> None:
        """Have `action` called if this attempt is dropped before the turn is final; or at once."""
        if self._fate is False:
            action()
        else:
            self._on_rollback.append(action)

    def decide(self, *, final: bool) -> list[Action]:
        """Settle the turn, or drop this attempt at it; return what is to be called now, once.

        The session does this.
        """
        if self._fate is not None:
            return []
        self._fate = final
        if final:
            self._news.ring()
        return self._on_commit if final else self._on_rollback


class Agent:
    """Subclass this, and answer. One instance serves one call."""

    def reply(self, turn: Turn) -> AsyncGenerator[Speech, None]:
        """Yield the reply to a turn in pieces of any size; they are spoken as they come.

        Write it as `async def reply(self, turn): yield ...`. It may start before the turn is final
        and be cancelled at any `await` or `yield`. Yielding nothing leaves the turn unanswered.
        """
        raise NotImplementedError(f"{type(self).__name__} has no reply(); write one")

    def prepare(self, settings: Settings) -> None:
        """Take in the settings of the call, before anything else happens in it."""

    async def on_start(self, session: Conversation) -> str | None:  # noqa: ARG002
        """Return words to open the conversation with, or None to wait for the user."""
        return None

    async def on_idle(self, session: Conversation) -> str | None:  # noqa: ARG002
        """Return words to break a long silence with, or None to wait on."""
        return None

    async def on_digit(self, session: Conversation, digit: str) -> str | None:
        """Learn that the caller pressed a key; return words to say, or None.

        The keys are in `turn.digits` besides. As it stands, "#" ends the user's turn.
        """
        if digit == "#":
            session.end_turn()
        return None

    async def on_interrupted(self, turn: Turn | None, heard: str, unheard: str) -> None:
        """Learn that the user took the floor. `turn` is None if it was not an answer."""

    async def on_error(self, turn: Turn, error: str) -> str | None:  # noqa: ARG002
        """Return words for the user when the reply to `turn` failed, or None for silence."""
        return "Sorry, something went wrong on my side. Could you say that again?"

    async def on_end(self, reason: str) -> None:
        """Learn that the call is over; there are two seconds to tidy up in."""
