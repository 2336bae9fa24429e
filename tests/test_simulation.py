"""Random conversations keep every promise, and the promises notice code that breaks them."""

import pytest

from turnkit.playout import Playout
from turnkit.replies import Replies
from turnkit.speaker import Speaker
from turnkit.testing.simulate import simulate
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


# Code that breaks one promise each: what would be seen of it.


def keep_talking(monkeypatch):
    """A cancelled reply goes on."""
    monkeypatch.setattr(Speaker, "cancel", lambda self: None)


def cancel_without_silence(monkeypatch):
    """A cancelled reply ends, but what was sent of it plays on."""
    monkeypatch.setattr(Speaker, "cancel", lambda self: self._scope.cancel())


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


BROKEN = [
    (keep_talking, "silent when cancelled"),
    (cancel_without_silence, "silent when cancelled"),
    (let_the_draft_be_heard, "silent before final"),
    (settle_at_once, "nothing irreversible on a guess"),
    (forget_the_failed, "never silent"),
    (answer_every_end, "one end per turn"),
    (answer_twice, "every reply ends"),
    (remember_all_that_was_said, "history is what was heard"),
    (pause_in_name_only, "silent when the user speaks"),
    (release_what_was_not_said, "the answer fits the words"),
]


@pytest.mark.parametrize(("breakage", "promise"), BROKEN, ids=[b.__name__ for b, _ in BROKEN])
def test_broken_code_breaks_its_promise_within_a_few_calls(monkeypatch, breakage, promise):
    breakage(monkeypatch)
    breaches = (breach for seed in ENOUGH for breach in simulate(seed).breaches)
    assert any(breach.startswith(promise) for breach in breaches)
