"""The explorer finds what is broken, in as few steps as it takes, and shows it as a test."""

import sys
from collections import defaultdict
from dataclasses import replace
from math import inf
from random import Random

import pytest

from turnkit.testing import INVARIANTS, explore, follow
from turnkit.testing.explore import POLICIES, anything
from turnkit.testing.explore.__main__ import main
from turnkit.testing.explore.account import World
from turnkit.testing.explore.search import _feed, _step
from turnkit.testing.explore.sight import sight
from turnkit.turn import agent_states, user_states
from turnkit.turn.budget import Budget, Limits
from turnkit.turn.commands import (
    Answer,
    Apology,
    AskIdle,
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
    CallEnded,
    EndOfTurn,
    PlayoutFinished,
    PlayoutStarted,
    PromptRequested,
    StartOfTurn,
)
from turnkit.turn.machine import TurnMachine
from turnkit.turn.moves import Moves
from turnkit.turn.policy import TurnPolicy
from turnkit.turn.states import Closed, Listening, UserSpeaking

# Machines that break one invariant each.


def forget_a_turn(monkeypatch):
    """A turn whose answer was heard is not closed."""
    monkeypatch.setattr(Moves, "close", lambda self, purpose, outcome, reason="": [])


def close_a_turn_twice(monkeypatch):
    close = Moves.close

    def twice(self, purpose, outcome, reason=""):
        return close(self, purpose, outcome, reason) * 2

    monkeypatch.setattr(Moves, "close", twice)


def close_a_turn_with_its_answer_under_way(monkeypatch):
    """A turn is closed once more in the step that makes it final."""
    commit = Moves.commit

    def hasty(self, event, now):
        state, commands = commit(self, event, now)
        return state, [CloseTurn(event.turn, "answered"), *commands]

    monkeypatch.setattr(Moves, "commit", hasty)


def be_deaf_to_a_turn_that_begins(monkeypatch):
    def deaf(self, event, now):
        self.settled_turn = event.turn
        return UserSpeaking(event.turn), []

    monkeypatch.setattr(Moves, "open", deaf)


def let_a_final_turn_end_again(monkeypatch):
    def forgetful(self, event, now):
        return self.start(Answer(event.turn, event.transcript, drafted=False), now)

    monkeypatch.setattr(Moves, "commit", forgetful)


def believe_late_news(monkeypatch):
    feed = TurnMachine.feed

    def credulous(self, event, now):
        if isinstance(event, PromptRequested):
            return feed(self, event, now)
        self.state, commands = self._step(self.state, event, now)
        return [*commands, *self._next_prompt(now)]

    monkeypatch.setattr(TurnMachine, "feed", credulous)


def talk_on_in_two_voices(monkeypatch):
    """A reply that the user superseded is not cancelled."""
    monkeypatch.setattr(Moves, "cut", lambda self, state, cancel, outcome, reason="": [])


def release_a_guess(monkeypatch):
    speculate = Moves.speculate

    def rash(self, state, event, now):
        after, commands = speculate(self, state, event, now)
        return after, [*commands, *(ReleaseReply(c.reply) for c in commands if hasattr(c, "reply"))]

    monkeypatch.setattr(Moves, "speculate", rash)


def release_what_was_not_said(monkeypatch):
    monkeypatch.setattr(TurnPolicy, "same_words", lambda self, drafted, final: True)


def leave_drafts_behind(monkeypatch):
    monkeypatch.setattr(Moves, "drop", lambda self, draft, reason, now: [])


def wait_for_ever(monkeypatch):
    monkeypatch.setattr(TurnMachine, "deadline", property(lambda self: inf))


def talk_over_the_user(monkeypatch):
    monkeypatch.setattr(Moves, "instead", lambda self, first, event, now: self.open(event, now))


def pause_for_good(monkeypatch):
    monkeypatch.setattr(agent_states, "_go_on", lambda state, reason: [])


def give_way_when_insisting(monkeypatch):
    def meek(self, state, event, now):
        return agent_states.agent_speaking(self._moves, state.speaking, event, now)

    monkeypatch.setattr(TurnMachine, "_insisting", meek)


def lose_prompts_when_the_user_speaks(monkeypatch):
    feed = TurnMachine.feed

    def forgetful(self, event, now):
        if isinstance(event, StartOfTurn):
            self._prompts.clear()
        return feed(self, event, now)

    monkeypatch.setattr(TurnMachine, "feed", forgetful)


def say_a_prompt_twice(monkeypatch):
    following = TurnMachine._next_prompt

    def stutter(self, now):
        if not self._prompts or not isinstance(self.state, Listening):
            return following(self, now)
        self.state, commands = self._moves.start(self._prompts[0], now)
        return commands

    monkeypatch.setattr(TurnMachine, "_next_prompt", stutter)


