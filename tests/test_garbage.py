"""What a turn leaves behind goes at once, without a collection of garbage, which stops all calls.

A collection looks at all there is. With 200 calls it took 150 ms, as long as eight frames.
"""

import gc

import anyio
import pytest

from turnkit.config import Settings
from turnkit.errors import ModelError
from turnkit.llm.base import Finish, Text
from turnkit.model_agent import ModelAgent
from turnkit.session import Session
from turnkit.testing.fakes import ExactVoice, MemoryTransport, ScriptedAgent, ScriptedSource
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = pytest.mark.anyio

TURNS = 50
TURN_S = 4.0
WARM_UP = 5


class Counter(MemoryTransport):
    """Keeps nothing of what it played."""

    def play(self, reply, frame):
        self.far_end.sounds.clear()
        super().play(reply, frame)


@pytest.fixture
def no_collections():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def garbage_of(agent, events, voice=None):
    """Play a call; return how many objects only a collection finds, per turn after the first."""
    transport = Counter()
    session = Session(
        agent,
        source=ScriptedSource([event for turn in range(TURNS) for event in events(turn)]),
        voice=voice or ExactVoice(0.05),
        transport=transport,
        settings=Settings.model_construct(drafts_per_minute=1000),
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(session.run)
        await anyio.sleep_until(WARM_UP * TURN_S - 0.5)
        gc.collect()
        await anyio.sleep_until(TURNS * TURN_S - 0.5)
        found = gc.collect()
        tasks.cancel_scope.cancel()
    transport.close()
    assert len(session.ledger.turns) >= TURNS - 1
    return found / (TURNS - WARM_UP)


def answered(turn):
    start, words = turn * TURN_S, f"turn {turn}"
    yield start, StartOfTurn(turn, words)
    yield start + 0.5, EagerEndOfTurn(turn, words)
    yield start + 0.7, EndOfTurn(turn, words)


def resumed(turn):
    start, words = turn * TURN_S, f"turn {turn}"
    yield start, StartOfTurn(turn, words)
    yield start + 0.5, EagerEndOfTurn(turn, words)
    yield start + 0.8, TurnResumed(turn, words)
    yield start + 1.0, EagerEndOfTurn(turn, words)
    yield start + 1.3, EndOfTurn(turn, words)


class Thinker(ModelAgent):
    """Says what a model does, that takes its time for each word."""

    def __init__(self, *, fails=False):
        super().__init__(self)
        self._fails = fails

    async def stream(self, messages, tools=()):
        for number in range(3):
            await anyio.sleep(0.1)
            yield Text(f"This is word {number}. ")
        if self._fails:
            raise ModelError("broken", "refused")
        yield Finish()


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize("events", [answered, resumed])
async def test_answers_and_drafts_leave_no_garbage(events):
    assert await garbage_of(Thinker(), events) == 0


@pytest.mark.usefixtures("no_collections")
@pytest.mark.parametrize("events", [answered, resumed])
async def test_replies_that_the_user_interrupts_leave_no_garbage(events):
    agent = ScriptedAgent(lambda _: ["one two three four. "] * 20, pause_s=0.5)
    assert await garbage_of(agent, events) == 0


@pytest.mark.usefixtures("no_collections")
async def test_a_draft_dropped_while_its_voice_thinks_leaves_no_garbage():
    assert await garbage_of(ScriptedAgent(), resumed, voice=ExactVoice(0.5)) == 0


@pytest.mark.usefixtures("no_collections")
async def test_agents_that_fail_leave_no_garbage():
    assert await garbage_of(Thinker(fails=True), answered) == 0


@pytest.mark.usefixtures("no_collections")
async def test_voices_that_fail_leave_no_garbage():
    voice = ExactVoice(fails=lambda text: "Sorry" not in text)
    assert await garbage_of(ScriptedAgent(), answered, voice=voice) == 0
