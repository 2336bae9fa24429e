"""A conversation as it looks from outside the turn machine: an account kept of events and commands.

Those who hold the machine against its promises compare its word with this account: so a machine
that forgets, or does a thing twice, is found out at the step where it does. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal, TypeAlias, TypeVar, assert_never

from turnkit.turn.commands import (
    CancelReply,
    CloseTurn,
    Command,
    PauseReply,
    Prompt,
    Purpose,
    RefusePrompt,
    ReleaseReply,
    ResumeReply,
    StartReply,
)
from turnkit.turn.events import (
    CallEnded,
    EndOfTurn,
    Event,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyEvent,
    ReplyFailed,
)
from turnkit.turn.states import (
    AgentSpeaking,
    Closed,
    Holding,
    Insisting,
    Listening,
    Overlapping,
    Speculating,
    State,
    Thinking,
    UserSpeaking,
)

V = TypeVar("V")

Phase: TypeAlias = Literal["drafted", "released", "sounding", "paused"]


@dataclass(frozen=True, slots=True)
class LiveReply:
    """A reply that was started and is not over."""

    purpose: Purpose
    phase: Phase = "drafted"

    @property
    def turn(self) -> int | None:
        """The turn it is about, if it is about one."""
        return None if isinstance(self.purpose, Prompt) else self.purpose.turn

    @property
    def may_be_cut(self) -> bool:
        """Whether the user can end it by speaking."""
        return not (isinstance(self.purpose, Prompt) and not self.purpose.interruptible)


@dataclass(frozen=True, slots=True)
class Account:
    """A conversation as it looks from outside the machine."""

    started: int = 0
    """The number of the newest reply."""
    replies: Mapping[int, LiveReply] = field(default_factory=dict)
    final: Mapping[int, str] = field(default_factory=dict)
    """Turns that are final and not closed, with their words."""
    prompts: Mapping[int, bool] = field(default_factory=dict)
    """Prompts asked for and neither started nor refused, and whether each is interruptible."""
    asked: int = 0
    """How many prompts were asked for."""
    over: bool = False

    def told(self, event: Event, settled_turn: int) -> "Account":
        """Take in an event, of which what is about settled turns does not count."""
        match event:
            case EndOfTurn(turn, words) if turn > settled_turn and not self.over:
                return replace(self, final={**self.final, turn: words})
            case PlayoutStarted(reply) if self.can_come(event):
                return self._in_phase(reply, "sounding")
            case PlayoutFinished(reply) | ReplyDeclined(reply) | ReplyFailed(reply) if (
                self.can_come(event)
            ):
                return replace(self, replies=_without(self.replies, reply))
            case PromptRequested(prompt, _, interruptible):
                asked = {**self.prompts, prompt: interruptible}
                return replace(self, prompts=asked, asked=self.asked + 1)
            case CallEnded():
                return replace(self, over=True)
            case _:
                return self

    def done(self, command: Command) -> "Account":
        """Take in a command, as far as it makes sense."""
        match command:
            case StartReply(reply, purpose):
                replies = {**self.replies, reply: LiveReply(purpose)}
                taken = purpose.prompt if isinstance(purpose, Prompt) else -1
                return replace(
                    self, started=reply, replies=replies, prompts=_without(self.prompts, taken)
                )
            case ReleaseReply(reply) if reply in self.replies:
                return self._in_phase(reply, "released")
            case PauseReply(reply) if reply in self.replies:
                return self._in_phase(reply, "paused")
            case ResumeReply(reply) if reply in self.replies:
                return self._in_phase(reply, "sounding")
            case CancelReply(reply):
                return replace(self, replies=_without(self.replies, reply))
            case CloseTurn(turn):
                return replace(self, final=_without(self.final, turn))
            case RefusePrompt(prompt):
                return replace(self, prompts=_without(self.prompts, prompt))
            case _:
                return self

    def can_come(self, news: ReplyEvent) -> bool:
        """Tell whether a reply has got so far that it can report this."""
        phase = self.phase(news.reply)
        match news:
            case PlayoutStarted() | ReplyDeclined():
                return phase == "released"
            case PlayoutFinished():
                return phase in ("released", "sounding")
            case ReplyFailed():
                return phase is not None
            case _:
                assert_never(news)

    def phase(self, reply: int) -> Phase | None:
        """Return how far a reply has got; None if it is over, or never was."""
        return self.replies[reply].phase if reply in self.replies else None

    @property
    def audible(self) -> list[int]:
        """The replies that may be heard, or were paused in the midst of that."""
        return [reply for reply, live in self.replies.items() if live.phase != "drafted"]

    def _in_phase(self, reply: int, phase: Phase) -> "Account":
        live = replace(self.replies[reply], phase=phase)
        return replace(self, replies={**self.replies, reply: live})


@dataclass(frozen=True, slots=True)
class World:
    """Where a conversation is: what the machine says of itself, and what the account says."""

    state: State = field(default_factory=Listening)
    settled_turn: int = -1
    deadline: float = inf
    queue: tuple[int, ...] = ()
    """The prompts that the machine would refuse if the call ended now."""
    now: float = 0.0
    account: Account = field(default_factory=Account)


@dataclass(frozen=True, slots=True)
class Step:
    """One event, and what the machine made of it."""

    before: World
    event: Event
    orders: Sequence[tuple[Command, Account]]
    """Its commands, each with the account as it was when the command came."""
    after: World


def replies_of(state: State) -> Iterator[int]:
    """Yield the replies a state knows of."""
    match state:
        case Speculating(reply=reply) | Holding(reply=reply):
            yield reply
        case Thinking(reply=reply) | AgentSpeaking(reply=reply):
            yield reply
        case Overlapping(speaking):
            yield speaking.reply
        case Insisting(speaking, floor):
            yield speaking.reply
            yield from replies_of(floor)
        case Listening() | UserSpeaking() | Closed():
            return
        case _:
            assert_never(state)


def _without(entries: Mapping[int, V], key: int) -> Mapping[int, V]:
    return {k: value for k, value in entries.items() if k != key} if key in entries else entries
