"""Every example is played, as its readers will."""

import os
from pathlib import Path

import anyio
import pytest

from turnkit.agent import Turn
from turnkit.config import Settings
from turnkit.history import Message
from turnkit.llm import openai
from turnkit.loader import load_agent
from turnkit.testing import breaches, play
from turnkit.testing.model_server import ModelServer, spoken
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio

AGENTS = sorted((Path(__file__).resolve().parents[1] / "agents").glob("*.py"))


@pytest.mark.parametrize("path", AGENTS, ids=lambda path: path.stem)
def test_an_example_is_one_idea_on_one_page(path):
    assert len(path.read_text().splitlines()) <= 60
    assert load_agent(path.stem).__doc__


async def test_echo_says_it_back():
    heard = await play((1.0, EndOfTurn(0, "hello")), agent=load_agent("echo")())
    assert heard.history == (Message("user", "hello"), Message("agent", "You said: hello"))


def said_by_the_agent(heard):
    said = [entry for entry in heard.history if isinstance(entry, Message)]
    return [message.text for message in said if message.role == "agent"]


async def test_the_front_desk_asks_for_what_is_missing_and_books():
    heard = await play(
        (8.0, EndOfTurn(0, "I'd like to book a table")),
        (16.0, EndOfTurn(1, "For four people.")),
        (24.0, EndOfTurn(2, "Tonight")),
        agent=load_agent("front_desk")(),
    )
    assert said_by_the_agent(heard)[1:] == [
        "Gladly. For how many people?",
        "A table for four. For which day?",
        "A table for four, tonight, is booked. We look forward to seeing you.",
    ]
    assert breaches(heard) == []


async def test_the_front_desk_remembers_nothing_of_a_guess():
    heard = await play(
        (8.0, StartOfTurn(0)),
        (9.0, EagerEndOfTurn(0, "for four people")),
        (9.5, TurnResumed(0, "for four people, no, five")),
        (11.0, EndOfTurn(0, "for four people, no, five")),
        (18.0, EndOfTurn(1, "on Friday")),
        agent=load_agent("front_desk")(),
    )
    assert said_by_the_agent(heard)[-1].startswith("A table for five, friday,")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("what are your opening hours", "We are open every day"),
        ("a table for two", "A table for two."),
        ("far far", "A table for four."),
        ("a table for tonight", "Gladly. For how many"),
        ("thank you", "Thank you for calling."),
    ],
)
async def test_the_front_desk_understands_what_a_recognizer_makes_of_it(words, answer):
    heard = await play((8.0, EndOfTurn(0, words)), agent=load_agent("front_desk")())
    assert said_by_the_agent(heard)[-1].startswith(answer)


# Agents with a model, or rules in its place.


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("TURNKIT_")]:
        monkeypatch.delenv(variable)


def played(name):
    agent = load_agent(name)()
    agent.prepare(Settings.model_construct())
    return agent


async def test_chat_needs_no_model_to_be_tried():
    heard = await play((1.0, EndOfTurn(0, "hello")), agent=played("chat"))
    assert said_by_the_agent(heard)[0].startswith("You said: hello.")


TABLE = (
    (1.0, StartOfTurn(0)),
    (2.0, EndOfTurn(0, "I'd like to book a table")),
    (8.0, StartOfTurn(1)),
    (9.0, EagerEndOfTurn(1, "for four people tonight")),
    (10.0, EndOfTurn(1, "for four people tonight")),
)


async def test_bookings_looks_while_the_user_may_still_speak_and_books_when_they_are_done():
    agent = played("bookings")
    heard = await play(*TABLE, agent=agent)
    assert said_by_the_agent(heard) == [
        "Gladly. For how many people?",
        "One moment, I am writing it down.\nYour table for four, tonight, is booked. Goodbye!",
    ]
    assert list(agent.booked.values()) == [("in the corner", "tonight")]
    assert [span.start for span in heard.spans][1] == 10.0
    assert breaches(heard) == []


async def test_bookings_books_nothing_on_a_guess():
    agent = played("bookings")
    script = (*TABLE[:-1], (9.9, TurnResumed(1)), (12.0, EndOfTurn(1, "for four, no, for eight")))
    heard = await play(*script, agent=agent)
    assert agent.booked == {}
    assert said_by_the_agent(heard)[-1] == "Gladly. For which day?"


async def test_bookings_says_when_there_is_no_table():
    agent = played("bookings")
    heard = await play((1.0, EndOfTurn(0, "eight people tomorrow")), agent=agent)
    assert said_by_the_agent(heard) == ["I am sorry, we have no table left for so many."]


async def test_bookings_takes_back_what_was_cut_short():
    agent = played("bookings")
    key = "k"
    assert await agent.book("in the corner", "friday", key=key) == "booked"
    await agent.cancel(key=key)
    assert await agent.free_tables("friday", 4) == ["in the corner", "under the tree"]


async def test_reception_puts_the_caller_through_to_the_kitchen_and_the_kitchen_goes_on():
    agent = played("reception")
    heard = await play(
        (1.0, EndOfTurn(0, "when is breakfast over")),
        (10.0, EndOfTurn(1, "I am hungry now")),
        (25.0, EndOfTurn(2, "an omelette please")),
        agent=agent,
    )
    _, through, served = said_by_the_agent(heard)
    assert through.startswith("I will put you through to the kitchen.\n\nThis is the kitchen.")
    assert served == "One omelette.\nIt will be with you in twenty minutes."


@pytest.fixture
async def server(monkeypatch, offline):
    """A model server that speaks the real wire, which is where the environment says it is."""
    pytest.importorskip("openai")
    server = ModelServer()
    async with server.serving() as url:
        monkeypatch.setenv("TURNKIT_LLM", "openai")
        monkeypatch.setenv("OPENAI_BASE_URL", url)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        yield server
        await openai.close()


@pytest.mark.network
@pytest.mark.loopback
async def test_chat_streams_what_a_model_says_and_tells_it_what_was_heard(server):
    history = (Message("user", "hi"), Message("agent", "Good day."))
    reply = load_agent("chat")().reply(Turn(1, "who is there?", history))
    assert [piece async for piece in reply] == ["Hello ", "there."]
    assert [m["content"] for m in server.asked[0].body["messages"]][1:] == [
        "hi",
        "Good day.",
        "who is there?",
    ]


@pytest.mark.network
@pytest.mark.loopback
async def test_a_cancelled_draft_closes_the_models_stream(server):
    server.answer = spoken("and ", "so ", "on", token_s=10.0)
    reply = load_agent("chat")().reply(Turn(0, "hello"))
    assert await anext(reply) == "and "
    await reply.aclose()
    await anyio.sleep(0.1)
    assert len(server.closed_at) == 1
