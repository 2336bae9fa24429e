"""The real SDK against a server that speaks the real wire: answers, cancellation, errors.

On virtual time over loopback: what is closed at once is closed at the very same instant.
"""

import sys
from contextlib import aclosing

import anyio
import pytest
from pydantic import SecretStr

from turnkit import plug
from turnkit.config import Settings
from turnkit.errors import ConfigError, ModelError
from turnkit.history import Message
from turnkit.llm.base import Finish, Text, ToolCall, ToolSpec
from turnkit.llm.openai import OpenAIModel, create
from turnkit.llm.scripted import Cut, Pause
from turnkit.model_agent import ModelAgent
from turnkit.testing import play
from turnkit.testing.model_server import DONE, chunk, spoken
from turnkit.turn.commands import CancelReply
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = [pytest.mark.anyio, pytest.mark.network, pytest.mark.loopback]

ASKED = (Message("user", "hello"),)
HELLO = spoken("Hello ", "there.")
ENDLESS = spoken(*["and "] * 1000, token_s=0.01)


@pytest.fixture
def model(server):
    return OpenAIModel("m", api_key="canary", base_url=server.url)


async def ask(model, *tools):
    return [delta async for delta in model.stream(ASKED, tools)]


async def cancel_one(model, server, after):
    """Ask, hang up after so many words, or before any; return how much later the server sees it."""
    asked, closed = len(server.asked), len(server.closed_at)
    async with anyio.create_task_group() as tasks:

        async def listen():
            async with aclosing(model.stream(ASKED)) as deltas:
                for _ in range(after or 1):
                    await anext(deltas)
                tasks.cancel_scope.cancel()

        tasks.start_soon(listen)
        if not after:
            await until(lambda: len(server.asked) > asked)
            tasks.cancel_scope.cancel()
    cancelled_at = anyio.current_time()
    await until(lambda: len(server.closed_at) > closed)
    return server.closed_at[-1] - cancelled_at


async def until(holds):
    with anyio.fail_after(5):
        while not holds():  # noqa: ASYNC110  # it is for the server to say, and it has no event
            await anyio.sleep(0.001)


# Answers.


async def test_an_answer_comes_as_it_is_said_with_its_cost(model, server):
    assert await ask(model) == [Text("Hello "), Text("there."), Finish("stop", 42, 2)]
    assert server.asked[0].key == "Bearer canary"
    assert server.asked[0].body == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "hello"}],
    }


