"""The ledger: how every turn ended, and what speculation cost and gained."""

import pytest

from turnkit.config import Settings
from turnkit.ledger import MAX_RECORDS, Ledger
from turnkit.listeners.base import ReplyHeard, ReplySpent
from turnkit.testing import play
from turnkit.testing.fakes import ScriptedAgent
from turnkit.turn.commands import Answer, CancelReply, CloseTurn, StartReply
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio


def accounts(heard):
    ledger = Ledger()
    for at, item in heard.tape:
        ledger.note(at, item)
    return ledger


async def test_a_draft_that_was_heard_gained_what_its_preparation_took():
    heard = await play(
        (1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a")), llm_s=0.4, tts_s=0.1
    )
    record = accounts(heard).turns[0]
    assert (record.outcome, record.drafts, record.released) == ("answered", 1, 1)
    assert record.head_start_s == pytest.approx(0.5)
    assert record.response_s == 0.0
    assert record.heard == "You said: a"
    assert not record.heard_estimated
    assert record.characters == len("You said:a")
    assert record.wasted_characters == 0


async def test_a_draft_that_was_not_ready_gained_only_the_time_it_had():
    heard = await play((1.0, EagerEndOfTurn(0, "a")), (1.2, EndOfTurn(0, "a")), llm_s=0.5)
    record = accounts(heard).turns[0]
    assert record.head_start_s == pytest.approx(0.2)
    assert record.response_s == pytest.approx(0.3)


async def test_a_draft_of_words_alone_gained_the_words_time():
    settings = Settings.model_construct(speculate="llm")
    heard = await play(
        (1.0, EagerEndOfTurn(0, "a")),
        (2.0, EndOfTurn(0, "a")),
        llm_s=0.4,
        tts_s=0.1,
        settings=settings,
    )
    record = accounts(heard).turns[0]
    assert record.head_start_s == pytest.approx(0.4)
    assert record.response_s == pytest.approx(0.1)


async def test_what_was_spent_on_a_dropped_draft_is_wasted():
    heard = await play(
        (1.0, EagerEndOfTurn(0, "one")), (2.0, TurnResumed(0)), (3.0, EndOfTurn(0, "two"))
    )
    ledger = accounts(heard)
    assert ledger.turns[0].dropped == {"resumed": 1}
    assert ledger.turns[0].wasted_characters == len("You said:one")
    assert ledger.totals.hit_rate == 0.0
    assert ledger.totals.characters == len("You said:one") + len("You said:two")


async def test_tokens_told_by_the_agent_are_priced():
    class Counting(ScriptedAgent):
        async def reply(self, turn):
            turn.spent(1000)
            yield "ok"

    heard = await play(
        (1.0, EagerEndOfTurn(0, "a")),
        (2.0, TurnResumed(0)),
        (3.0, EndOfTurn(0, "b")),
        agent=Counting(),
    )
    totals = accounts(heard).totals
    assert (totals.tokens, totals.wasted_tokens) == (2000, 1000)
    assert totals.cost(1.0, 0.0) == (pytest.approx(0.002), pytest.approx(0.001))


async def test_a_failed_draft_is_dropped_as_failed():
    def answer(turn):
        return [RuntimeError("boom")] if turn.speculative else ["ok"]

    heard = await play(
        (1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a")), agent=ScriptedAgent(answer)
    )
    record = accounts(heard).turns[0]
    assert record.dropped == {"failed": 1}
    assert record.outcome == "answered"


async def test_a_draft_that_was_not_started_says_why():
    settings = Settings.model_construct(drafts_per_minute=1)
    heard = await play(
        (1.0, EagerEndOfTurn(0, "a")),
        (2.0, TurnResumed(0)),
        (3.0, EagerEndOfTurn(0, "b")),
        (4.0, EndOfTurn(0, "b")),
        settings=settings,
    )
    assert accounts(heard).turns[0].skipped == {"limit of drafts a minute": 1}
    assert heard.outcomes == {0: "answered"}


async def test_an_interruption_says_what_was_heard():
    agent = ScriptedAgent(lambda turn: ["One two three four five six seven eight nine ten."])
    heard = await play((1.0, EndOfTurn(0, "go")), (2.0, StartOfTurn(1)), agent=agent)
    record = accounts(heard).turns[0]
    assert (record.outcome, record.heard) == ("interrupted", "One two three four ")
    assert record.heard_estimated


def test_a_long_call_keeps_its_newest_turns_and_all_its_totals():
    ledger = Ledger()
    for turn in range(MAX_RECORDS + 5):
        ledger.note(0.0, CloseTurn(turn, "answered"))
    assert len(ledger.turns) == MAX_RECORDS
    assert ledger.totals.outcomes["answered"] == MAX_RECORDS + 5


def test_what_is_spent_in_the_instant_a_draft_ends_is_on_its_turns_bill():
    ledger = Ledger()
    ledger.note(1.0, StartReply(1, Answer(0, "a", drafted=True)))
    ledger.note(2.0, CancelReply(1, "resumed"))
    ledger.note(2.0, ReplyHeard(1, "", "ten letters"))
    ledger.note(2.0, ReplySpent(1, characters=11))
    assert ledger.turns[0].wasted_characters == ledger.totals.wasted_characters == 11
