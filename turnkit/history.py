"""The conversation as it was heard: what the user said, and what they heard of the agent."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

_MAX_MESSAGES = 400
"""200 turns and their replies; beyond that the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Message:
    """What one party said."""

    role: Literal["user", "agent"]
    text: str


class History:
    """Messages in the order they were heard. Never holds what was only generated."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=_MAX_MESSAGES)
        self._newest_turn = -1

    def user_said(self, turn: int, text: str) -> None:
        """Add a turn that is final; a turn already added is left as it is."""
        if turn > self._newest_turn:
            self._newest_turn = turn
            self._messages.append(Message("user", text))

    def agent_said(self, text: str) -> None:
        """Add what was heard of a reply, if anything."""
        if text.strip():
            self._messages.append(Message("agent", text.strip()))

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said so far; later words do not change it."""
        return tuple(self._messages)
