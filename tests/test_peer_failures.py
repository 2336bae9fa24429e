"""What goes wrong elsewhere when a reply begins before the turn is final, as scenarios that pass.

Each was seen in current releases of other frameworks, with scripted providers.
"""

from functools import partial

import anyio
import pytest

from turnkit.agent import Agent
from turnkit.config import Settings
from turnkit.history import Message, ToolUse
from turnkit.testing import INVARIANTS, PROMISES, Scenario, ScriptedAgent, explore
from turnkit.turn.commands import CancelReply, ReleaseReply, StartReply
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, TurnResumed

pytestmark = pytest.mark.anyio

LLM_S, TTS_S = 0.15, 0.08


class Booker(Agent):
    """Looks a table up and books it; the one is harmless, and the other cannot be undone."""

    def __init__(self, look_up_s=0.0):
        self.booked = []
        self.looked_up = []
        self._look_up_s = look_up_s

    async def reply(self, turn):
        yield "One moment. "
        await anyio.sleep(self._look_up_s)
        self.looked_up.append((anyio.current_time(), turn.transcript))
        await turn.settled()
        self.booked.append((anyio.current_time(), turn.transcript))
        turn.done.append(ToolUse("book", f'"{turn.transcript}"', "true", turn.key))
        yield "Booked."


def hesitating(agent=None, **options):
    """A user who pauses, goes on, and ends; in the end their turn is confirmed after 0.5 s."""
    s = Scenario(agent, llm_s=LLM_S, tts_s=TTS_S, **options)
    s.user.says("book for", pause=0.6)
    s.flux.eager()
    s.advance(0.3)
    s.flux.resumes()
    s.user.says("four")
    s.flux.eager()
    s.advance(0.5)
    s.flux.ends()
    return s


# The early attempt fails, the turn is then confirmed, and the agent stays silent.


@pytest.mark.parametrize("fault", ["fails", "stalls"])
@pytest.mark.parametrize("part", ["llm", "tts"])
@pytest.mark.parametrize("speculate", ["llm", "llm+tts"])
async def test_a_turn_whose_early_attempt_broke_is_answered_all_the_same(part, fault, speculate):
    s = hesitating(settings=Settings.model_construct(speculate=speculate))
    getattr(getattr(s, part), fault)(at="eager")
    heard = await s.play()
    heard.answered(0)
    heard.heard("You said: book for four")
    assert heard.first_sound(0) <= heard.at(EndOfTurn) + 5.0 + LLM_S + TTS_S
    heard.promises_kept()


@pytest.mark.parametrize(("part", "name"), [("llm", "the model"), ("tts", "the voice")])
async def test_a_turn_whose_second_attempt_breaks_too_is_apologised_for(part, name):
    s = hesitating()
    s.llm.stalls(at="eager")
    getattr(s, part).fails(at="final", times=1)
    heard = await s.play()
    heard.ended(0, "failed", f"ScriptedFault: {name} failed as scripted")
    heard.heard("Sorry, something went wrong on my side.")
    heard.promises_kept()


# A tool call that arrives in the confirmation window is dropped.


@pytest.mark.parametrize("look_up_s", [0.0, 0.1, 0.3, 0.349, 0.35, 0.351, 1.0])
async def test_what_the_agent_wants_to_do_in_the_confirmation_window_is_done_once(look_up_s):
    agent = Booker(look_up_s)
    heard = await hesitating(agent).play()
    ready_at = heard.at(EagerEndOfTurn, nth=1) + LLM_S + look_up_s
    done_at = pytest.approx(max(heard.at(EndOfTurn), ready_at))
    assert agent.booked == [(done_at, "book for four")]
    heard.tool("book").ran(1)
    heard.answered(0)
    heard.heard("Booked.")
    heard.promises_kept()


async def test_what_was_done_is_in_history_between_what_was_said_and_what_was_heard():
    heard = await hesitating(Booker()).play()
    user, use, agent = heard.call.history
    assert user == Message("user", "book for four")
    assert (use.name, use.arguments) == ("book", '"book for four"')
    assert agent == Message("agent", "One moment. Booked.")


async def test_what_was_done_is_kept_when_the_user_speaks_over_the_answer():
    s = hesitating(Booker())
    s.user.barges_in("thanks", after=0.1)
    heard = await s.play()
    heard.ended(0, "interrupted")
    heard.tool("book").ran(1)
    assert isinstance(heard.call.history[1], ToolUse)


# The audio of a withdrawn draft plays.


