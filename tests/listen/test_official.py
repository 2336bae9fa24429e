"""Deepgram's own client, pointed at the embedded engine: it finds the Flux it was made for."""

from contextlib import asynccontextmanager

import pytest
import soundfile

from turnkit.config import Settings
from turnkit.listen import create_listen_app
from turnkit.server import running
from turnkit.sources.flux_wire import parse_server
from turnkit.testing.ears import silence, told
from turnkit.testing.flux_rules import violations

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.network,
    pytest.mark.loopback,
    # The client is written for a websockets of some years ago.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

PLAIN = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16000}


@pytest.fixture
def spoken(shared) -> bytes:
    """Two words and silence."""
    path = shared / "audio/utterance/dialogflow_two_people.flac"
    samples, _ = soundfile.read(path, dtype="int16")
    return samples.tobytes() + silence(1.6)


@asynccontextmanager
async def connected(**asked: object):
    # Imported here, where its warnings are expected.
    from deepgram import AsyncDeepgramClient  # noqa: PLC0415
    from deepgram.environment import DeepgramClientEnvironment  # noqa: PLC0415

    settings = Settings.model_construct(recognizer_workers=0)
    async with running(create_listen_app(settings), settings) as url:
        there = url.replace("http", "ws")
        environment = DeepgramClientEnvironment(
            base=url, production=there, agent=there, agent_rest=url
        )
        client = AsyncDeepgramClient(api_key="any", environment=environment)
        async with client.listen.v2.connect(**PLAIN | asked) as connection:
            yield connection


async def test_it_receives_typed_events_in_legal_order(spoken):
    async with connected(eager_eot_threshold=0.4) as connection:
        for start in range(0, len(spoken), 2560):
            await connection.send_media(spoken[start : start + 2560])
        await connection.send_close_stream()
        received = [message async for message in connection]
    names = {type(message).__name__ for message in received}
    assert names == {"ListenV2Connected", "ListenV2TurnInfo"}
    messages = [parse_server(message.json()) for message in received]
    assert violations(messages) == []
    assert [(event, text) for event, _, text in told(messages)][1:] == [
        ("EagerEndOfTurn", "two people"),
        ("EndOfTurn", "two people"),
    ]


async def test_its_orders_are_understood():
    change = {"type": "Configure", "thresholds": {"eot_threshold": 0.8}}
    async with connected() as connection:
        await connection.send_force_end_turn()
        await connection.send_configure(change)
        await connection.send_configure(change | {"thresholds": {"eot_threshold": 0.1}})
        await connection.send_close_stream()
        greeting, warning, success, failure = [message async for message in connection]
    assert greeting.sequence_id == 0
    assert warning.code == "FORCE_END_TURN_NO_ACTIVE_TURN"
    assert success.thresholds.eot_threshold == 0.8
    assert type(failure).__name__ == "ListenV2ConfigureFailure"


async def test_it_learns_that_it_is_refused():
    with pytest.raises(Exception, match="400"):
        async with connected(model="flux"):
            pass
