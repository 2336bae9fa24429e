"""The OpenAI wire: what is asked, byte for byte, and what is made of all kinds of answers."""

import json

import msgspec
import pytest

from turnkit.errors import ModelError
from turnkit.history import Message, ToolUse
from turnkit.llm import openai_wire
from turnkit.llm.base import Busy, Finish, Instructions, Text, ToolCall, ToolSpec
from turnkit.llm.openai_wire import RequestWriter, StreamReader, failure

TOLD = Instructions("Be brief.")
HELLO = Message("user", "hello")
LOOK_UP = ToolSpec("look_up", "Look it up.", {"type": "object", "properties": {}})


def write(messages, tools=(), **options):
    return json.loads(RequestWriter("m", options).write(messages, tools, with_usage=False))


def test_a_request_says_who_speaks_and_what_was_done():
    use = ToolUse("look_up", '{"a":1}', '"x"', key="k")
    asked = write([TOLD, HELLO, use, Message("agent", "hi")], temperature=0.3)
    call = {"id": "8254c329a", "type": "function"}
    assert asked == {
        "model": "m",
        "stream": True,
        "temperature": 0.3,
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "hello"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{**call, "function": {"name": "look_up", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "8254c329a", "content": '"x"'},
            {"role": "assistant", "content": "hi"},
        ],
    }


def test_tools_are_described_and_none_are_not_mentioned():
    assert write([HELLO], [LOOK_UP])["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "look_up",
                "description": "Look it up.",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    assert "tools" not in write([HELLO])


def test_usage_is_asked_for_if_it_may_be():
    body = RequestWriter("m", {}).write([HELLO], (), with_usage=True)
    assert json.loads(body)["stream_options"] == {"include_usage": True}


def test_what_was_written_for_one_turn_is_not_written_again_for_the_next(monkeypatch):
    written = []
    encode = openai_wire._wire_form
    monkeypatch.setattr(openai_wire, "_wire_form", lambda i: (written.append(i), encode(i))[1])
    writer, history = RequestWriter("m", {}), [TOLD]
    for turn in range(100):
        writer.write([*history, Message("user", f"{turn}")], (), with_usage=False)
        history += [Message("user", f"{turn}"), Message("agent", "yes")]
    assert len(written) == 1 + 100 + 99 * 2


def test_a_conversation_that_lost_its_beginning_is_written_as_it_is_now():
    writer = RequestWriter("m", {})
    first, second = Message("user", "one"), Message("user", "two")
    writer.write([TOLD, first, second], (), with_usage=False)
    asked = json.loads(writer.write([TOLD, second], [LOOK_UP], with_usage=False))
    assert [m["content"] for m in asked["messages"]] == ["Be brief.", "two"]


# Answers.


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more}


def calls(*parts):
    return chunk({"tool_calls": list(parts)})


def sse(*events):
    lines = [e if isinstance(e, str) else f"data: {json.dumps(e)}" for e in events]
    return "".join(f"{line}\n\n" for line in lines).encode()


def read(*events, done=True):
    reader = StreamReader()
    found = reader.feed(sse(*events, *(["data: [DONE]"] if done else [])))
    return [*found, *reader.finish()]


STOP = chunk(finish="stop")


def test_an_answer_is_its_words_and_its_cost():
    usage = {"prompt_tokens": 42, "completion_tokens": 2, "total_tokens": 44}
    said = read(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "Hello"}),
        chunk({"content": " there."}),
        STOP,
        {"choices": [], "usage": usage},
    )
    assert said == [Text("Hello"), Text(" there."), Finish("stop", 42, 2)]


def test_the_bytes_may_come_cut_anywhere():
    data = sse(chunk({"content": "Grüße\u2028, 東京"}), STOP, "data: [DONE]").replace(
        b"\n", b"\r\n"
    )
    reader = StreamReader()
    found = [delta for byte in data for delta in reader.feed(bytes([byte]))]
    assert [*found, *reader.finish()] == [Text("Grüße\u2028, 東京"), Finish()]


def test_raw_line_separators_inside_a_string_end_no_line():
    data = 'data: {"choices":[{"delta":{"content":"a\u2028b\u0085c"}}]}\n\n'.encode()
    assert StreamReader().feed(data) == [Text("a\u2028b\u0085c")]