def never_say_a_prompt(monkeypatch):
    following = TurnMachine._next_prompt
    monkeypatch.setattr(
        TurnMachine, "_next_prompt", lambda self, now: following(self, now) if self.closed else []
    )


def take_every_prompt_for_patient(monkeypatch):
    ask = TurnMachine._prompt
    monkeypatch.setattr(
        TurnMachine, "_prompt", lambda self, event: ask(self, replace(event, patient=True))
    )


def speak_after_the_end(monkeypatch):
    step = TurnMachine._step

    def undead(self, state, event, now):
        if isinstance(state, Closed) and not isinstance(event, CallEnded):
            return user_states.listening(self._moves, Listening(), event, now)
        return step(self, state, event, now)

    monkeypatch.setattr(TurnMachine, "_step", undead)


def trip_over_an_apology(monkeypatch):
    def careless(self, purpose, reason, now):
        assert isinstance(purpose, Prompt)

    monkeypatch.setattr(Moves, "apologise", careless)


BROKEN = [
    (forget_a_turn, "one end per turn", 2),
    (close_a_turn_twice, "one end per turn", 2),
    (close_a_turn_with_its_answer_under_way, "one end per turn", 1),
    (be_deaf_to_a_turn_that_begins, "turns end in order", 1),
    (let_a_final_turn_end_again, "turns end in order", 1),
    (believe_late_news, "late news is ignored", 1),
    (talk_on_in_two_voices, "one reply at a time", 2),
    (release_a_guess, "released only when final", 1),
    (release_what_was_not_said, "released only when final", 2),
    (leave_drafts_behind, "every reply ends", 2),
    (wait_for_ever, "never silent", 1),
    (talk_over_the_user, "the user gets the floor", 2),
    (pause_for_good, "a pause ends", 4),
    (give_way_when_insisting, "what insists is heard", 3),
    (lose_prompts_when_the_user_speaks, "every prompt once", 3),
    (say_a_prompt_twice, "every prompt once", 1),
    (never_say_a_prompt, "every prompt once", 1),
    (take_every_prompt_for_patient, "every prompt once", 2),
    (speak_after_the_end, "nothing after the end", 2),
    (trip_over_an_apology, "the machine stands", 2),
]


@pytest.mark.parametrize(
    ("breakage", "invariant", "steps"), BROKEN, ids=[b.__name__ for b, _, _ in BROKEN]
)
def test_each_invariant_alone_catches_what_breaks_it(monkeypatch, breakage, invariant, steps):
    breakage(monkeypatch)
    alone = {name: check for name, check in INVARIANTS.items() if name == invariant}
    breach = explore(POLICIES["all of it"], depth=7, invariants=alone).breach
    assert breach.invariant == invariant
    assert len(breach.script) == steps


# Machines that say something else than they do.


def after(kind, *more):
    """Add commands behind each one of a kind; they are made from it."""

    def change(commands):
        for command in commands:
            yield command
            if isinstance(command, kind):
                yield from (make(command) for make in more)

    return change


def without(kind):
    return lambda commands: [command for command in commands if not isinstance(command, kind)]


def before_apologies(commands):
    for command in commands:
        if isinstance(command, StartReply) and isinstance(command.purpose, Apology):
            yield CloseTurn(command.purpose.turn, "failed")
        yield command


def renumbered(commands):
    return (
        replace(command, reply=command.reply + 1) if isinstance(command, StartReply) else command
        for command in commands
    )


def declined(commands):
    return (
        replace(command, outcome="declined") if isinstance(command, CloseTurn) else command
        for command in commands
    )


def release(command):
    return ReleaseReply(command.reply)


def cancel(command):
    return CancelReply(command.reply, "asked")


def pause(command):
    return PauseReply(command.reply)


def resume(command):
    return ResumeReply(command.reply, "")


MEDDLED = [
    (declined, "one end per turn", "turn 0 was closed as declined before it was final"),
    (after(CloseTurn, lambda c: c), "one end per turn", "turn 0 was closed again"),
    (after(ReleaseReply, release), "released only when final", "was released, and is released"),
    (after(CancelReply, release), "released only when final", "reply 1 was released, and is over"),
    (before_apologies, "released only when final", "apologises for turn 0, which is not open"),
    (renumbered, "every reply ends", "reply 2 was started after 0"),
    (after(CancelReply, cancel), "every reply ends", "reply 1 was cancelled, and it was over"),
    (after(ReleaseReply, cancel), "every reply ends", "reply 1 is over, and Thinking has it"),
    (without(CancelReply), "every reply ends", "reply 1 is not over, and forgotten"),
    (after(ReleaseReply, pause), "a pause ends", "reply 1 was paused, and did not sound"),
    (after(ReleaseReply, resume), "a pause ends", "reply 1 was resumed, and was not paused"),
    (after(RefusePrompt, lambda c: c), "every prompt once", "prompt 0 was dealt with twice"),
    (without(RefusePrompt), "every prompt once", "prompts (0,) wait, and the machine knows of ()"),
    (
        lambda told: [*told, AskIdle()],
        "nothing after the end",
        "AskIdle() after the end of the call",
    ),
]


