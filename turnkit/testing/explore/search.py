"""The search for an order of events that breaks an invariant, level by level.

From each state that the turn machine can be in, everything that can come next is tried, and each
step is held against the invariants. States that differ only in what turns, replies and prompts are
numbered and in what the clock shows count as one and are left only once, so what holds here holds
in every order of these events up to that depth; and in every order of any length, once no new
state turns up.

Time is exact in whole seconds: the policies wait for 1 to 5 s, and between any two events a second
may pass or none. The budget of drafts is left out: it can only refuse one, as the limit of drafts
a turn does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Final

from turnkit.testing.explore.account import Account, Step, World
from turnkit.testing.explore.alphabet import Alphabet, Letter, anything
from turnkit.testing.explore.breach import Breach, Script
from turnkit.testing.explore.invariants import INVARIANTS, Invariant
from turnkit.testing.explore.sight import sight
from turnkit.turn.commands import Command, RefusePrompt
from turnkit.turn.events import (
    CallEnded,
    Event,
    PromptRequested,
)
from turnkit.turn.machine import TurnMachine
from turnkit.turn.policy import BargeIn, TurnPolicy

_PLAIN = TurnPolicy(max_drafts_per_turn=2, draft_deadline_s=2, reply_deadline_s=3, max_reply_s=4)
_PAUSE = BargeIn("pause", decide_s=1)
POLICIES: Final[Mapping[str, TurnPolicy]] = {
    "plain": _PLAIN,
    "no drafts": replace(_PLAIN, speculate=False),
    "drafts held": replace(_PLAIN, hold_s=1),
    "pauses": replace(_PLAIN, barge_in=_PAUSE),
    "idle": replace(_PLAIN, idle_s=5),
    "all of it": replace(_PLAIN, hold_s=1, barge_in=_PAUSE, idle_s=5),
}
"""What is explored by default. The waits are short, so that one often falls into another."""

_NO_EXCEPTION = "the machine stands"


@dataclass(frozen=True, slots=True)
class Explored:
    """How far it went, and what it found."""

    depth: int
    """The length of the longest orders tried."""
    states: int
    steps: int
    """Events fed: each that can come next, once in each state."""
    orders: int
    """So many different orders of events, up to that length, are covered by these steps."""
    complete: bool
    """Whether no state is left that was not explored, so that the length does not matter."""
    breach: Breach | None


def explore(
    policy: TurnPolicy | None = None,
    *,
    depth: int = 8,
    invariants: Mapping[str, Invariant] = INVARIANTS,
    alphabet: Alphabet | None = None,
) -> Explored:
    """Try every order of events on the turn machine, up to a length; stop at the first breach.

    Args:
        policy: the machine's; else one with short waits.
        depth: the length.
        invariants: what is to hold at each step.
        alphabet: what may come next in a given world; else `anything`.
    """
    search = _Search(policy or _PLAIN, invariants, alphabet or anything)
    reached = 0
    breach = None
    while reached < depth and search.frontier and breach is None:
        breach = search.go_further()
        reached += 1
    return Explored(
        depth=reached,
        states=len(search.worlds),
        steps=sum(len(after) for after in search.edges.values()),
        orders=search.count_orders(reached),
        complete=not search.frontier,
        breach=breach,
    )


def follow(*script: tuple[float, Event], policy: TurnPolicy | None = None) -> list[str]:
    """Feed a machine these events; return what that breaks, as `invariant: what happened`."""
    policy = policy or _PLAIN
    machine, world = TurnMachine(policy), World()
    for at, event in script:
        step = _feed(machine, replace(world, now=at), event)
        world = replace(step.after, queue=_queue(deepcopy(machine), at))
        step = replace(step, after=world)
        if found := [f"{name}: {what}" for name, what in _breaches(step, INVARIANTS)]:
            return found
    return []


@dataclass(slots=True)
class _Search:
    """What is known after so many levels; a world is known by its number, in order of discovery."""

    policy: TurnPolicy
    invariants: Mapping[str, Invariant]
    alphabet: Alphabet
    worlds: list[World] = field(default_factory=lambda: [World()])
    edges: dict[int, list[int]] = field(default_factory=dict)
    frontier: list[int] = field(default_factory=lambda: [0])
    _numbers: dict[object, int] = field(default_factory=lambda: {sight(World()): 0})
    _came_by: dict[int, tuple[int, Letter]] = field(default_factory=dict)

    def go_further(self) -> Breach | None:
        """Leave every world of the frontier by every letter."""
        leaving, self.frontier = self.frontier, []
        for number in leaving:
            self.edges[number] = []
            for letter in self.alphabet(self.worlds[number]):
                after, found = self._try(number, letter)
                if found is not None:
                    return Breach(*found, self.policy, (*self._way_to(number), *_script([letter])))
                self.edges[number].append(self._number(after, number, letter))
        return None

    def count_orders(self, depth: int) -> int:
        """Count the ways through what is known, up to a length."""
        total, here = 0, Counter({0: 1})
        for _ in range(depth):
            there: Counter[int] = Counter()
            for number, ways in here.items():
                for after in self.edges.get(number, ()):
                    there[after] += ways
            total += there.total()
            here = there
        return total

    def _try(self, number: int, letter: Letter) -> tuple[World, tuple[str, str] | None]:
        at, event = letter
        world = replace(self.worlds[number], now=at)
        if event is None:
            return world, None
        try:
            step = _step(world, event, self.policy)
        except AssertionError as exc:
            return world, (_NO_EXCEPTION, repr(exc))
        return step.after, next(_breaches(step, self.invariants), None)

    def _number(self, world: World, origin: int, letter: Letter) -> int:
        """Return the number of a world, which is a new one if nothing like it was seen."""
        number = self._numbers.setdefault(sight(world), len(self.worlds))
        if number == len(self.worlds):
            self.worlds.append(world)
            self.frontier.append(number)
            self._came_by[number] = origin, letter
        return number

    def _way_to(self, number: int) -> Script:
        letters = []
        while number:
            number, letter = self._came_by[number]
            letters.append(letter)
        return _script(reversed(letters))


def _script(letters: Iterable[Letter]) -> Script:
    return tuple((at, event) for at, event in letters if event is not None)


def _step(world: World, event: Event, policy: TurnPolicy) -> Step:
    """Make one step with a machine that is put into this world, and thrown away after."""
    account = world.account
    machine = TurnMachine.at(
        world.state, settled_turn=world.settled_turn, replies=account.started, policy=policy
    )
    for prompt in world.queue:
        waits = PromptRequested(
            prompt, patient=True, interruptible=account.prompts.get(prompt, True)
        )
        machine.feed(waits, world.now)
    step = _feed(machine, world, event)
    return replace(step, after=replace(step.after, queue=_queue(machine, world.now)))


def _feed(machine: TurnMachine, before: World, event: Event) -> Step:
    """Feed one event and keep the account; the queue is looked at apart."""
    commands = machine.feed(event, before.now)
    account = before.account.told(event, before.settled_turn)
    orders: list[tuple[Command, Account]] = []
    for command in commands:
        orders.append((command, account))
        account = account.done(command)
    after = World(
        state=machine.state,
        settled_turn=machine.settled_turn,
        deadline=machine.deadline,
        now=before.now,
        account=account,
    )
    return Step(before, event, orders, after)


def _queue(machine: TurnMachine, now: float) -> tuple[int, ...]:
    """Return the prompts a machine knows to be waiting: it refuses them at the end of the call."""
    last = machine.feed(CallEnded("hung up"), now)
    return tuple(command.prompt for command in last if isinstance(command, RefusePrompt))


def _breaches(step: Step, invariants: Mapping[str, Invariant]) -> Iterator[tuple[str, str]]:
    for name, invariant in invariants.items():
        for what in invariant(step):
            yield name, what
