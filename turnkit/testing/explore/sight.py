"""What matters of a conversation for what can follow, and nothing else: for telling states apart.

Turns, replies and prompts are compared for being the same one, and turns with the newest that has
ended; instants with the present one. So two worlds that differ by a shift of all numbers behave
alike. The explorer relies on this, and a test compares it with a machine that lives through it.
"""

from collections.abc import Hashable
from dataclasses import is_dataclass

from turnkit.testing.explore.account import World
from turnkit.turn.commands import Prompt
from turnkit.turn.states import Overlapping


def sight(world: World) -> Hashable:
    """Return something that is equal for two worlds from which the same can follow."""
    see = _Sight(world)
    account = world.account
    return (
        see.seen(world.state),
        tuple((see.seen(live.purpose), live.phase) for live in account.replies.values()),
        tuple((see.turn(turn), words) for turn, words in account.final.items()),
        tuple(account.prompts.values()),
        len(world.queue),
        account.over,
    )


class _Sight:
    """Numbers as seen from one world."""

    def __init__(self, world: World) -> None:
        account = world.account
        lives = account.replies.values()
        spoken = [live.purpose.prompt for live in lives if isinstance(live.purpose, Prompt)]
        turns = {*account.final, *(live.turn for live in lives if live.turn is not None)}
        if isinstance(world.state, Overlapping):
            turns.add(world.state.turn)
        self._now = world.now
        self._settled = world.settled_turn
        self._old = sorted((turn for turn in turns if turn <= self._settled), reverse=True)
        self._replies = list(account.replies)
        self._prompts = [*spoken, *account.prompts]

    def turn(self, turn: int) -> int:
        """Return how far off a turn is; of those that ended, only the order matters."""
        return turn - self._settled if turn > self._settled else -self._old.index(turn)

    def seen(self, value: object) -> Hashable:
        """Return a state or a purpose with its numbers replaced."""
        assert is_dataclass(value)
        names = value.__dataclass_fields__
        return (type(value), *(self._field(name, getattr(value, name)) for name in names))

    def _field(self, name: str, value: object) -> Hashable:
        match name, value:
            case "turn", int() as turn:
                return self.turn(turn)
            case "reply", int() as reply:
                return _place(reply, self._replies)
            case "prompt", int() as prompt:
                return _place(prompt, self._prompts)
            case "deadline", float() | int() as deadline:
                return max(0.0, deadline - self._now)
            case _ if is_dataclass(value):
                return self.seen(value)
            case _:
                return value


def _place(number: int, numbers: list[int]) -> int:
    """Return which one it is; -1 for what should not be there, which an invariant notices."""
    return numbers.index(number) if number in numbers else -1
