"""What the turn machine promises, as named rules that every single step of it is held against.

They hold under every policy and in every order of events. Each compares what the machine did with
the account that was kept of it.
"""

from collections.abc import Callable, Iterator, Mapping
from math import inf
from typing import Final, TypeAlias

from turnkit.testing.explore.account import Step, replies_of
from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReply,
    CloseTurn,
    PauseReply,
    Prompt,
    RefusePrompt,
    ReleaseReply,
    ResumeReply,
    StartReply,
)
from turnkit.turn.events import (
    DeadlineReached,
    EagerEndOfTurn,
    EndOfTurn,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    ReplyDeclined,
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)
from turnkit.turn.states import Closed, Listening, Overlapping

_NOT_THE_USER = frozenset({"asked", "deadline", "call_ended"})

Invariant: TypeAlias = Callable[[Step], Iterator[str]]


def _one_end_per_turn(step: Step) -> Iterator[str]:
    """Every final turn is closed exactly once, and as long as it is open a reply is about it."""
    closed: list[int] = []
    for command, account in step.orders:
        if not isinstance(command, CloseTurn):
            continue
        turn = command.turn
        if turn in closed or (turn <= step.before.settled_turn and turn not in account.final):
            yield f"turn {turn} was closed again"
        elif turn not in account.final and command.outcome != "superseded":
            yield f"turn {turn} was closed as {command.outcome} before it was final"
        closed.append(turn)
    answered = {live.turn for live in step.after.account.replies.values()}
    for turn in step.after.account.final:
        if turn not in answered:
            yield f"turn {turn} is final and not closed, and no reply is about it"


def _turns_end_in_order(step: Step) -> Iterator[str]:
    """Every turn counts as settled once it is closed or final, no sooner, and for good."""
    before, after = step.before.settled_turn, step.after.settled_turn
    closed = [command.turn for command, _ in step.orders if isinstance(command, CloseTurn)]
    if after < (ended := max(before, *step.after.account.final, *closed, -1)):
        yield f"turn {ended} has ended, and {after} counts as the newest that has"
    newest = step.before.state.turn - 1 if isinstance(step.before.state, Overlapping) else before
    match step.event:
        case EndOfTurn(turn):
            newest = turn
        case StartOfTurn(turn) | Update(turn) | EagerEndOfTurn(turn) | TurnResumed(turn):
            newest = turn - 1
        case _:
            pass
    if after > max(before, newest):
        yield f"turn {after} counts as ended, and nobody said so"


def _late_news_is_ignored(step: Step) -> Iterator[str]:
    """Nothing changes by news of a settled turn or a reply that is over, or by an early alarm."""
    match step.event:
        case Update(turn) | StartOfTurn(turn) | EagerEndOfTurn(turn) | TurnResumed(turn):
            is_late = turn <= step.before.settled_turn
        case EndOfTurn(turn):
            is_late = turn <= step.before.settled_turn
        case PlayoutStarted(reply) | PlayoutFinished(reply):
            is_late = reply not in step.before.account.replies
        case ReplyDeclined(reply) | ReplyFailed(reply):
            is_late = reply not in step.before.account.replies
        case DeadlineReached():
            is_late = step.after.now < step.before.deadline
        case _:
            is_late = False
    if is_late and (step.orders or step.after.state != step.before.state):
        yield f"{step.event} came late and changed something"


def _one_reply_at_a_time(step: Step) -> Iterator[str]:
    """At most one reply is released and not over."""
    for account in [*(account for _, account in step.orders), step.after.account]:
        if len(account.audible) > 1:
            yield f"replies {account.audible} may be heard at once"
            return


def _released_only_when_final(step: Step) -> Iterator[str]:
    """Every reply is released once at most, for a final turn's very words or as a prompt."""
    for command, account in step.orders:
        if not isinstance(command, ReleaseReply):
            continue
        live = account.replies.get(command.reply)
        if live is None or live.phase != "drafted":
            yield f"reply {command.reply} was released, and is {live.phase if live else 'over'}"
            continue
        match live.purpose:
            case Answer(turn, words) if account.final.get(turn) != words:
                yield f"reply {command.reply} answers words that turn {turn} did not end with"
            case Apology(turn) if turn not in account.final:
                yield f"reply {command.reply} apologises for turn {turn}, which is not open"
            case _:
                pass


