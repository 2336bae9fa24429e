"""What a reply's words cost, from the request for them to the voice."""

# fixtures and names say it

import pytest

from turnkit.history import Message
from turnkit.llm.base import Instructions
from turnkit.llm.openai_wire import RequestWriter, StreamReader
from turnkit.tts.clauses import ClauseCutter

_SAID = "I would like to book a table for four, tonight at eight, if you have one by the window."
_ANSWER = "I can do that for you. Is there anything else, such as a chair for a child?"
_TOKENS = [f"{word} " for word in _ANSWER.split()]


@pytest.mark.parametrize("turn", [2, 100])
def test_request_writer(benchmark, turn):
    """Write a turn's request, all but its last words being known from the turn before."""
    told = Instructions("You take bookings for a restaurant, by telephone. Be brief.")
    said = [Message("user", _SAID), Message("agent", _ANSWER)]
    before = [told, *(Message(m.role, m.text) for _ in range(turn - 1) for m in said)]

    def ready():
        writer = RequestWriter("gpt-4o-mini", {})
        writer.write(before, (), with_usage=True)
        return (writer, [*before, Message("user", _SAID)]), {}

    benchmark.pedantic(
        lambda writer, messages: writer.write(messages, (), with_usage=True),
        setup=ready,
        rounds=1500,
    )


def test_token_read(benchmark):
    """Read one token of a streamed answer."""
    reader = StreamReader()
    piece = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"table "}}]}\n\n'
    benchmark(lambda: list(reader.feed(piece)))


def test_clause_cut(benchmark):
    """Cut an answer as its tokens come: an even share for each."""

    def cut():
        cutter = ClauseCutter()
        return [clause for token in _TOKENS for clause in cutter.feed(token)]

    benchmark.extra_info["divide_by"] = len(_TOKENS)
    assert benchmark(cut)
