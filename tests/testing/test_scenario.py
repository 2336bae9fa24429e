"""A scenario does what its script says; its witness tells the truth, or what happened instead."""

import anyio
import pytest

from turnkit.agent import Agent
from turnkit.config import Settings
from turnkit.history import ToolUse
from turnkit.testing import ExactVoice, Scenario, ScriptedAgent, Span
from turnkit.turn.commands import CancelReply, PauseReply, StartReply
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    PlayoutFinished,
    ReplyFailed,
    StartOfTurn,
    TurnResumed,
    Update,
)
from turnkit.turn.moves import Moves

pytestmark = pytest.mark.anyio


UNHURRIED = Settings.model_construct(speculate="off")


def booking(**options):
    """A user who hesitates, is answered too soon, and goes on."""
    s = Scenario(**options)
    s.user.says("book for", pause=0.6)
    s.flux.eager()
    s.advance(0.3)
    s.flux.resumes()
    s.user.says("four")
    s.flux.eager()
    s.advance(0.2)
    s.flux.ends()
    return s


async def test_the_script_becomes_the_events_of_a_source():
    heard = await booking().play()
    kinds = (StartOfTurn, Update, EagerEndOfTurn, TurnResumed, EndOfTurn)
    assert heard.call.items(*kinds) == [
        (0.25, StartOfTurn(0, "book")),
        (0.5, Update(0, "book for")),
        (1.1, EagerEndOfTurn(0, "book for")),
        (1.4, TurnResumed(0, "book for")),
        (1.65, Update(0, "book for four")),
        (1.65, EagerEndOfTurn(0, "book for four")),
        (1.85, EndOfTurn(0, "book for four")),
    ]


@pytest.mark.parametrize(("llm_s", "tts_s"), [(0.05, 0.08), (0.15, 0.08), (1.0, 0.25)])
async def test_the_first_sound_comes_when_the_turn_is_final_and_the_reply_is_ready(llm_s, tts_s):
    heard = await booking(llm_s=llm_s, tts_s=tts_s).play()
    ready_at = heard.at(EagerEndOfTurn, turn=0, nth=1) + llm_s + tts_s
    assert heard.first_sound(turn=0) == max(heard.at(EndOfTurn), round(ready_at, 6))
    heard.answered(0)
    heard.heard("You said: book for four")
    heard.silent_between(0.0, heard.at(EndOfTurn))
    heard.promises_kept()


async def test_a_model_that_fails_on_a_guess_is_asked_again_when_the_turn_is_final():
    s = booking(llm_s=0.15)
    s.llm.fails(at="eager")
    heard = await s.play()
    heard.answered(0)
    assert heard.first_sound(0) == heard.at(EndOfTurn) + 0.15
    assert len(heard.call.items(ReplyFailed)) == 2


async def test_a_model_that_stalls_on_a_guess_is_replaced_in_time():
    s = booking()
    s.llm.stalls(at="eager", after=0)
    heard = await s.play()
    heard.answered(0)
    assert heard.first_sound(0) == heard.at(EndOfTurn) + 5.0


async def test_a_fault_may_strike_once():
    s = booking(agent=ScriptedAgent(lambda turn: ["One moment. ", "Done."], pause_s=0.5))
    s.llm.fails(after=1, times=2)
    heard = await s.play()
    heard.answered(0)
    heard.heard("One moment. Done.")


async def test_a_fault_may_strike_after_the_first_words():
    s = booking(agent=ScriptedAgent(lambda turn: ["One moment. ", "Done."]), settings=UNHURRIED)
    s.llm.fails(at="final", after=1)
    heard = await s.play()
    heard.ended(0, "failed", "ScriptedFault: the model failed as scripted")
    heard.heard("One moment.")
    heard.not_heard("Done.")


async def test_a_voice_that_fails_on_a_guess_speaks_when_the_turn_is_final():
    s = booking()
    s.tts.fails(at="eager", after=1)
    heard = await s.play()
    heard.answered(0)
    heard.promises_kept()


async def test_a_voice_that_stalls_for_good_costs_the_turn():
    s = booking()
    s.tts.stalls()
    heard = await s.play()
    heard.ended(0, "failed", "no sound in time")
    heard.silent_between(0.0)


async def test_the_user_barges_in_so_long_after_the_first_sound():
    s = booking(agent=ScriptedAgent(lambda turn: ["One two three four five six seven."]))
    s.user.barges_in("no wait", after=0.5)
    s.flux.ends()
    heard = await s.play()
    assert heard.call.spans[0] == Span(2, 1.85, 2.35)
    assert heard.at(StartOfTurn, turn=1) == 2.35
    assert heard.at(Update, turn=1) == 2.6
    heard.ended(0, "interrupted")
    heard.answered(1)


async def test_a_user_may_speak_over_the_sound_after_the_next():
    s = Scenario()
    s.flux.reports(EndOfTurn(0, "one"))
    s.advance(3.0)
    s.flux.reports(EndOfTurn(1, "two"))
    s._script.turn = 2
    s.user.barges_in("wait", after=0.25)
    heard = await s.play()
    assert heard.at(StartOfTurn, turn=2) == heard.first_sound(turn=1) + 0.25


async def test_a_user_who_waits_in_vain_for_a_sound_is_a_mistake_in_the_script():
    s = Scenario(agent=ScriptedAgent(lambda turn: []))
    s.user.says("hello")
    s.flux.ends()
    s.user.barges_in("wait", after=0.5)
    with pytest.raises(AssertionError, match="waited 120 s for a sound to speak over, and none"):
        await s.play()


