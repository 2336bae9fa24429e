"""What may come next in a conversation: the letters that orders of events are made of."""

from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import TypeAlias

from turnkit.testing.explore.account import Account, World
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    Event,
    InterruptRequested,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyEvent,
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)

Letter: TypeAlias = tuple[float, Event | None]
"""What may come next: an event and its instant, or None for time that passes until then."""

Alphabet: TypeAlias = Callable[[World], Iterable[Letter]]

_MAX_WAITING = 2
"""So many prompts wait at most: the machine's own limit of eight adds nothing but states."""


def anything(world: World) -> Iterator[Letter]:
    """Yield what may come next, whatever went before.

    A source may say anything about the turn that is under way, the one before and the one after;
    of a reply comes only what it can report, and late news.
    """
    yield from _times(world)
    for event in (*_of_turns(world.settled_turn), *_of_replies(world.account), *_asked(world)):
        yield world.now, event
    yield world.now, CallEnded("hung up")


def _times(world: World) -> Iterator[Letter]:
    if world.deadline == inf:
        return
    if world.deadline > world.now:
        yield world.now, DeadlineReached()
        yield min(world.now + 1, world.deadline), None
    yield max(world.now, world.deadline), DeadlineReached()


def _of_turns(settled: int) -> Iterator[Event]:
    for turn in (settled, settled + 1, settled + 2):
        yield StartOfTurn(turn)
        yield Update(turn, "no wait")
        yield EagerEndOfTurn(turn, "stop")
        yield TurnResumed(turn)
        yield EndOfTurn(turn, "stop")
    yield StartOfTurn(settled + 1, "no wait")
    yield EagerEndOfTurn(settled + 1, "no wait")
    for words in ("", "mm-hm", "no wait"):
        yield EndOfTurn(settled + 1, words)


def _of_replies(account: Account) -> Iterator[Event]:
    for reply in account.replies:
        yield from (news for news in _news(reply) if account.can_come(news))
    over = (reply for reply in range(account.started, -1, -1) if reply not in account.replies)
    yield from _news(next(over))  # 0 is one that never was


def _news(reply: int) -> Iterator[ReplyEvent]:
    yield PlayoutStarted(reply)
    yield PlayoutFinished(reply)
    yield ReplyDeclined(reply)
    yield ReplyFailed(reply, "boom")


def _asked(world: World) -> Iterator[Event]:
    yield InterruptRequested("enough")
    if len(world.account.prompts) < _MAX_WAITING:
        for patient in (False, True):
            for interruptible in (False, True):
                yield PromptRequested(world.account.asked, patient, interruptible)
