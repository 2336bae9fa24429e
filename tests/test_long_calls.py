"""A call of thousands of turns leaves nothing behind but its bounded accounts."""

import gc
import tracemalloc

import anyio
import pytest

from turnkit.config import Settings
from turnkit.session import Session
from turnkit.testing.fakes import ExactVoice, MemoryTransport, ScriptedAgent, ScriptedSource
from turnkit.testing.play import run_until
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio

TURNS = 2100  # the ledger is full after a thousand, history after two hundred
TURN_S = 2.0


def turn_of(turn):
    """Turns of every kind: resumed, interrupting, plain."""
    start, words = turn * TURN_S, f"turn {turn}"
    yield start, StartOfTurn(turn, words)
    if turn % 3 == 0:
        yield start + 0.2, EagerEndOfTurn(turn, words)
        yield start + 0.3, TurnResumed(turn, words)
    yield start + 0.5, EagerEndOfTurn(turn, words)
    yield start + 0.7, EndOfTurn(turn, words)


class Scale(ScriptedAgent):
    """Weighs the process at certain turns; every second answer is interrupted by the next turn."""

    def __init__(self):
        super().__init__(lambda turn: ["word " * (30 if turn.index % 2 else 5)], thinking_s=0.1)
        self.weights = {}

    async def reply(self, turn):
        self.turns.clear()
        self.interruptions.clear()
        if turn.index in (TURNS // 2, TURNS - 1) and turn.index not in self.weights:
            gc.collect()
            tasks = len(anyio.get_running_tasks())
            self.weights[turn.index] = tasks, tracemalloc.get_traced_memory()[0]
        async for piece in super().reply(turn):
            yield piece


class Forgetful(MemoryTransport):
    """Remembers nothing of what it played but the last."""

    def play(self, reply, frame):
        del self.far_end.sounds[:-1]
        super().play(reply, frame)


async def test_a_thousand_turns_more_leave_no_task_and_no_memory_behind():
    agent, transport = Scale(), Forgetful()
    session = Session(
        agent,
        source=ScriptedSource([event for turn in range(TURNS) for event in turn_of(turn)]),
        voice=ExactVoice(0.05),
        transport=transport,
        settings=Settings.model_construct(),
    )
    others = len(anyio.get_running_tasks())
    tracemalloc.start()
    try:
        await run_until(session, transport, TURNS * TURN_S + 30)
    finally:
        tracemalloc.stop()
    (tasks_before, bytes_before), (tasks_after, bytes_after) = agent.weights.values()
    assert tasks_after == tasks_before
    assert bytes_after - bytes_before < 100_000
    assert session._replies._replies == {}
    assert sum(session.ledger.totals.outcomes.values()) == TURNS
    assert len(session.ledger.turns) == 1000
    assert len(anyio.get_running_tasks()) == others
