"""A short word of the user's while the agent speaks: known to all who watch, and no more."""

import pytest

from turnkit.ledger import Ledger
from turnkit.listeners import trace
from turnkit.listeners.base import UserAcknowledged
from turnkit.testing import play
from turnkit.testing.fakes import ScriptedSource
from turnkit.transports.overheard import overheard
from turnkit.turn.commands import CancelReply, PauseReply
from turnkit.turn.events import EndOfTurn

pytestmark = pytest.mark.anyio

YES = UserAcknowledged("mm-hm", 0.3)


async def test_the_agent_goes_on_and_everybody_knows():
    heard = await play((1.0, EndOfTurn(0, "hi")), (1.5, YES), hang_up_at=9.0)
    assert len(heard.spans) == 1
    assert heard.spans[0].end > 1.5
    assert heard.outcomes == {0: "answered"}
    assert heard.items(UserAcknowledged, CancelReply, PauseReply) == [(1.5, YES)]


def test_the_ledger_counts_them():
    ledger = Ledger()
    ledger.note(1.0, YES)
    ledger.note(2.0, YES)
    assert ledger.totals.acknowledgements == 2


def test_a_trace_keeps_them(tmp_path):
    kept = trace.Trace(tmp_path / "call.jsonl")
    kept.note(1.5, YES)
    kept.close()
    assert list(trace.read(tmp_path / "call.jsonl")) == [(1.5, YES)]


def test_a_source_that_does_not_listen_to_the_agent_costs_nothing():
    transport = object()
    assert overheard(transport, ScriptedSource(())) is transport