async def test_tool_calls_come_whole(model, server):
    call = {"index": 0, "id": "c1", "type": "function"}
    server.answer = [
        chunk({"tool_calls": [{**call, "function": {"name": "look", "arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
        chunk(finish="tool_calls"),
        DONE,
    ]
    *_, wanted, end = await ask(model, ToolSpec("look", "Look.", {"type": "object"}))
    assert (wanted, end) == (ToolCall("look", '{"a":1}'), Finish("tools"))
    assert server.asked[0].body["tools"][0]["function"]["name"] == "look"


async def test_all_calls_of_a_process_share_their_connections(server):
    for _ in range(3):
        model = OpenAIModel("m", api_key="canary", base_url=server.url)
        await ask(model)
        await ask(model)
    assert server.connections == 1


async def test_a_server_that_does_not_know_usage_is_asked_without(model, server):
    server.status = 400
    server.answer = ['{"error": {"message": "unknown field stream_options"}}']
    with pytest.raises(ModelError, match="HTTP 400"):
        await ask(model)
    server.status, server.answer = 200, HELLO
    await ask(model)
    assert ["stream_options" in asked.body for asked in server.asked] == [True, False, False]


async def test_an_answer_that_is_complete_is_not_waited_for(model, server):
    server.answer = [chunk({"content": "Hello."}), chunk(finish="stop"), Pause(60)]
    with anyio.fail_after(2):
        assert await ask(model) == [Text("Hello."), Finish()]
    await until(lambda: server.closed_at)


# Cancellation, seen from the server's side.


@pytest.mark.parametrize("after", [0, 1, 3])
async def test_a_cancelled_answer_is_closed_at_once(either, after):
    either.answer = ENDLESS
    either.before_headers_s = 0.0 if after else 60.0
    model = OpenAIModel("m", base_url=either.url)
    assert [await cancel_one(model, either, after) for _ in range(3)] == [0, 0, 0]


async def test_ten_cancelled_drafts_cost_ten_connections_over_http_1(server):
    server.answer = ENDLESS
    model = OpenAIModel("m", base_url=server.url)
    for _ in range(10):
        await cancel_one(model, server, after=1)
    assert server.connections == 10


async def test_any_number_of_cancelled_drafts_cost_one_connection_over_http_2(server2):
    server2.answer = ENDLESS
    model = OpenAIModel("m", base_url=server2.url)
    for _ in range(150):  # more than may be open at a time
        await cancel_one(model, server2, after=1)
    server2.answer = HELLO
    assert (await ask(model))[-1] == Finish("stop", 42, 2)
    assert server2.connections == 1


async def test_answers_over_one_connection_do_not_disturb_each_other(server2):
    server2.answer = spoken("Hello ", "there.", token_s=0.05)
    model = OpenAIModel("m", base_url=server2.url)
    await ask(model)
    said = []
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask_into, said, model)
            tasks.start_soon(cancel_one, model, server2, 1)
    assert said == [[Text("Hello "), Text("there."), Finish("stop", 42, 2)]] * 20
    assert server2.connections == 1


async def ask_into(said, model):
    said.append(await ask(model))


async def test_a_resumed_turn_closes_the_drafts_stream_at_once(either):
    either.answer = ENDLESS
    now = anyio.current_time()
    heard = await play(
        (now + 0.1, StartOfTurn(0)),
        (now + 0.2, EagerEndOfTurn(0, "book")),
        (now + 0.7, TurnResumed(0)),
        agent=ModelAgent(OpenAIModel("m", base_url=either.url)),
        hang_up_at=now + 1.0,
    )
    [(resumed_at, _)] = heard.items(CancelReply)
    assert len(either.asked) == 1
    assert either.closed_at == [resumed_at]


async def test_a_conversation_goes_through_a_real_model(server):
    now = anyio.current_time()
    heard = await play(
        (now + 0.1, EagerEndOfTurn(0, "hi")),
        (now + 0.3, EndOfTurn(0, "hi")),
        agent=ModelAgent(OpenAIModel("m", base_url=server.url)),
        hang_up_at=now + 2.0,
    )
    assert heard.history == (Message("user", "hi"), Message("agent", "Hello there."))


async def test_a_model_that_stalls_is_given_up_and_hung_up_on(server):
    server.answer = [chunk({"content": "I was"}), Pause(60)]
    agent = ModelAgent(OpenAIModel("m", base_url=server.url))
    settings = Settings.model_construct(token_stall_s=0.1)
    now = anyio.current_time()
    heard = await play(
        (now, EndOfTurn(0, "hi")), agent=agent, settings=settings, hang_up_at=now + 2.0
    )
    assert "was silent for 0.1 s" in str(heard.tape)
    await until(lambda: server.closed_at)


# Errors.


@pytest.mark.parametrize(
    ("status", "error", "fault"),
    [
        (401, '{"error": {"message": "wrong key canary", "code": "invalid_api_key"}}', "refused"),
        (404, "<html>nothing here</html>", "refused"),
        (429, '{"error": {"code": "rate_limit_exceeded"}}', "busy"),
        (429, '{"error": {"type": "insufficient_quota"}}', "refused"),
        (500, "oops", "lost"),
        (503, "", "lost"),
    ],
)
async def test_a_refusal_is_one_kind_of_error_that_says_whose_fault_it_is(
    model, server, status, error, fault
):
    server.status, server.answer = status, [error]
    server.headers = {"content-type": "application/json", "retry-after": "7"}
    with pytest.raises(ModelError, match=f"HTTP {status}") as caught:
        await ask(model)
    assert caught.value.fault == fault
    assert caught.value.retry_after_s == 7.0
    assert "canary" not in repr(caught.value) + repr(caught.value.__cause__)
    assert len(server.asked) == 1


async def test_a_page_in_place_of_an_answer_is_an_error(model, server):
    server.headers, server.answer = {"content-type": "text/html; charset=utf-8"}, ["<html>"]
    with pytest.raises(ModelError, match=r"answered with text/html instead of a stream") as caught:
        await ask(model)
    assert caught.value.fault == "nonsense"


async def test_an_answer_that_is_compressed_unasked_is_an_error(model, server):
    server.headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    with pytest.raises(ModelError, match="compressed its answer unasked: gzip") as caught:
        await ask(model)
    assert caught.value.fault == "nonsense"


@pytest.mark.parametrize(
    "answer", [[Cut()], [chunk({"content": "I was"}), Cut()], [": hm\n\n"], ["data: {}\n\n"]]
)
async def test_a_connection_that_breaks_is_an_error(model, server, answer):
    server.answer = answer
    with pytest.raises(ModelError) as caught:
        await ask(model)
    assert caught.value.fault == "lost"


async def test_an_error_in_mid_answer_is_an_error(model, server):
    server.answer = [chunk({"content": "I was"}), {"error": {"message": "overloaded", "code": 503}}]
    with pytest.raises(ModelError, match="HTTP 503"):
        await ask(model)


async def test_a_server_that_is_not_there_is_an_error(clients):
    with pytest.raises(ModelError, match="cannot be reached: ") as caught:
        await ask(OpenAIModel("m", base_url="http://127.0.0.1:1/v1"))
    assert caught.value.fault == "lost"


# Where it comes from.


async def test_the_settings_say_which_model_and_where(server):
    settings = Settings.model_construct(
        llm="openai:llama3.1:8b",
        openai_base_url=server.url,
        openai_api_key=SecretStr("canary"),
    )
    await ask(plug.open_model(settings))
    await ask(create(None, settings.model_copy(update={"openai_model": "other"})))
    assert [asked.body["model"] for asked in server.asked] == ["llama3.1:8b", "other"]
    assert {asked.key for asked in server.asked} == {"Bearer canary"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "llm openai needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL"),
        ({"openai_base_url": "localhost:11434/v1"}, "must begin with http:// or https://, not"),
        (
            {"openai_api_key": SecretStr("can\nary")},
            "OPENAI_API_KEY contains characters that no key",
        ),
        (
            {"openai_api_key": SecretStr("canary\u2026")},
            "OPENAI_API_KEY contains characters that no key",
        ),
    ],
)
async def test_settings_that_cannot_work_are_errors(given, message):
    with pytest.raises(ConfigError, match=message) as caught:
        create(None, Settings.model_construct(**given))
    assert "ary" not in str(caught.value)


async def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(ConfigError, match=r"pip install 'turnkit\[openai\]'"):
        create(None, Settings.model_construct(openai_api_key=SecretStr("canary")))
