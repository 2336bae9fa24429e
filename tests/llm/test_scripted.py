"""The scripted model: exact in words and in time."""

import anyio
import pytest

from turnkit import plug
from turnkit.config import Settings
from turnkit.errors import ModelError
from turnkit.history import Message, ToolUse
from turnkit.llm.base import Finish, Instructions, Text, ToolCall
from turnkit.llm.scripted import Cut, Pause, Request, ScriptedModel, in_order

pytestmark = pytest.mark.anyio

HELLO = Message("user", "hello")


async def timed(model, *messages):
    return [(round(anyio.current_time(), 9), d) async for d in model.stream(messages or (HELLO,))]


async def test_words_come_token_by_token_after_the_first():
    assert await timed(ScriptedModel(lambda _: ["Good day. ", "Yes?"])) == [
        (0.15, Text("Good")),
        (0.16, Text(" day.")),
        (0.17, Text(" ")),
        (0.18, Text("Yes?")),
        (0.18, Finish(completion_tokens=4)),
    ]


async def test_a_tool_call_is_a_token_too_and_the_times_are_as_given():
    model = ScriptedModel(lambda _: ["Hm", ToolCall("a")], first_token_s=1.0, token_s=0.5)
    assert await timed(model) == [
        (1.0, Text("Hm")),
        (1.5, ToolCall("a")),
        (1.5, Finish("tools", completion_tokens=2)),
    ]


async def test_it_can_pause_and_end_early():
    model = ScriptedModel(lambda _: ["I", Pause(2), "was", Cut(), "not this"])
    assert [at for at, _ in await timed(model)] == [0.15, 2.16]


async def test_it_can_stall_for_ever():
    with anyio.move_on_after(1000) as scope:
        await timed(ScriptedModel(lambda _: [Pause()]))
    assert scope.cancelled_caught


async def test_it_can_fail_and_answer_with_nothing():
    with pytest.raises(ModelError, match="boom"):
        await timed(ScriptedModel(lambda _: [ModelError("boom")]))
    assert await timed(ScriptedModel(lambda _: [])) == [(0.3, Finish(completion_tokens=0))]


async def test_answers_in_order_end_with_the_last_for_ever():
    model = ScriptedModel(in_order(["one"], ["two"]))
    said = [[d.text for _, d in await timed(model) if isinstance(d, Text)] for _ in range(3)]
    assert said == [["one"], ["two"], ["two"]]


async def test_it_remembers_what_it_was_asked_and_not_for_ever():
    model = ScriptedModel(lambda _: [])
    for n in range(150):
        await timed(model, Message("user", f"{n}"))
    assert [request.transcript for request in model.requests] == [f"{n}" for n in range(50, 150)]


def test_a_request_tells_what_the_user_said_last_and_what_was_done_since():
    old, new = (ToolUse("a", "{}", result, key=result) for result in "12")
    told = Instructions("Be brief.")
    request = Request((told, HELLO, old, Message("user", "bye"), Message("agent", "I"), new))
    assert (request.transcript, request.uses) == ("bye", (new,))
    assert (Request((told,)).transcript, Request((told,)).uses) == ("", ())


@pytest.mark.parametrize(
    ("llm", "words"),
    [
        ("scripted", "You said: hello. I have no model to think with yet."),
        ("scripted:Good day.", "Good day."),
    ],
)
async def test_it_is_the_default_of_the_settings(llm, words):
    assert Settings.model_construct().llm == "scripted"
    model = plug.open_model(Settings.model_construct(llm=llm))
    assert "".join(d.text for _, d in await timed(model) if isinstance(d, Text)) == words
