"""Who has the floor: events in, commands out. No I/O, no clock, no task, no log.

The driver feeds one event at a time, with the time it happened, and carries out the commands
in order. It calls again with `DeadlineReached` once `deadline` has passed.
"""

from collections import deque
from math import inf
from typing import assert_never

from turnkit.turn import agent_states, user_states
from turnkit.turn.budget import Budget
from turnkit.turn.commands import (
    CancelReply,
    Command,
    Prompt,
    RefusePrompt,
    ReleaseReply,
)
from turnkit.turn.events import (
    CallEnded,
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    Event,
    InterruptRequested,
    PlayoutFinished,
    PromptRequested,
    ReplyFailed,
    StartOfTurn,
    StateEvent,
    TurnResumed,
    Update,
)
from turnkit.turn.moves import Moves, Step
from turnkit.turn.policy import TurnPolicy
from turnkit.turn.states import (
    AgentSpeaking,
    Closed,
    Floor,
    Holding,
    Insisting,
    Listening,
    Overlapping,
    Speculating,
    State,
    Thinking,
    UserSpeaking,
)

MAX_PROMPTS = 8
"""So many patient prompts wait for the floor; more are refused."""


class TurnMachine:
    """The turn-taking of one conversation.

    It promises that every turn that was final is closed by exactly one `CloseTurn`, that only
    one reply at a time is released and not yet cancelled or finished, and that a reply is
    released only for a turn that is final.
    """

    def __init__(self, policy: TurnPolicy | None = None, budget: Budget | None = None) -> None:
        self.state: State = Listening()
        self._moves = Moves(policy or TurnPolicy(), budget or Budget())
        self._prompts: deque[Prompt] = deque()

    @classmethod
    def at(
        cls, state: State, *, settled_turn: int, replies: int, policy: TurnPolicy | None = None
    ) -> "TurnMachine":
        """Return a machine in the midst of a conversation, to look at one step of it."""
        machine = cls(policy)
        machine.state = state
        machine._moves.settled_turn, machine._moves.replies = settled_turn, replies
        return machine

    @property
    def deadline(self) -> float:
        """The instant at which the machine wants `DeadlineReached`; `inf` for never."""
        match self.state:
            case Insisting(speaking):
                return speaking.deadline
            case (
                Listening(deadline=deadline)
                | Speculating(deadline=deadline)
                | Holding(deadline=deadline)
                | Thinking(deadline=deadline)
                | AgentSpeaking(deadline=deadline)
                | Overlapping(deadline=deadline)
            ):
                return deadline
            case UserSpeaking() | Closed():
                return inf
            case _:
                assert_never(self.state)

    @property
    def closed(self) -> bool:
        """Whether the call is over, so that nothing will ever be asked again."""
        return isinstance(self.state, Closed)

    @property
    def settled_turn(self) -> int:
        """The newest turn that has ended; -1 if none has."""
        return self._moves.settled_turn

    def feed(self, event: Event, now: float) -> list[Command]:
        """Take in one event; return what to do about it, in order."""
        match event:
            case PromptRequested():
                commands = self._prompt(event)
            case StartOfTurn(turn) | EagerEndOfTurn(turn) | TurnResumed(turn) | EndOfTurn(turn) if (
                turn <= self.settled_turn
            ):
                return []  # sources repeat themselves, and networks reorder
            case Update(turn) if turn <= self.settled_turn:
                return []
            case _:
                self.state, commands = self._step(self.state, event, now)
        return [*commands, *self._next_prompt(now)]

    # Prompts, which wait for a floor that nobody has.

    def _prompt(self, event: PromptRequested) -> list[Command]:
        free = isinstance(self.state, Listening)
        waits = event.patient and not self.closed and len(self._prompts) < MAX_PROMPTS
        if not free and not waits:
            return [RefusePrompt(event.prompt)]
        self._prompts.append(Prompt(event.prompt, event.interruptible))
        return []

    def _next_prompt(self, now: float) -> list[Command]:
        if self.closed:
            refused: list[Command] = [RefusePrompt(prompt.prompt) for prompt in self._prompts]
            self._prompts.clear()
            return refused
        if not self._prompts or not isinstance(self.state, Listening):
            return []
        self.state, commands = self._moves.start(self._prompts.popleft(), now)
        return commands

    # States: one function each, in user_states.py and agent_states.py.

    def _step(self, state: State, event: StateEvent, now: float) -> Step:
        match state:
            case Listening():
                return user_states.listening(self._moves, state, event, now)
            case UserSpeaking():
                return user_states.user_speaking(self._moves, state, event, now)
            case Speculating():
                return user_states.speculating(self._moves, state, event, now)
            case Holding():
                return user_states.holding(self._moves, state, event, now)
            case Thinking():
                return agent_states.thinking(self._moves, state, event, now)
            case AgentSpeaking():
                return agent_states.agent_speaking(self._moves, state, event, now)
            case Overlapping():
                return agent_states.overlapping(self._moves, state, event, now)
            case Insisting():
                return self._insisting(state, event, now)
            case Closed():
                return state, []  # nothing can follow the end of a call
            case _:
                assert_never(state)

    def _insisting(self, state: Insisting, event: StateEvent, now: float) -> Step:
        speaking = state.speaking
        match event:
            case PlayoutFinished(reply) if reply == speaking.reply:
                return self._yield_floor(state.floor, now)
            case ReplyFailed(reply) if reply == speaking.reply:
                return self._yield_floor(state.floor, now)
            case DeadlineReached() if now >= speaking.deadline:
                after, commands = self._yield_floor(state.floor, now)
                return after, [CancelReply(speaking.reply, "deadline"), *commands]
            case InterruptRequested():
                after, commands = self._yield_floor(state.floor, now)
                return after, [CancelReply(speaking.reply, "asked"), *commands]
            case CallEnded():
                _, commands = self._step(state.floor, event, now)
                return Closed(), [CancelReply(speaking.reply, "call_ended"), *commands]
            case DeadlineReached():
                return state, []  # the user's deadlines run when the floor is theirs again
            case _:
                floor, commands = self._step(state.floor, event, now)
                assert isinstance(floor, Floor)  # nothing is released, so nothing can sound
                kept: list[Command] = [c for c in commands if not isinstance(c, ReleaseReply)]
                return Insisting(speaking, floor), kept

    def _yield_floor(self, floor: Floor, now: float) -> Step:
        """Go on where the user got to during a reply that could not be interrupted."""
        match floor:
            case Thinking(purpose, reply):
                return self._moves.think(reply, purpose, now), [ReleaseReply(reply)]
            case Listening():
                return self._moves.listen(now), []
            case UserSpeaking() | Speculating() | Holding():
                return floor, []
            case _:
                assert_never(floor)