async def test_a_source_may_say_anything():
    s = Scenario()
    s.user.says("hello")
    s.flux.ends("hello there", trigger="manual")
    s.flux.reports(EndOfTurn(0, "hello"))
    heard = await s.play()
    heard.answered(0)
    heard.heard("You said: hello there")


async def test_a_key_and_the_end_of_the_call_are_the_users_too():
    class Keys(Agent):
        async def on_digit(self, session, digit):
            return f"You pressed {digit}, and that is a long story."

    s = Scenario(agent=Keys())
    s.user.presses("5")
    s.advance(1.0)
    s.user.hangs_up()
    heard = await s.play()
    assert heard.call.spans == [Span(1, 0.0, 1.0)]
    heard.heard("You pressed 5,")
    heard.not_heard("story")


@pytest.mark.parametrize("late_s", [0.0, 0.35])
async def test_playout_reports_may_come_and_come_late(late_s):
    s = booking()
    s.network.tells_playout(late_s=late_s)
    heard = await s.play()
    heard.answered(0)
    heard.promises_kept()
    told_at = heard.at(PlayoutFinished) - heard.call.spans[-1].end
    assert late_s - 1e-6 <= told_at <= late_s + 0.1 + 1e-6


async def test_playout_reports_that_never_come_are_not_waited_for():
    s = booking()
    s.network.tells_nothing()
    heard = await s.play()
    heard.answered(0)
    assert heard.at(PlayoutFinished) == pytest.approx(heard.call.spans[-1].end + 1.0)


async def test_what_the_far_end_has_told_of_is_what_was_heard():
    s = booking(agent=ScriptedAgent(lambda turn: ["One two three four five six seven."]))
    s.network.tells_playout(late_s=0.5)
    s.user.barges_in("no", after=1.0)
    heard = await s.play()
    heard.heard("One two ")
    heard.not_heard("three")


async def test_a_voice_with_marks_tells_where_its_words_are():
    s = booking(voice=ExactVoice(marks=True))
    s.user.barges_in("no", after=0.5)
    heard = await s.play()
    heard.heard("You said:")
    heard.not_heard("book")


class Booker(Agent):
    """Books, once the turn is final."""

    async def reply(self, turn):
        yield "One moment. "
        await turn.settled()
        turn.done.append(ToolUse("book", f'"{turn.transcript}"', "true", turn.key))
        yield "Booked."


async def test_what_was_done_is_counted():
    heard = await booking(agent=Booker()).play()
    heard.tool("book").ran(1)
    heard.tool("cancel").ran(0)
    assert heard.tool("book").uses[0].arguments == '"book for four"'


async def test_settings_are_those_of_a_session():
    s = Scenario(settings=Settings.model_construct(barge_in="pause"))
    s.user.says("count to ten")
    s.flux.ends()
    s.user.barges_in("mm-hm", after=0.5)
    s.flux.ends()
    heard = await s.play()
    assert heard.at(PauseReply) == heard.first_sound() + 0.5
    heard.answered(0)


async def test_the_agent_under_test_is_asked_everything_an_agent_is_asked():
    class Full(ScriptedAgent):
        async def on_start(self, session):
            return "Hi."

    agent = Full()
    heard = await booking(agent=agent).play()
    heard.heard("Hi.")
    assert heard.first_sound() == 0.0
    assert agent.ended == ["hung up"]


WRONG = [
    (lambda heard: heard.answered(0, times=2), "turn 0 was answered, with 1 answers heard, not 2"),
    (lambda heard: heard.answered(7), "turn 7 was not closed, with 0 answers heard, not 1"),
    (lambda heard: heard.ended(0, "failed"), "turn 0 was answered: '', not failed"),
    (lambda heard: heard.ended(0, "answered", "why"), "not answered: 'why'"),
    (lambda heard: heard.ended(7, "failed"), "turn 7 was unheard of, not failed"),
    (lambda heard: heard.heard("Sorry"), "'Sorry' was not heard, but \\['You said: book"),
    (lambda heard: heard.not_heard("book"), "'book' was heard"),
    (lambda heard: heard.tool("book").ran(1), "book ran 0 times, not 1: never"),
    (lambda heard: heard.silent_between(1.0, 2.0), "reply 2 was heard from 1.85 to 2.95"),
    (lambda heard: heard.first_sound(turn=7), "no answer to turn 7 was heard"),
    (lambda heard: heard.at(EndOfTurn, turn=7), "there were 0 EndOfTurn of turn 7"),
    (lambda heard: heard.at(CancelReply, nth=1), "there were 1 CancelReply"),
]


@pytest.mark.parametrize(("claim", "message"), WRONG, ids=[m for _, m in WRONG])
async def test_what_is_not_so_is_said_with_the_whole_timeline(claim, message):
    heard = await booking().play()
    with pytest.raises(AssertionError, match=message) as told:
        claim(heard)
    assert "1.850  user   EndOfTurn 0 (model)" in str(told.value)


async def test_silence_has_no_first_sound():
    s = Scenario()
    s.user.hangs_up()
    heard = await s.play()
    with pytest.raises(AssertionError, match="silence"):
        heard.first_sound()


async def test_a_broken_promise_is_named(monkeypatch):
    monkeypatch.setattr(Moves, "drop", lambda self, draft, reason, now: [])
    heard = await booking().play()
    with pytest.raises(AssertionError, match="every reply ends: reply 1 ended 0 times"):
        heard.promises_kept()
    assert len(heard.call.items(StartReply)) == 2


async def test_time_passes_between_cues():
    s = Scenario()
    s.advance(2.5)
    s.user.says("hi")
    heard = await s.play()
    assert heard.at(StartOfTurn) == 2.75
    assert anyio.current_time() == 62.75
