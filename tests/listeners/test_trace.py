"""A conversation written down is the conversation."""

import json

import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.ledger import Ledger
from turnkit.listeners.trace import Trace, read
from turnkit.loader import load_agent
from turnkit.session import converse
from turnkit.testing import play
from turnkit.testing.fakes import MemoryTransport
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn

pytestmark = pytest.mark.anyio


async def test_what_is_read_is_what_happened(tmp_path):
    heard = await play(
        (0.0, StartOfTurn(0)), (1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a"))
    )
    trace = Trace(tmp_path / "call.jsonl")
    for at, item in heard.tape:
        trace.note(at, item)
    trace.close()
    again = list(read(tmp_path / "call.jsonl"))
    assert again == [(round(at, 6), item) for at, item in heard.tape]


async def test_the_ledger_of_a_trace_is_that_of_the_call(tmp_path):
    heard = await play((1.0, EagerEndOfTurn(0, "a")), (2.0, EndOfTurn(0, "a")), llm_s=0.3)
    trace, live, read_again = Trace(tmp_path / "call.jsonl"), Ledger(), Ledger()
    for at, item in heard.tape:
        trace.note(at, item)
        live.note(at, item)
    trace.close()
    for at, item in read(tmp_path / "call.jsonl"):
        read_again.note(at, item)
    assert read_again.turns == live.turns
    assert read_again.totals == live.totals


async def test_a_call_is_written_down_where_the_settings_say(tmp_path):
    settings = Settings.model_construct(trace=tmp_path / "traces", voice="formant")
    transport = MemoryTransport()
    transport.hang_up()
    await converse(load_agent("echo")(), transport, settings)
    transport.close()
    (path,) = (tmp_path / "traces").iterdir()
    assert json.loads(path.read_text().splitlines()[-1])["item"]["name"] == "CallEnded"
    assert path.stat().st_mode & 0o077 == 0


def test_a_last_line_cut_off_by_a_crash_is_the_end(tmp_path):
    path = tmp_path / "call.jsonl"
    path.write_text('{"turnkit":"trace","version":1}\n{"at":1,"item":{"name":"Upd')
    assert list(read(path)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [("hello", "is no trace"), ('{"turnkit":"trace","version":9}', "version 9; this reads 1")],
)
def test_what_is_no_trace_is_refused(tmp_path, text, message):
    path = tmp_path / "call.jsonl"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        list(read(path))


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        Trace(tmp_path / "file" / "call.jsonl")
