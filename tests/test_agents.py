"""Every example is played, as its readers will."""

import json
from pathlib import Path

import anyio
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from turnkit.agent import Turn
from turnkit.history import Message
from turnkit.loader import load_agent
from turnkit.testing import breaches, play
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
    return [entry.text for entry in heard.history if entry.role == "agent"]


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


# A model server that speaks the real wire.


class Model:
    """Streams "Hello there." word by word, and knows what it was asked and who hung up."""

    def __init__(self):
        self.requests = []
        self.closed = anyio.Event()

    async def complete(self, request: Request):
        self.requests.append(await request.json())
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self):
        try:
            for word in ("", "Hello ", "there.", None):
                delta = {} if word is None else {"content": word}
                yield self._chunk([{"index": 0, "delta": delta, "finish_reason": None}])
                await anyio.sleep(0.05)
            yield self._chunk([])  # the chunk with the usage has no choices
            yield b"data: [DONE]\n\n"
        finally:
            self.closed.set()

    def _chunk(self, choices):
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        return b"data: " + json.dumps({**chunk, "choices": choices}).encode() + b"\n\n"


@pytest.fixture
async def model(monkeypatch):
    model = Model()
    app = Starlette(routes=[Route("/v1/chat/completions", model.complete, methods=["POST"])])
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{socket.getsockname()[1]}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [socket])
        yield model
        server.should_exit = True


@pytest.mark.network
async def test_chat_streams_what_a_model_says_and_tells_it_what_was_heard(model):
    pytest.importorskip("openai")
    agent = load_agent("chat")()
    history = (Message("user", "hi"), Message("agent", "Good day."))
    said = [piece async for piece in agent.reply(Turn(1, "who is there?", history))]
    await agent.on_end("done")
    assert "".join(said) == "Hello there."
    assert [m["content"] for m in model.requests[0]["messages"]][1:] == [
        "hi",
        "Good day.",
        "who is there?",
    ]


@pytest.mark.network
async def test_a_cancelled_draft_closes_the_models_stream(model):
    pytest.importorskip("openai")
    agent = load_agent("chat")()
    reply = agent.reply(Turn(0, "hello"))
    assert await anext(reply) == ""
    await reply.aclose()
    with anyio.fail_after(5):
        await model.closed.wait()
    await agent.on_end("done")