def _every_reply_ends(step: Step) -> Iterator[str]:
    """Each reply is numbered in order, and cancelled or over by itself, once."""
    for command, account in step.orders:
        if isinstance(command, StartReply) and command.reply != account.started + 1:
            yield f"reply {command.reply} was started after {account.started}"
        if isinstance(command, CancelReply) and command.reply not in account.replies:
            yield f"reply {command.reply} was cancelled, and it was over"
    live, known = set(step.after.account.replies), set(replies_of(step.after.state))
    if live - known:
        yield f"reply {min(live - known)} is not over, and forgotten"
    if known - live:
        yield f"reply {min(known - live)} is over, and {type(step.after.state).__name__} has it"


def _never_silent(step: Step) -> Iterator[str]:
    """While a final turn is open or a reply may be heard, there is a deadline."""
    account = step.after.account
    if (account.final or account.audible) and step.after.deadline == inf:
        yield f"{type(step.after.state).__name__} may last for ever"


def _the_user_gets_the_floor(step: Step) -> Iterator[str]:
    """When the user begins a turn, what sounds is stopped or paused, if it may be."""
    match step.event, step.before.state:
        case StartOfTurn(turn), Overlapping(turn=known) if turn == known:
            return
        case StartOfTurn(turn), _ if turn > step.before.settled_turn:
            sounding = step.before.account.audible
        case _:
            return
    for reply in sounding:
        if step.before.account.replies[reply].may_be_cut and (
            step.after.account.phase(reply) not in (None, "paused")
        ):
            yield f"reply {reply} goes on though turn {turn} has begun"


def _a_pause_ends(step: Step) -> Iterator[str]:
    """Only what sounds is paused and only what is paused resumed, and a judgement is awaited."""
    for command, account in step.orders:
        if isinstance(command, PauseReply) and account.phase(command.reply) != "sounding":
            yield f"reply {command.reply} was paused, and did not sound"
        if isinstance(command, ResumeReply) and account.phase(command.reply) != "paused":
            yield f"reply {command.reply} was resumed, and was not paused"
    paused = "paused" in {live.phase for live in step.after.account.replies.values()}
    state = step.after.state
    if paused != (isinstance(state, Overlapping) and state.paused):
        yield f"a reply is {'' if paused else 'not '}paused in {type(state).__name__}"


def _what_insists_is_heard(step: Step) -> Iterator[str]:
    """Speech that insists is stopped by the agent, the clock or the end, not by the user."""
    for command, account in step.orders:
        if not isinstance(command, CancelReply | PauseReply) or (
            account.phase(command.reply) != "sounding" or account.replies[command.reply].may_be_cut
        ):
            continue
        if isinstance(command, PauseReply) or command.reason not in _NOT_THE_USER:
            yield f"reply {command.reply} was stopped, and may not be interrupted"


def _every_prompt_once(step: Step) -> Iterator[str]:
    """Each prompt is started or refused, once, and waits only while somebody has the floor."""
    for command, account in step.orders:
        match command:
            case StartReply(_, Prompt(prompt)) | RefusePrompt(prompt):
                if prompt not in account.prompts:
                    yield f"prompt {prompt} was dealt with twice"
            case _:
                pass
    waiting = tuple(step.after.account.prompts)
    if waiting != step.after.queue:
        yield f"prompts {waiting} wait, and the machine knows of {step.after.queue}"
    if waiting and isinstance(step.after.state, Listening | Closed):
        yield f"prompts {waiting} wait for nothing"
    match step.event:
        case PromptRequested(prompt, patient=False) if prompt in waiting:
            yield f"prompt {prompt} waits, and is not patient"
        case _:
            pass


def _nothing_after_the_end(step: Step) -> Iterator[str]:
    """When the call is over, all is over, and nothing follows but refusals."""
    account = step.after.account
    if account.over and (account.replies or account.final or account.prompts):
        yield "the call is over, and something is not"
    for command, _ in step.orders if step.before.account.over else ():
        if not isinstance(command, RefusePrompt):
            yield f"{command} after the end of the call"


INVARIANTS: Final[Mapping[str, Invariant]] = {
    "one end per turn": _one_end_per_turn,
    "turns end in order": _turns_end_in_order,
    "late news is ignored": _late_news_is_ignored,
    "one reply at a time": _one_reply_at_a_time,
    "released only when final": _released_only_when_final,
    "every reply ends": _every_reply_ends,
    "never silent": _never_silent,
    "the user gets the floor": _the_user_gets_the_floor,
    "a pause ends": _a_pause_ends,
    "what insists is heard": _what_insists_is_heard,
    "every prompt once": _every_prompt_once,
    "nothing after the end": _nothing_after_the_end,
}
"""The rules by name."""
