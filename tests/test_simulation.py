"""Random conversations keep every promise, and the promises notice code that breaks them."""

import asyncio
import sys
from collections import Counter

import pytest

from turnkit import speaker
from turnkit.agent import Turn
from turnkit.history import History
from turnkit.ledger import Ledger
from turnkit.playout import Playout
from turnkit.replies import Replies
from turnkit.session import Session
from turnkit.speaker import Speaker
from turnkit.testing import PROMISES, Scenario, ScriptedAgent
from turnkit.testing.moods import FAULTS
from turnkit.testing.simulate import main, simulate
from turnkit.turn.commands import Answer
from turnkit.turn.events import EndOfTurn, StartOfTurn, TurnResumed, Update
from turnkit.turn.machine import TurnMachine
from turnkit.turn.moves import Moves
from turnkit.turn.policy import TurnPolicy

SEEDS = range(60)
ENOUGH = range(100, 140)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_promise_holds_in_a_random_call(seed):
    call = simulate(seed)
    assert call.breaches == [], f"python -m turnkit.testing.simulate --calls 1 --seed {seed}"


def test_a_call_repeats_bit_for_bit_from_its_seed():
    assert simulate(7).fingerprint == simulate(7).fingerprint
    assert simulate(7).fingerprint != simulate(8).fingerprint


def test_a_few_calls_have_all_faults_in_them():
    struck = sum((simulate(seed).faults for seed in ENOUGH[:15]), Counter())
    assert len(FAULTS.keys() - struck.keys()) <= 5


def test_a_call_goes_without_the_faults_it_is_to_go_without():
    assert simulate(7).faults["agent slow"] > 0
    assert simulate(7, without=["agent slow"]).faults["agent slow"] == 0


def test_the_command_line_says_what_happened(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["simulate", "--calls", "3"])
    assert main() == 0
    told = capsys.readouterr().out
    assert "3 calls, " in told
    assert "every promise kept" in told


@pytest.mark.network
def test_calls_can_be_run_in_several_processes(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["simulate", "--calls", "12", "--jobs", "2", "--seed", "3"])
    assert main() == any(simulate(seed).breaches for seed in range(3, 15))
    assert "12 calls, " in capsys.readouterr().out


def test_the_command_line_names_the_seeds_of_broken_calls(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["simulate", "--calls", "2", "--seed", "100"])
    keep_talking(monkeypatch)
    assert main() == 1
    assert "seed 100:\n  silent when cancelled: " in capsys.readouterr().out


# Code that breaks one promise each: what would be seen of it.


def keep_talking(monkeypatch):
    """A cancelled reply goes on."""
    monkeypatch.setattr(Speaker, "cancel", lambda self: None)


def cancel_without_silence(monkeypatch):
    """A cancelled reply ends, but what was sent of it plays on."""
    monkeypatch.setattr(Speaker, "cancel", lambda self: self._give_up())


def let_the_draft_be_heard(monkeypatch):
    """A draft is released as soon as it is started."""
    start = Replies.start

    def impatient(self, number, purpose):
        start(self, number, purpose)
        self._replies[number].speaker.release()

    monkeypatch.setattr(Replies, "start", impatient)


def settle_at_once(monkeypatch):
    """A turn counts as settled while it is a guess."""
    start = Replies.start

    def rash(self, number, purpose):
        start(self, number, purpose)
        if (turn := self._replies[number].turn) is not None:
            turn.decide(final=True)

    monkeypatch.setattr(Replies, "start", rash)


def forget_the_failed(monkeypatch):
    """A turn whose answer failed is passed over."""
    feed = TurnMachine.feed
    lose = "ReplyFailed"

    def forgetful(self, event, now):
        return [] if type(event).__name__ == lose else feed(self, event, now)

    monkeypatch.setattr(TurnMachine, "feed", forgetful)
    monkeypatch.setattr(TurnMachine, "deadline", property(lambda self: float("inf")))


def answer_every_end(monkeypatch):
    """The end of a turn is answered each time it is reported."""
    monkeypatch.setattr(TurnMachine, "settled_turn", -1)


def answer_twice(monkeypatch):
    """A draft is not cancelled when the turn turns out otherwise."""
    monkeypatch.setattr(Moves, "drop", lambda self, draft, reason, now: [])


def remember_all_that_was_said(monkeypatch):
    """History keeps what was generated instead of what was heard."""
    monkeypatch.setattr(
        Playout, "heard_text", lambda self, now: ("".join(c.text for c in self._clauses), "")
    )


def pause_in_name_only(monkeypatch):
    """A paused reply goes on sounding."""
    monkeypatch.setattr(Speaker, "pause", lambda self: None)


