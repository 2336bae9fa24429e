"""Every order of events, to a depth: `python -m turnkit.testing.explore --depth 8`.

From each state that the turn machine can be in, everything that can happen next is tried, and each
step is held against the invariants. States that differ only in how turns, replies and prompts are
numbered and in what the clock shows are one state, and are left only once; so what holds here
holds in every order of these events up to that depth, and in every order of any length once no new
state turns up. The shortest order that breaks an invariant is shown as a test to be run.

Time is exact in whole seconds: the policies explored wait 1 to 5 s, and a second may pass between
any two events. The budget of drafts is no part of this (`turnkit.turn.budget`): it can only refuse
a draft, as `max_drafts_per_turn` does.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from math import inf
from typing import Final, TypeAlias

from turnkit.testing.account import ENDINGS, Account, Step, World
from turnkit.testing.invariants import INVARIANTS, Invariant
from turnkit.turn.budget import Budget, Limits
from turnkit.turn.commands import Command, RefusePrompt
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
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)
from turnkit.turn.machine import TurnMachine
from turnkit.turn.policy import BargeIn, TurnPolicy

Letter: TypeAlias = tuple[float, Event | None]
"""What may come next: an event and the instant it comes at, or None for time that passes."""

_PLAIN = TurnPolicy(
    max_drafts_per_turn=2, draft_deadline_s=2, reply_deadline_s=3, max_reply_s=4
)
_PAUSE = BargeIn("pause", decide_s=1)
POLICIES: Final[Mapping[str, TurnPolicy]] = {
    "plain": _PLAIN,
    "no speculation": replace(_PLAIN, speculate=False),
    "drafts are held": replace(_PLAIN, hold_s=1),
    "barge-in pauses": replace(_PLAIN, barge_in=_PAUSE),
    "idle": replace(_PLAIN, idle_s=5),
    "all of it": replace(_PLAIN, hold_s=1, barge_in=_PAUSE, idle_s=5),
}
"""The policies that are explored by default: with short times, so that they meet often."""

_MAX_WAITING = 2  # prompts; the machine's own limit is a number, and has no states of its own


@dataclass(frozen=True, slots=True)
class Breach:
    """The shortest order of events that breaks an invariant."""

    invariant: str
    what: str
    policy: TurnPolicy
    script: tuple[tuple[float, Event], ...]
