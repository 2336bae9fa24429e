"""Prints the turn machine's whole behaviour by running it: `python -m turnkit.turn.table`.

The table stands in docs/behaviour.md, and a test compares the two.
"""

from collections.abc import Iterator
from dataclasses import fields, replace

from turnkit.turn.commands import Answer, Apology, Command, Prompt
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

_NOW = 100.0
_LATER = _NOW + 1
_LAST_TURN, _TURN, _NEXT_TURN = 0, 1, 2
_LAST_REPLY, _REPLY = 6, 7
_DRAFT = Answer(_TURN, "T", drafted=True)
_ANSWER = Answer(_TURN, "T", drafted=False)
_WAITING = Thinking(Answer(_NEXT_TURN, "T", drafted=False), _REPLY + 1, _LATER)

_SPEAKING = AgentSpeaking(_ANSWER, _REPLY, _LATER)
_ANNOUNCING = AgentSpeaking(Prompt(0, interruptible=False), _REPLY, _LATER)
_PAUSED = Overlapping(_SPEAKING, _NEXT_TURN, "", paused=True, deadline=_LATER)
_PAUSING = TurnPolicy(barge_in=BargeIn("pause"))
_HOLDING = TurnPolicy(hold_s=1.0)

STATES: dict[str, tuple[State, TurnPolicy]] = {
    "Listening": (Listening(_LATER), TurnPolicy()),
    "UserSpeaking": (UserSpeaking(_TURN), TurnPolicy()),
    "UserSpeaking, no draft left": (UserSpeaking(_TURN, drafts=4), TurnPolicy()),
    "Speculating": (Speculating(_DRAFT, _REPLY, 1, _LATER), TurnPolicy()),
    "Speculating, hold_s > 0": (Speculating(_DRAFT, _REPLY, 1, _LATER), _HOLDING),
    "Holding": (Holding(_DRAFT, _REPLY, 1, _LATER), _HOLDING),
    "Thinking (draft)": (Thinking(_DRAFT, _REPLY, _LATER), TurnPolicy()),
    "Thinking (answer)": (Thinking(_ANSWER, _REPLY, _LATER), TurnPolicy()),
    "Thinking (apology)": (Thinking(Apology(_TURN, "R"), _REPLY, _LATER), TurnPolicy()),
    "Thinking (prompt)": (Thinking(Prompt(0), _REPLY, _LATER), TurnPolicy()),
    "AgentSpeaking (answer)": (_SPEAKING, TurnPolicy()),
    "AgentSpeaking (apology)": (AgentSpeaking(Apology(_TURN, "R"), _REPLY, _LATER), TurnPolicy()),
    "AgentSpeaking (prompt)": (AgentSpeaking(Prompt(0), _REPLY, _LATER), TurnPolicy()),
    "AgentSpeaking, barge_in = pause": (_SPEAKING, _PAUSING),
    "Overlapping, paused": (_PAUSED, _PAUSING),
    "Overlapping, resumed": (replace(_PAUSED, paused=False), _PAUSING),
    "Insisting": (Insisting(_ANNOUNCING, Listening()), TurnPolicy()),
    "Insisting, the user is done": (Insisting(_ANNOUNCING, _WAITING), TurnPolicy()),
    "Closed": (Closed(), TurnPolicy()),
}

EVENTS: dict[str, tuple[Event, float]] = {
    "StartOfTurn": (StartOfTurn(_TURN), _NOW),
    "StartOfTurn, next turn": (StartOfTurn(_NEXT_TURN), _NOW),
    "StartOfTurn, next turn, two words": (StartOfTurn(_NEXT_TURN, "no wait"), _NOW),
    "Update": (Update(_TURN, "T"), _NOW),
    "Update, next turn, two words": (Update(_NEXT_TURN, "no wait"), _NOW),
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
    "EndOfTurn, next turn, mm-hm": (EndOfTurn(_NEXT_TURN, "mm-hm"), _NOW),
    "any of an earlier turn": (EndOfTurn(_LAST_TURN, "T"), _NOW),
    "PlayoutStarted": (PlayoutStarted(_REPLY), _NOW),
    "PlayoutFinished": (PlayoutFinished(_REPLY), _NOW),
    "ReplyDeclined": (ReplyDeclined(_REPLY), _NOW),
    "ReplyFailed": (ReplyFailed(_REPLY, "R"), _NOW),
    "any of an earlier reply": (PlayoutFinished(_LAST_REPLY), _NOW),
    "PromptRequested": (PromptRequested(0), _NOW),
    "PromptRequested, patient": (PromptRequested(0, patient=True), _NOW),
    "InterruptRequested": (InterruptRequested("R"), _NOW),
    "CallEnded": (CallEnded("R"), _NOW),
    "DeadlineReached, early": (DeadlineReached(), _NOW),
    "DeadlineReached": (DeadlineReached(), _LATER),
}


def step(state: State, policy: TurnPolicy, event: Event, now: float) -> tuple[State, list[Command]]:
    """Run one event through a machine that is in `state`, with turn 0 and six replies behind it."""
    settled = _settled_turn(state)
    machine = TurnMachine.at(state, settled_turn=settled, replies=_REPLY, policy=policy)
    commands = machine.feed(event, now)
    return machine.state, commands


def _settled_turn(state: State) -> int:
    """Turn 1 is the one the states are about: settled where its reply has been released."""
    match state:
        case Insisting(floor=Thinking()):
            return _NEXT_TURN
        case Thinking() | AgentSpeaking() | Overlapping() | Closed():
            return _TURN
        case _:
            return _LAST_TURN


def cells() -> Iterator[tuple[str, str, str, str]]:
    """Yield (state, event, next state, commands) for every pair in which something happens."""
    for state_name, (state, policy) in STATES.items():
        for event_name, (event, now) in EVENTS.items():
            after, commands = step(state, policy, event, now)
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
        case Overlapping(paused=paused):
            return "Overlapping, paused" if paused else "Overlapping, resumed"
        case Insisting(floor=floor):
            return f"Insisting, {_show_state(floor)}"
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
