"""The conversation as it was heard: what the user said, and what they heard of the agent.

Besides, what the agent did on the user's behalf: that counts whether or not it was spoken of.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

_MAX_ENTRIES = 400
"""200 turns and their replies; beyond that the oldest quarter is forgotten.

In a block, since whoever keeps a copy of all this in another form has to make it anew then."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one party said."""

    role: Literal["user", "agent"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolUse:
    """What the agent did for a turn that was final, and what came of it; both as JSON."""

    name: str
    arguments: str
    result: str
    key: str
    """Tells this use from all others of the call; equal for attempts at the same thing."""


Entry: TypeAlias = Message | ToolUse


class History:
    """Entries in the order they happened. Never holds what was only generated."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._newest_turn = -1

    def user_said(self, turn: int, text: str) -> None:
        """Add a turn that is final; a turn already added is left as it is."""
        if turn > self._newest_turn:
            self._newest_turn = turn
            self._add(Message("user", text))

    def agent_said(self, text: str) -> None:
        """Add what was heard of a reply, if anything."""
        if text.strip():
            self._add(Message("agent", text.strip()))

    def tool_used(self, use: ToolUse) -> None:
        """Add what was done; what was entered under the same key before is left as it is."""
        if not any(isinstance(e, ToolUse) and e.key == use.key for e in self._entries):
            self._add(use)

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        if len(self._entries) > _MAX_ENTRIES:
            del self._entries[: _MAX_ENTRIES // 4]

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What happened so far; later events do not change it."""
        return tuple(self._entries)
