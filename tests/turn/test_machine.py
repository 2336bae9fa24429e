"""The turn machine alone: what it promises, in single steps and in every order of events."""

from math import inf

import pytest

from turnkit.testing import explore
from turnkit.testing.explore import POLICIES, anything
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
from turnkit.turn.machine import MAX_PROMPTS, TurnMachine
from turnkit.turn.policy import BargeIn, TurnPolicy
from turnkit.turn.states import AgentSpeaking, Listening, Thinking, UserSpeaking


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


def test_so_is_one_that_a_paused_reply_was_waiting_for():
    pausing = TurnPolicy(barge_in=BargeIn("pause"))
    begun = [EndOfTurn(0, "a"), PlayoutStarted(1), StartOfTurn(1), EagerEndOfTurn(3, "book it")]
    _, commands = run(*begun, EndOfTurn(1, "a"), policy=pausing)
    assert [c for c in commands if isinstance(c, CloseTurn)] == [
        CloseTurn(0, "interrupted"),
        CloseTurn(1, "superseded", "its end never came"),
    ]


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


def test_patient_prompts_wait_in_a_line_that_has_an_end():
    asked = [PromptRequested(number, patient=True) for number in range(MAX_PROMPTS + 1)]
    machine, commands = run(StartOfTurn(0), *asked)
    assert commands == [RefusePrompt(MAX_PROMPTS)]
    assert machine.feed(EndOfTurn(0, ""), 0.0)[1] == StartReply(1, Prompt(0))


# Every order of events: what holds whatever happens. To this depth it is 240,000 steps, which stand
# for 2e11 orders. With `--depth 99`, `python -m turnkit.testing.explore` takes all there are.

DEPTH = 7


@pytest.mark.parametrize("name", POLICIES)
def test_whatever_happens_every_invariant_holds(name):
    found = explore(POLICIES[name], depth=DEPTH)
    assert found.breach is None, str(found.breach)


def test_with_a_source_that_skips_no_turn_and_an_agent_that_keeps_quiet_that_is_all_there_is():
    def orderly(world):
        for at, event in anything(world):
            skips = getattr(event, "turn", -1) > world.settled_turn + 1
            if not skips and not isinstance(event, PromptRequested | InterruptRequested):
                yield at, event

    found = explore(POLICIES["all of it"], depth=99, alphabet=orderly)
    assert found.breach is None, str(found.breach)
    assert found.complete