@pytest.mark.parametrize(
    ("change", "invariant", "message"), MEDDLED, ids=[message for _, _, message in MEDDLED]
)
def test_every_lie_of_a_machine_is_found_out(monkeypatch, change, invariant, message):
    feed = TurnMachine.feed
    monkeypatch.setattr(TurnMachine, "feed", lambda *of: list(change(feed(*of))))
    breach = explore(depth=5, invariants={invariant: INVARIANTS[invariant]}).breach
    assert message in breach.what


def test_every_invariant_has_something_that_breaks_it():
    assert {invariant for _, invariant, _ in BROKEN} == {*INVARIANTS, "the machine stands"}


def test_the_shortest_way_to_a_breach_is_a_test_that_fails_until_it_is_mended(monkeypatch):
    with monkeypatch.context() as broken:
        pause_for_good(broken)
        only = {"a pause ends": INVARIANTS["a pause ends"]}
        breach = explore(POLICIES["pauses"], depth=7, invariants=only).breach
        shown = {}
        exec(str(breach), shown)
        with pytest.raises(AssertionError):
            shown["test_a_pause_ends"]()
    shown["test_a_pause_ends"]()


def test_a_test_reads_like_one_written_by_hand(monkeypatch):
    talk_over_the_user(monkeypatch)
    only = {"the user gets the floor": INVARIANTS["the user gets the floor"]}
    shown = str(explore(TurnPolicy(), depth=7, invariants=only).breach)
    assert (
        shown
        == '''\
from turnkit.testing import follow
from turnkit.turn.events import EndOfTurn, StartOfTurn
from turnkit.turn.policy import TurnPolicy


def test_the_user_gets_the_floor():
    """Reply 1 goes on though turn 1 has begun."""
    policy = TurnPolicy()
    broken = follow(
        (0.0, EndOfTurn(turn=0, transcript='stop')),
        (0.0, StartOfTurn(turn=1)),
        policy=policy,
    )
    assert broken == []
'''
    )


def test_an_order_may_be_followed_by_hand(monkeypatch):
    script = [(0.0, EndOfTurn(0, "a")), (1.0, PlayoutStarted(1)), (2.0, PlayoutFinished(1))]
    assert follow(*script) == []
    forget_a_turn(monkeypatch)
    broken = "one end per turn: turn 0 is final and not closed, and no reply is about it"
    assert follow(*script)[0] == broken


def test_an_alphabet_of_ones_own_is_explored_to_its_end():
    def begin_and_end(world):
        yield world.now, StartOfTurn(world.settled_turn + 1)
        yield world.now, CallEnded("hung up")

    found = explore(depth=9, alphabet=begin_and_end)
    assert found.complete
    assert (found.depth, found.states, found.steps, found.breach) == (2, 3, 6, None)
    assert found.orders == 2 + 4


UNLIMITED = Limits(drafts_per_minute=inf, min_hit_rate=0)


def lives(walks, length):
    """Walk through random lives of machines; yield each step's start, letter, policy and step."""
    for seed in range(walks):
        random = Random(seed)
        policy = random.choice(list(POLICIES.values()))
        machine, world = TurnMachine(policy, Budget(UNLIMITED)), World()
        for _ in range(length):
            at, event = random.choice([a for a in anything(world) if a[1] != CallEnded("hung up")])
            world = replace(world, now=at)
            if event is not None:
                step = _feed(machine, world, event)
                yield world, event, policy, step
                world = replace(step.after, queue=tuple(step.after.account.prompts))


def test_a_machine_put_into_a_state_does_what_one_does_that_lived_to_it():
    for world, event, policy, lived in lives(walks=60, length=60):
        assert _step(world, event, policy).orders == lived.orders


def test_what_looks_alike_goes_on_alike():
    """Worlds of one sight have the same worlds behind them, as far as can be seen."""
    behind = defaultdict(set)
    for world, _, policy, _ in lives(walks=30, length=60):
        after = tuple(
            sight(_step(replace(world, now=at), event, policy).after)
            for at, event in anything(world)
            if event is not None
        )
        behind[policy, sight(world)].add(after)
    assert max(len(after) for after in behind.values()) == 1
    assert len(behind) > 300


def test_the_command_line_says_how_far_it_went(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["explore", "--depth", "2"])
    assert main() == 0
    table = capsys.readouterr().out
    assert all(name in table for name in POLICIES)


def test_the_command_line_shows_what_is_broken(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["explore", "--depth", "4"])
    forget_a_turn(monkeypatch)
    assert main() == 1
    assert "def test_one_end_per_turn():" in capsys.readouterr().out