def release_what_was_not_said(monkeypatch):
    """A draft for other words is let out."""
    monkeypatch.setattr(TurnPolicy, "same_words", lambda self, drafted, final: True)


def answer_again_what_failed_aloud(monkeypatch):
    """An answer that broke off is begun anew."""

    def stubborn(self, purpose, reason, now):
        if isinstance(purpose, Answer):
            return self.start(Answer(purpose.turn, purpose.transcript, drafted=False), now)
        return self.listen(now), self.close(purpose, "failed", reason)

    monkeypatch.setattr(Moves, "apologise", stubborn)


def end_when_all_is_sent(monkeypatch):
    """A reply counts as over before it was played."""
    monkeypatch.setattr(Playout, "finished", lambda self, now: self.all_sent)


def forget_what_was_done(monkeypatch):
    monkeypatch.setattr(History, "tool_used", lambda self, use: None)


def never_roll_back(monkeypatch):
    """What hangs on a guess that was dropped is not undone."""
    decide = Turn.decide
    monkeypatch.setattr(Turn, "decide", lambda self, *, final: decide(self, final=final) * final)


def lose_count(monkeypatch):
    """Drafts that were dropped are on no account."""
    monkeypatch.setattr(Ledger, "_drop", lambda self, draft, reason: None)


def leave_a_task_behind(monkeypatch):
    tasks = []

    class Careless(speaker.Begun):
        def __init__(self, work):
            tasks.append(asyncio.create_task(asyncio.sleep(1000)))
            super().__init__(work)

    monkeypatch.setattr(speaker, "Begun", Careless)


def break_down_on_a_key(monkeypatch):
    monkeypatch.setattr(Session, "_digit", None)


BROKEN = [
    (keep_talking, "silent when cancelled", 5),
    (cancel_without_silence, "silent when cancelled", 5),
    (let_the_draft_be_heard, "silent before final", 5),
    (settle_at_once, "nothing irreversible on a guess", 5),
    (forget_the_failed, "never silent", 40),
    (answer_every_end, "one end per turn", 5),
    (answer_twice, "every reply ends", 5),
    (remember_all_that_was_said, "history is what was heard", 5),
    (pause_in_name_only, "silent when the user speaks", 10),
    (release_what_was_not_said, "the answer fits the words", 10),
    (answer_again_what_failed_aloud, "one reply per turn", 10),
    (end_when_all_is_sent, "one voice", 5),
    (forget_what_was_done, "what was done is kept", 5),
    (never_roll_back, "every attempt has one fate", 5),
    (lose_count, "the ledger adds up", 5),
    (leave_a_task_behind, "nothing is left", 5),
    (break_down_on_a_key, "the call ends in order", 20),
]
"""What is broken, the promise that notices, and within how many calls. Of these seeds it was the
first in twelve cases, the third at most in three, the fifth in one and the nineteenth in one."""


@pytest.mark.parametrize(
    ("breakage", "promise", "calls"), BROKEN, ids=[b.__name__ for b, _, _ in BROKEN]
)
def test_broken_code_breaks_its_promise_within_a_few_calls(monkeypatch, breakage, promise, calls):
    breakage(monkeypatch)
    found = (breach for seed in ENOUGH[:calls] for breach in simulate(seed).breaches)
    assert any(breach.startswith(promise) for breach in found)


def test_every_promise_has_code_that_breaks_it():
    assert {promise for _, promise, _ in BROKEN} >= PROMISES.keys()


# What random calls have found, as scenarios.


@pytest.mark.anyio
async def test_a_far_end_that_exaggerates_cannot_end_a_reply_before_it_was_played():
    s = Scenario(ScriptedAgent(lambda turn: ["One two three four five six seven."]))
    s.network.tells_playout(factor=3.0, every_s=0.05)
    s.user.says("count")
    s.flux.ends()
    s.user.barges_in("wait", after=1.6)
    heard = await s.play()
    heard.silent_between(heard.at(StartOfTurn, turn=1))
    heard.ended(0, "interrupted")


@pytest.mark.anyio
@pytest.mark.parametrize("flood", [Update, TurnResumed])
async def test_a_flood_of_news_ends_no_call_but_in_order(flood):
    s = Scenario()
    s.user.says("hello")
    s.flux.ends()
    s.advance(0.5)
    for number in range(400):
        s.flux.reports(flood(1, f"word {number}"))
    s.flux.reports(EndOfTurn(1, "hello again"))
    heard = await s.play()
    heard.ended(0, "interrupted")
    heard.promises_kept()


def test_what_hangs_on_an_attempt_that_was_dropped_before_is_undone_at_once():
    undone = []
    turn = Turn(0, "book")
    turn.decide(final=False)
    turn.on_rollback(lambda: undone.append("table"))
    assert undone == ["table"]
