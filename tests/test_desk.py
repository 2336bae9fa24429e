"""Handing over: who answers the rest of the turn, and who the next one."""

import pytest

from turnkit.agent import Agent
from turnkit.config import Settings
from turnkit.desk import Desk, HandOver
from turnkit.history import Message
from turnkit.llm.base import ToolCall
from turnkit.llm.scripted import ScriptedModel, in_order
from turnkit.model_agent import ModelAgent
from turnkit.testing import ScriptedAgent, play
from turnkit.tools import tool
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio


class Greeter(Agent):
    """Hands over when it is asked to."""

    def __init__(self, to=None):
        self.to = to
        self.log = []

    async def on_start(self, session):
        return "Hello."

    async def reply(self, turn):
        yield "Reception."
        if "bill" in turn.transcript:
            raise HandOver(self.to or self)

    async def on_end(self, reason):
        self.log.append(reason)


def said(heard):
    return [e.text for e in heard.history if isinstance(e, Message) and e.role == "agent"]


async def test_the_first_agent_answers_until_it_hands_over():
    billing = ScriptedAgent(lambda turn: ["Billing."])
    desk = Desk(Greeter(billing))
    heard = await play(
        (5.0, EndOfTurn(0, "hi")),
        (10.0, EndOfTurn(1, "my bill")),
        (15.0, EndOfTurn(2, "hi")),
        agent=desk,
    )
    assert said(heard) == ["Hello.", "Reception.", "Reception.\nBilling.", "Billing."]
    assert desk.current is billing


async def test_a_guess_that_was_wrong_hands_nothing_over():
    greeter = Greeter(ScriptedAgent(lambda turn: ["Billing."]))
    desk = Desk(greeter)
    heard = await play(
        (5.0, EagerEndOfTurn(0, "my bill")),
        (6.0, TurnResumed(0)),
        (7.0, EndOfTurn(0, "my room")),
        agent=desk,
    )
    assert said(heard) == ["Hello.", "Reception."]
    assert desk.current is greeter


async def test_the_successors_answer_is_ready_when_the_guess_was_right():
    desk = Desk(Greeter(ScriptedAgent(lambda turn: ["Billing."], thinking_s=0.5)))
    heard = await play(
        (5.0, EagerEndOfTurn(0, "my bill")), (6.0, EndOfTurn(0, "my bill")), agent=desk
    )
    assert said(heard) == ["Hello.", "Reception.\nBilling."]
    assert [span.start for span in heard.spans] == [0.0, 6.0]


async def test_those_who_pass_the_user_on_for_ever_are_stopped():
    heard = await play((5.0, EndOfTurn(0, "my bill")), agent=Desk(Greeter()))
    assert heard.outcomes == {0: "failed"}
    assert "handed over 4 times in one turn" in str(heard.tape)


async def test_without_a_desk_it_is_an_error_that_says_so():
    heard = await play((5.0, EndOfTurn(0, "my bill")), agent=Greeter())
    assert "HandOver: to Greeter, but there is no Desk to see to it" in str(heard.tape)


async def test_everybody_is_told_of_the_end_and_once():
    first, second = Greeter(), Greeter()
    first.to, second.to = second, first
    await play((5.0, EndOfTurn(0, "my bill")), agent=Desk(first))
    assert first.log == second.log == ["hung up"]


async def test_the_one_at_the_desk_is_asked_and_told():
    class Rude(ScriptedAgent):
        async def on_error(self, turn, error):
            return "Tough."

        async def on_idle(self, session):
            return "Well?"

    rude = Rude(lambda turn: ["Here is your bill, line by line by line.", RuntimeError("boom")])
    heard = await play(
        (5.0, EndOfTurn(0, "my bill")),
        (6.0, StartOfTurn(1)),
        (7.0, EndOfTurn(1, "hm")),
        agent=Desk(Greeter(rude)),
        settings=Settings.model_construct(idle_s=20.0),
        hang_up_at=40.0,
    )
    assert rude.interruptions
    assert said(heard)[-2:] == ["Tough.", "Well?"]


async def test_the_one_at_the_desk_learns_of_keys():
    class Keypad(Greeter):
        async def on_digit(self, session, digit):
            return f"You pressed {digit}."

    assert await Desk(Keypad()).on_digit(None, "7") == "You pressed 7."


# Agents with a model.


class Reception(ModelAgent):
    @tool(effect="pure")
    async def billing(self) -> Agent:
        """Put the user through to billing."""
        return Billing()


class Billing(ModelAgent):
    def offline(self, request):
        return [f"Billing here, for {request.transcript}."]


async def test_a_tool_that_returns_an_agent_hands_over_to_it():
    model = ScriptedModel(in_order(["I will put you through.", ToolCall("billing")]))
    desk = Desk(Reception(model))
    desk.prepare(Settings.model_construct())
    heard = await play(
        (1.0, EagerEndOfTurn(0, "my bill")),
        (3.0, EndOfTurn(0, "my bill")),
        (20.0, EndOfTurn(1, "thanks")),
        agent=desk,
    )
    assert said(heard) == [
        "I will put you through.\n\nBilling here, for my bill.",
        "Billing here, for thanks.",
    ]
    assert heard.history[1].result == '{"handed_over_to":"Billing"}'
    assert heard.first_sound_at == 3.0
