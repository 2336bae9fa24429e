"""A breach of an invariant, shown as a test that fails for as long as it is there."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import TypeAlias

from turnkit.turn.events import Event
from turnkit.turn.policy import TurnPolicy

Script: TypeAlias = tuple[tuple[float, Event], ...]
"""Events with their instants."""


@dataclass(frozen=True, slots=True)
class Breach:
    """The shortest order of events that breaks an invariant. As text it is a test to be run."""

    invariant: str
    what: str
    policy: TurnPolicy
    script: Script

    def __str__(self) -> str:
        names = sorted({type(event).__name__ for _, event in self.script})
        policy = ["BargeIn", "TurnPolicy"] if "BargeIn(" in _code(self.policy) else ["TurnPolicy"]
        lines = [
            "from turnkit.testing import follow",
            f"from turnkit.turn.events import {', '.join(names)}",
            f"from turnkit.turn.policy import {', '.join(policy)}",
            *("", ""),
            f"def test_{self.invariant.replace(' ', '_')}():",
            f'    """{self.what.capitalize()}."""',
            f"    policy = {_code(self.policy)}",
            "    broken = follow(",
            *(f"        ({at}, {_code(event)})," for at, event in self.script),
            "        policy=policy,",
            "    )",
            "    assert broken == []",
        ]
        return "\n".join(lines) + "\n"


def _code(value: object) -> str:
    """Write a value as code that makes it, without what goes without saying."""
    if not is_dataclass(value):
        return repr(value)
    return f"{type(value).__name__}({', '.join(_arguments(value))})"


def _arguments(value: object) -> Iterator[str]:
    assert is_dataclass(value)
    for field in fields(value):
        default = field.default
        if field.default_factory is not MISSING:
            default = field.default_factory()
        if (given := getattr(value, field.name)) != default:
            yield f"{field.name}={_code(given)}"