@pytest.mark.parametrize("withdrawn_after", [0.0, 0.15, 0.2299, 0.23, 0.25, 3.0])
async def test_nothing_of_a_withdrawn_draft_is_ever_heard(withdrawn_after):
    s = Scenario(llm_s=LLM_S, tts_s=TTS_S)
    s.user.says("book for")
    s.flux.eager()
    s.advance(withdrawn_after)
    s.flux.resumes()
    s.advance(5.0)
    s.user.says("four")
    s.flux.ends()
    heard = await s.play()
    heard.silent_between(0.0, heard.at(EndOfTurn) + LLM_S + TTS_S)
    assert [message.text for message in heard.call.history] == [
        "book for four",
        "You said: book for four",
    ]
    assert heard.call.items(CancelReply) == [(heard.at(TurnResumed), CancelReply(1, "resumed"))]
    heard.promises_kept()


async def test_a_draft_for_other_words_than_the_final_ones_is_not_the_one_that_is_heard():
    s = Scenario(llm_s=LLM_S, tts_s=TTS_S)
    s.user.says("I need help")
    s.flux.eager()
    s.advance(0.5)
    s.flux.ends("I need no help", trigger="manual")
    heard = await s.play()
    heard.not_heard("You said: I need help")
    heard.heard("You said: I need no help")
    assert heard.first_sound() == round(heard.at(EndOfTurn) + LLM_S + TTS_S, 6)


# Tools with side effects run during a guess.


async def test_nothing_that_cannot_be_undone_is_done_on_a_guess():
    agent = Booker()
    heard = await hesitating(agent).play()
    assert [words for _, words in agent.looked_up] == ["book for", "book for four"]
    assert agent.booked == [(pytest.approx(heard.at(EndOfTurn)), "book for four")]


async def test_what_hangs_on_the_turn_is_done_or_undone_once_for_each_guess():
    told = []

    class Careful(Agent):
        async def reply(self, turn):
            turn.on_commit(partial(told.append, ("done", turn.transcript)))
            turn.on_rollback(partial(told.append, ("undone", turn.transcript)))
            yield "Fine."

    await hesitating(Careful()).play()
    assert told == [("undone", "book for"), ("done", "book for four")]


# Nobody can say what speculation cost or saved.


class Spender(ScriptedAgent):
    """Uses ten tokens for each reply."""

    async def reply(self, turn):
        turn.spent(10)
        async for piece in super().reply(turn):
            yield piece


async def test_what_speculation_cost_and_gained_is_on_the_ledger():
    heard = await hesitating(Spender()).play()
    record = heard.ledger.turns[0]
    assert (record.drafts, record.released, record.dropped) == (2, 1, {"resumed": 1})
    assert (record.tokens, record.wasted_tokens) == (20, 10)
    assert record.wasted_characters == len("You said:") + len("book for")
    assert record.head_start_s == pytest.approx(LLM_S + TTS_S)
    assert record.response_s == 0.0
    assert heard.ledger.totals.hit_rate == 0.5


async def test_without_speculation_the_same_call_costs_less_and_takes_longer():
    off = Settings.model_construct(speculate="off")
    heard = await hesitating(Spender(), settings=off).play()
    record = heard.ledger.turns[0]
    assert (record.drafts, record.tokens, record.wasted_tokens) == (0, 10, 0)
    assert record.response_s == pytest.approx(LLM_S + TTS_S)


# Nobody can prove that a committed turn is answered exactly once.


async def test_a_turn_confirmed_twice_is_answered_once():
    s = hesitating()
    s.flux.reports(EndOfTurn(0, "book for four"))
    s.advance(2.0)
    s.flux.reports(EagerEndOfTurn(0, "book for four"))
    s.flux.reports(EndOfTurn(0, "book for four", "timeout"))
    heard = await s.play()
    heard.answered(0, times=1)
    assert len(heard.call.items(ReleaseReply)) == 1


async def test_an_end_that_was_forced_answers_once_though_a_draft_is_under_way():
    s = Scenario(llm_s=LLM_S, tts_s=TTS_S)
    s.user.says("book a table")
    s.flux.eager()
    s.flux.ends("book a table for", trigger="manual")
    heard = await s.play()
    heard.answered(0, times=1)
    assert len(heard.call.items(StartReply)) == 2
    assert len(heard.call.items(ReleaseReply)) == 1


def test_in_every_order_of_events_a_final_turn_is_closed_once_and_answered_once_at_most():
    """The whole of it is in tests/turn/test_machine.py; this is the sentence itself."""
    once = ("one end per turn", "one reply at a time", "released only when final")
    found = explore(depth=6, invariants={name: INVARIANTS[name] for name in once})
    assert found.breach is None
    assert {"one end per turn", "one reply per turn"} <= PROMISES.keys()


async def test_a_user_who_goes_on_before_the_answer_sounds_is_answered_once_for_all():
    s = Scenario(llm_s=1.0)
    s.user.says("book a table")
    s.flux.ends()
    s.user.says("for four")
    s.flux.ends()
    heard = await s.play()
    heard.ended(0, "superseded")
    heard.answered(0, times=0)
    heard.answered(1, times=1)
    heard.promises_kept()