CALL = {"index": 0, "id": "c1", "type": "function"}
WHOLE = ToolCall("look_up", '{"a":1}')


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (  # as OpenAI does it
            [
                {**CALL, "function": {"name": "look_up", "arguments": ""}},
                {"index": 0, "function": {"arguments": '{"a"'}},
                {"index": 0, "function": {"arguments": ":1}"}},
            ],
            [WHOLE],
        ),
        ([{**CALL, "function": {"name": "look_up", "arguments": '{"a":1}'}}], [WHOLE]),
        ([{"id": "c1", "function": {"name": "look_up", "arguments": '{"a":1}'}}], [WHOLE]),
        (
            [{"function": {"name": "look_up", "arguments": {"a": 1}}}],
            [ToolCall("look_up", '{"a": 1}')],
        ),
        ([{**CALL, "function": {"name": "look_up"}}], [ToolCall("look_up", "{}")]),
        (
            [{**CALL, "function": {"name": "look_up", "arguments": None}}],
            [ToolCall("look_up", "{}")],
        ),
        (  # everything repeated in each piece
            [
                {**CALL, "function": {"name": "look_up", "arguments": '{"a"'}},
                {**CALL, "function": {"name": "look_up", "arguments": ":1}"}},
            ],
            [WHOLE],
        ),
        (  # two at a time, interleaved
            [
                {**CALL, "function": {"name": "look_up", "arguments": '{"a":'}},
                {"index": 1, "id": "c2", "function": {"name": "b", "arguments": "{"}},
                {"index": 0, "function": {"arguments": "1}"}},
                {"index": 1, "function": {"arguments": "}"}},
            ],
            [WHOLE, ToolCall("b", "{}")],
        ),
        (  # two under one index, told apart by their names for them
            [
                {**CALL, "function": {"name": "look_up", "arguments": '{"a":1}'}},
                {**CALL, "id": "c2", "function": {"name": "b", "arguments": "{}"}},
            ],
            [WHOLE, ToolCall("b", "{}")],
        ),
        (
            [{**CALL, "function": {"name": "b", "arguments": '{"broken'}}],
            [ToolCall("b", '{"broken')],
        ),
    ],
)
@pytest.mark.parametrize("finish", ["tool_calls", "stop", None])
def test_tool_calls_are_put_together_however_they_come(parts, expected, finish):
    said = read(*(calls(part) for part in parts), chunk(finish=finish))
    assert [delta for delta in said if isinstance(delta, ToolCall)] == expected
    assert said[-1] == Finish("tools")
    assert said.count(Busy()) == len(parts)


def test_words_and_tools_may_come_in_one_answer():
    said = read(
        chunk({"content": "Let me see."}),
        calls({**CALL, "function": {"name": "look_up"}}),
        chunk(finish="tool_calls"),
    )
    assert said == [Text("Let me see."), Busy(), ToolCall("look_up"), Finish("tools")]


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_thoughts_are_signs_of_life_and_not_words(field):
    said = read(chunk({field: "The user wants"}), chunk({field: "", "content": "Yes."}), STOP)
    assert said == [Busy(), Text("Yes."), Finish()]


def test_thoughts_among_the_parts_of_the_content_are_not_words_either():
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]
    said = read(
        chunk({"content": parts}), chunk({"content": [{"type": "text", "text": "Yes."}]}), STOP
    )
    assert said == [Busy(), Text("Yes."), Finish()]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_thoughts_between_tags_are_not_words_however_they_are_cut(size):
    text = "\n<think>The user\nwants <b>.</think>\n\nYes <think>.</think>"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    said = read(*(chunk({"content": piece}) for piece in pieces), STOP)
    words = "".join(delta.text for delta in said if isinstance(delta, Text))
    assert words.strip() == "Yes <think>.</think>"
    assert Busy() in said or size == 100


@pytest.mark.parametrize(("text", "words"), [("<thin", "<thin"), ("<think>hm", ""), (" ", " ")])
def test_what_looked_like_a_thought_is_said_in_the_end_if_it_is_none(text, words):
    said = read(chunk({"content": text}), STOP)
    assert "".join(delta.text for delta in said if isinstance(delta, Text)) == words


