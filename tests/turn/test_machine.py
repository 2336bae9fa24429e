"""The turn machine alone: what it promises, in single steps and in every order of events."""

from itertools import pairwise
from math import inf

import pytest

from turnkit.turn.commands import (
    Answer,
    Apology,
    CancelReply,
    CloseTurn,
    Prompt,
    RefusePrompt,
    ReleaseReply,
    StartReply,
)
from turnkit.turn.events import (
    CallEnded,
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
from turnkit.turn.machine import TurnMachine
from turnkit.turn.policy import TurnPolicy
from turnkit.turn.states import AgentSpeaking, Listening, Speculating, Thinking, UserSpeaking


def run(*events, policy=None, now=0.0):
    machine = TurnMachine(policy)
    commands = [command for event in events for command in machine.feed(event, now)]
    return machine, commands


def test_an_eager_end_starts_a_draft_and_the_end_releases_it():
    _, commands = run(StartOfTurn(0), EagerEndOfTurn(0, "book"), EndOfTurn(0, "book"))
    assert commands == [StartReply(1, Answer(0, "book", drafted=True)), ReleaseReply(1)]


def test_a_resumed_turn_drops_the_draft():
    machine, commands = run(StartOfTurn(0), EagerEndOfTurn(0, "book"), TurnResumed(0))
    assert commands[1:] == [CancelReply(1, "resumed")]
    assert machine.state == UserSpeaking(0, drafts=1)


def test_a_draft_for_other_words_is_never_released():
    _, commands = run(StartOfTurn(0), EagerEndOfTurn(0, "help"), EndOfTurn(0, "help with"))
    assert commands[1:] == [
        CancelReply(1, "changed"),
        StartReply(2, Answer(0, "help with", drafted=False)),
        ReleaseReply(2),
    ]


def test_an_eager_end_without_words_starts_nothing():
    _, commands = run(StartOfTurn(0), EagerEndOfTurn(0, " "))
    assert commands == []


def test_an_unsteady_source_gets_only_so_many_drafts_a_turn():
    flap = (EagerEndOfTurn(0, "a"), TurnResumed(0))
    _, commands = run(StartOfTurn(0), *flap * 9, policy=TurnPolicy(max_drafts_per_turn=2))
    assert sum(isinstance(command, StartReply) for command in commands) == 2


def test_without_speculation_the_reply_waits_for_the_end():
    policy = TurnPolicy(speculate=False)
    _, commands = run(StartOfTurn(0), EagerEndOfTurn(0, "a"), EndOfTurn(0, "a"), policy=policy)
    assert commands == [StartReply(1, Answer(0, "a", drafted=False)), ReleaseReply(1)]


def test_a_draft_that_fails_before_the_end_is_replaced_at_the_end():
    _, commands = run(EagerEndOfTurn(0, "a"), ReplyFailed(1, "boom"), EndOfTurn(0, "a"))
    assert commands[1:] == [StartReply(2, Answer(0, "a", drafted=False)), ReleaseReply(2)]


def test_a_draft_that_fails_after_the_end_is_tried_afresh():
    _, commands = run(EagerEndOfTurn(0, "a"), EndOfTurn(0, "a"), ReplyFailed(1, "boom"))
    assert commands[2:] == [StartReply(2, Answer(0, "a", drafted=False)), ReleaseReply(2)]


def test_an_answer_that_fails_is_apologised_for_and_recorded_as_failed():
    _, commands = run(
        EndOfTurn(0, "a"), ReplyFailed(1, "boom"), PlayoutStarted(2), PlayoutFinished(2)
    )
    assert commands[2:] == [
        StartReply(2, Apology(0, "boom")),
        ReleaseReply(2),
        CloseTurn(0, "failed", "boom"),
    ]


def test_an_apology_that_fails_is_not_apologised_for():
    machine, commands = run(EndOfTurn(0, "a"), ReplyFailed(1, "boom"), ReplyFailed(2, "again"))
    assert commands[-1] == CloseTurn(0, "failed", "boom")
    assert machine.state == Listening()


def test_a_barge_in_takes_the_floor_and_closes_the_turn_as_interrupted():
    machine, commands = run(EndOfTurn(0, "a"), PlayoutStarted(1), StartOfTurn(1))
    assert commands[2:] == [CancelReply(1, "barge_in"), CloseTurn(0, "interrupted")]
    assert machine.state == UserSpeaking(1)


def test_a_user_who_goes_on_before_anything_is_heard_supersedes_the_turn():
    _, commands = run(EndOfTurn(0, "a"), StartOfTurn(1))
    assert commands[2:] == [CancelReply(1, "superseded"), CloseTurn(0, "superseded", "")]


def test_a_reply_without_words_is_recorded_as_declined():
    _, commands = run(EndOfTurn(0, "a"), ReplyDeclined(1))
    assert commands[2:] == [CloseTurn(0, "declined")]


def test_a_turn_without_words_is_recorded_as_declined():
    _, commands = run(StartOfTurn(0), EndOfTurn(0, ""))
    assert commands == [CloseTurn(0, "declined", "empty transcript")]


def test_a_turn_whose_end_never_came_is_recorded_as_superseded():
    _, commands = run(StartOfTurn(0), StartOfTurn(1))
    assert commands == [CloseTurn(0, "superseded", "its end never came")]


def test_a_second_end_of_a_turn_changes_nothing():
    machine, commands = run(EndOfTurn(0, "a"), EndOfTurn(0, "a"), EndOfTurn(0, "b"))
    assert len(commands) == 2
    assert isinstance(machine.state, Thinking)


def test_news_of_an_earlier_turn_never_interrupts():
    machine, _ = run(EndOfTurn(3, "a"), PlayoutStarted(1), StartOfTurn(2), TurnResumed(3))
    assert isinstance(machine.state, AgentSpeaking)


def test_news_of_an_earlier_reply_is_ignored():
    machine, _ = run(EndOfTurn(0, "a"), StartOfTurn(1), EndOfTurn(1, "b"), PlayoutFinished(1))
    assert machine.state == Thinking(Answer(1, "b", drafted=False), 2, deadline=15.0)


def test_an_update_alone_never_takes_the_floor():
    machine, _ = run(EndOfTurn(0, "a"), PlayoutStarted(1), Update(1, "The"))
    assert isinstance(machine.state, AgentSpeaking)


def test_a_greeting_is_spoken_when_nobody_has_the_floor_and_refused_otherwise():
    assert run(PromptRequested(0))[1] == [StartReply(1, Prompt(0)), ReleaseReply(1)]
    assert run(StartOfTurn(0), PromptRequested(0))[1] == [RefusePrompt(0)]


def test_a_silent_draft_is_given_up_sooner_than_an_answer():
    machine, _ = run(EagerEndOfTurn(0, "a"), EndOfTurn(0, "a"))
    assert machine.deadline == 5.0
    assert machine.feed(DeadlineReached(), 5.0)[1:] == [
        StartReply(2, Answer(0, "a", drafted=False)),
        ReleaseReply(2),
    ]
    assert machine.deadline == 20.0


def test_an_early_alarm_changes_nothing():
    machine, _ = run(EndOfTurn(0, "a"))
    assert machine.feed(DeadlineReached(), 14.9) == []


def test_a_reply_is_cut_when_it_goes_on_too_long():
    machine, _ = run(EndOfTurn(0, "a"), PlayoutStarted(1), policy=TurnPolicy(max_reply_s=60))
    assert machine.feed(DeadlineReached(), 60.0) == [
        CancelReply(1, "deadline"),
        CloseTurn(0, "interrupted", "reply too long"),
    ]


def test_only_a_reply_under_way_has_a_deadline():
    assert run()[0].deadline == inf
    assert run(StartOfTurn(0))[0].deadline == inf
    assert run(EagerEndOfTurn(0, "a"))[0].deadline == 30.0


def test_a_draft_whose_turn_neither_ends_nor_goes_on_grows_stale():
    machine, _ = run(EagerEndOfTurn(0, "a"))
    assert machine.feed(DeadlineReached(), 30.0) == [CancelReply(1, "expired")]
    assert machine.state == UserSpeaking(0, drafts=1)


@pytest.mark.parametrize("drafted", [True, False])
def test_hanging_up_closes_the_turn_that_was_final(drafted):
    start = [EagerEndOfTurn(0, "a")] if drafted else []
    machine, commands = run(*start, EndOfTurn(0, "a"), CallEnded("hung up"), StartOfTurn(1))
    assert commands[-2:] == [CancelReply(1, "call_ended"), CloseTurn(0, "failed", "call ended")]
    assert machine.closed


def test_hanging_up_on_a_guess_cancels_it_and_records_no_turn():
    _, commands = run(EagerEndOfTurn(0, "a"), CallEnded("hung up"))
    assert commands[1:] == [CancelReply(1, "call_ended")]


# Every order of events, in a small alphabet: what holds whatever happens.

DEPTH = 8


def alphabet(machine: TurnMachine):
    """What may come next: about this turn or the next, and about this reply or the one before."""
    turn = machine.settled_turn + 1
    for number in (turn - 1, turn, turn + 1):
        yield StartOfTurn(number)
        yield EagerEndOfTurn(number, "a")
        yield EagerEndOfTurn(number, "b")
        yield TurnResumed(number)
        yield EndOfTurn(number, "a")
    yield EndOfTurn(turn, "")
    for reply in (machine._moves.replies - 1, machine._moves.replies):
        yield PlayoutStarted(reply)
        yield PlayoutFinished(reply)
        yield ReplyDeclined(reply)
        yield ReplyFailed(reply, "boom")
    yield PromptRequested(0)
    yield DeadlineReached()
    yield CallEnded("hung up")


def explore(depth):
    """Yield (event, state before, machine after, commands), each state being left only once."""
    frontier = [(Listening(), -1, 0)]
    seen = set(frontier)
    for level in range(depth):
        reached = []
        for state, settled, replies in frontier:
            for event in alphabet(TurnMachine.at(state, settled_turn=settled, replies=replies)):
                machine = TurnMachine.at(state, settled_turn=settled, replies=replies)
                commands = machine.feed(event, now=20.0 * level)
                yield event, state, machine, commands
                after = (machine.state, machine.settled_turn, machine._moves.replies)
                if after not in seen:
                    seen.add(after)
                    reached.append(after)
        frontier = reached


def current(state):
    return state.reply if isinstance(state, Speculating | Thinking | AgentSpeaking) else None


def test_whatever_happens_no_reply_is_left_behind():
    """The reply under way before is still under way, over by itself, or cancelled."""
    over = (PlayoutFinished, ReplyDeclined, ReplyFailed)
    for event, before, machine, commands in explore(DEPTH):
        reply = current(before)
        if reply is None or reply == current(machine.state):
            continue
        cancelled = any(isinstance(c, CancelReply) and c.reply == reply for c in commands)
        assert cancelled or (isinstance(event, over) and event.reply == reply)


def test_whatever_happens_a_turn_is_closed_when_it_ends_and_only_then():
    for _, before, machine, commands in explore(DEPTH):
        closed = [command.turn for command in commands if isinstance(command, CloseTurn)]
        assert len(closed) == len(set(closed))
        assert all(turn <= machine.settled_turn for turn in closed)
        before_turn, after_turn = answered(before), answered(machine.state)
        if before_turn is not None:
            assert (before_turn in closed) == (before_turn != after_turn)


def answered(state):
    """The turn a released reply is about."""
    purpose = getattr(state, "purpose", None)
    return None if purpose is None or isinstance(purpose, Prompt) else purpose.turn


def test_whatever_happens_a_reply_is_released_only_for_a_turn_that_is_final():
    for _, _, machine, commands in explore(DEPTH):
        for command in commands:
            if isinstance(command, ReleaseReply):
                assert isinstance(machine.state, Thinking)
                assert machine.state.reply == command.reply
                assert getattr(machine.state.purpose, "turn", -1) <= machine.settled_turn


def test_whatever_happens_replies_are_numbered_in_order():
    for _, _, _, commands in explore(DEPTH):
        started = [command.reply for command in commands if isinstance(command, StartReply)]
        assert all(a + 1 == b for a, b in pairwise(started))
