"""Prints the turn machine's whole behaviour by running it: `python -m turnkit.turn.table`.

The table stands in the README, and a test compares the two.
"""

from collections.abc import Iterator
from dataclasses import fields

from turnkit.turn.commands import Answer, Apology, Command, Prompt
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    Event,
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
from turnkit.turn.states import (
    AgentSpeaking,
    Closed,
    Listening,
    Speculating,
    State,
    Thinking,
    UserSpeaking,
)

_NOW = 100.0
_LATER = _NOW + 1
_LAST_TURN, _TURN, _NEXT_TURN = 0, 1, 2
_LAST_REPLY, _REPLY = 6, 7
_DRAFT = Answer(_TURN, "T", drafted=True)
_ANSWER = Answer(_TURN, "T", drafted=False)

STATES: dict[str, State] = {
    "Listening": Listening(),
    "UserSpeaking": UserSpeaking(_TURN),
    "UserSpeaking, no draft left": UserSpeaking(_TURN, drafts=4),
    "Speculating": Speculating(_DRAFT, _REPLY, drafts=1),
    "Thinking (draft)": Thinking(_DRAFT, _REPLY, _LATER),
    "Thinking (answer)": Thinking(_ANSWER, _REPLY, _LATER),
    "Thinking (apology)": Thinking(Apology(_TURN, "R"), _REPLY, _LATER),
    "Thinking (prompt)": Thinking(Prompt(0), _REPLY, _LATER),
    "AgentSpeaking (answer)": AgentSpeaking(_ANSWER, _REPLY, _LATER),
    "AgentSpeaking (apology)": AgentSpeaking(Apology(_TURN, "R"), _REPLY, _LATER),
    "AgentSpeaking (prompt)": AgentSpeaking(Prompt(0), _REPLY, _LATER),
    "Closed": Closed(),
}

EVENTS: dict[str, tuple[Event, float]] = {
    "StartOfTurn": (StartOfTurn(_TURN), _NOW),
    "StartOfTurn, next turn": (StartOfTurn(_NEXT_TURN), _NOW),
    "Update": (Update(_TURN, "T"), _NOW),
    "EagerEndOfTurn, no words": (EagerEndOfTurn(_TURN, ""), _NOW),
    "EagerEndOfTurn, same words": (EagerEndOfTurn(_TURN, "T"), _NOW),
    "EagerEndOfTurn, other words": (EagerEndOfTurn(_TURN, "U"), _NOW),
    "EagerEndOfTurn, next turn": (EagerEndOfTurn(_NEXT_TURN, "T"), _NOW),
    "TurnResumed": (TurnResumed(_TURN), _NOW),
    "TurnResumed, next turn": (TurnResumed(_NEXT_TURN), _NOW),
    "EndOfTurn, no words": (EndOfTurn(_TURN, ""), _NOW),
    "EndOfTurn, same words": (EndOfTurn(_TURN, "T"), _NOW),
    "EndOfTurn, other words": (EndOfTurn(_TURN, "U"), _NOW),
    "EndOfTurn, next turn": (EndOfTurn(_NEXT_TURN, "T"), _NOW),
    "any of an earlier turn": (EndOfTurn(_LAST_TURN, "T"), _NOW),
    "PlayoutStarted": (PlayoutStarted(_REPLY), _NOW),
    "PlayoutFinished": (PlayoutFinished(_REPLY), _NOW),
    "ReplyDeclined": (ReplyDeclined(_REPLY), _NOW),
    "ReplyFailed": (ReplyFailed(_REPLY, "R"), _NOW),
    "any of an earlier reply": (PlayoutFinished(_LAST_REPLY), _NOW),
    "PromptRequested": (PromptRequested(0), _NOW),
    "CallEnded": (CallEnded("R"), _NOW),
    "DeadlineReached, early": (DeadlineReached(), _NOW),
    "DeadlineReached": (DeadlineReached(), _LATER),
}


def step(state: State, event: Event, now: float) -> tuple[State, list[Command]]:
    """Run one event through a machine that is in `state`, with turn 0 and six replies behind it."""
    machine = TurnMachine.at(state, settled_turn=_settled_turn(state), replies=_REPLY)
    commands = machine.feed(event, now)
    return machine.state, commands


def _settled_turn(state: State) -> int:
    """Turn 1 is the one the states are about: settled where its reply has been released."""
    return _TURN if isinstance(state, Thinking | AgentSpeaking | Closed) else _LAST_TURN


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Yield (state, event, next state, commands) for every pair in which something happens."""
    for state_name, state in STATES.items():
        for event_name, (event, now) in EVENTS.items():
            after, commands = step(state, event, now)
            if after != state or commands:
                done = " ".join(_show(command) for command in commands) or "-"
                yield state_name, event_name, _show_state(after), done


def table() -> str:
    """Return the behaviour as Markdown; what is not listed changes nothing."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for state, event, after, commands in cells():
        rows.setdefault((state, after, commands), []).append(event)
    lines = ["| state | event | next state | commands, in order |", "|---|---|---|---|"]
    previous = ""
    for (state, after, commands), events in rows.items():
        shown = "" if state == previous else f"**{state}**"
        lines.append(f"| {shown} | {'; '.join(events)} | {after} | {commands} |")
        previous = state
    return "\n".join(lines)


def _show_state(state: State) -> str:
    match state:
        case Thinking(purpose) | AgentSpeaking(purpose):
            return f"{type(state).__name__} ({_show_purpose(purpose)})"
        case _:
            return type(state).__name__


def _show_purpose(purpose: Answer | Apology | Prompt) -> str:
    if isinstance(purpose, Answer) and purpose.drafted:
        return "draft"
    return type(purpose).__name__.lower()


def _show(command: Command) -> str:
    """Write a command as it reads best: `StartReply(8, answer)`."""
    values = [getattr(command, field.name) for field in fields(command)]
    shown = [
        _show_purpose(value) if isinstance(value, Answer | Apology | Prompt) else str(value)
        for value in values
        if value != ""
    ]
    return f"`{type(command).__name__}({', '.join(shown)})`"


if __name__ == "__main__":
    print(table())  # noqa: T201