def test_comments_and_unknown_fields_and_a_refusal_are_taken_as_they_are_meant():
    said = read(
        ": OPENROUTER PROCESSING",
        "event: whatever\nretry: 3",
        chunk({"refusal": "I cannot.", "novel": [1]}, obfuscation="xxxx", usage=None),
        {"choices": None},
        chunk(finish="content_filter"),
    )
    assert said == [Text("I cannot."), Finish("filter")]


def test_an_event_may_have_several_lines():
    event = json.dumps(chunk({"content": "Yes."}), indent=1)
    data = "".join(f"data:{line}\n" for line in event.splitlines()) + "\n"
    assert StreamReader().feed(data.encode()) == [Text("Yes.")]


def test_an_answer_may_end_without_the_last_blank_line_and_without_done():
    reader = StreamReader()
    found = reader.feed(sse(chunk({"content": "Yes."})) + sse(STOP).rstrip())
    assert [*found, *reader.finish()] == [Text("Yes."), Finish()]


def test_done_is_an_end_although_no_reason_is_given():
    assert read(chunk({"content": "Yes."})) == [Text("Yes."), Finish()]


@pytest.mark.parametrize("events", [(), (chunk({"content": "I was"}),), ("<html>no</html>",)])
def test_an_answer_that_just_stops_is_no_answer(events):
    with pytest.raises(ModelError, match="ended early") as caught:
        read(*events, done=False)
    assert caught.value.fault == "lost"


def test_one_garbled_event_is_passed_over_and_two_in_a_row_are_not():
    said = read("data: {nonsense", chunk({"content": "Yes."}), "data: [1]", STOP)
    assert said == [Text("Yes."), Finish()]
    with pytest.raises(ModelError, match="cannot be read") as caught:
        read("data: {nonsense", b"data: \xff".decode("latin1"))
    assert caught.value.fault == "nonsense"


def test_an_event_without_an_end_is_not_collected_for_ever():
    reader = StreamReader()
    for _ in range(10):
        reader.feed(b"x" * 100_000)
    with pytest.raises(ModelError, match="1048576 bytes"):
        reader.feed(b"x" * 100_000)


# Errors.


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        ({"message": "secret words", "type": "server_error"}, "lost"),
        ({"code": 502, "message": "upstream"}, "lost"),
        ({"code": "rate_limit_exceeded"}, "busy"),
        ({"code": 429}, "busy"),
        ({"type": "invalid_request_error", "code": "context_length_exceeded"}, "refused"),
        ("secret words", "lost"),
    ],
)
def test_an_error_in_mid_answer_says_whose_fault_it_is_and_quotes_nobody(error, fault):
    with pytest.raises(ModelError) as caught:
        read(chunk({"content": "I was"}), {"error": error})
    assert caught.value.fault == fault
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "fault"),
    [
        (400, {"type": "invalid_request_error", "param": "messages"}, "refused"),
        (401, {"code": "invalid_api_key"}, "refused"),
        (403, None, "refused"),
        (404, {"code": "model_not_found"}, "refused"),
        (408, None, "lost"),
        (409, None, "lost"),
        (422, "text", "refused"),
        (429, {"code": "rate_limit_exceeded"}, "busy"),
        (429, {"type": "insufficient_quota"}, "refused"),
        (500, None, "lost"),
        (503, {"message": "overloaded"}, "lost"),
    ],
)
def test_a_refused_request_says_whose_fault_it_is(status, error, fault):
    assert failure(status, msgspec.json.encode(error)).fault == fault


def test_what_is_known_of_an_error_is_in_its_message():
    error = {"message": "secret", "type": "invalid_request_error", "param": "messages[3].content"}
    raised = failure(400, msgspec.json.encode(error), retry_after_s=2.0, request="req_1")
    assert str(raised) == (
        "the model's server answered HTTP 400 (invalid_request_error, messages[3].content) "
        "[request req_1]"
    )
    assert raised.retry_after_s == 2.0


def test_an_address_that_is_not_there_is_explained():
    assert "OPENAI_BASE_URL" in str(failure(404, b"<html>"))


def test_brackets_without_end_are_no_answer_and_no_crash():
    deep = b"[" * 100_000
    assert failure(500, deep).fault == "lost"
    reader = StreamReader()
    with pytest.raises(ModelError, match="cannot be read"):
        reader.feed(b'data: {"error":' + deep + b"\n\ndata: " + deep + b"\n\n")
