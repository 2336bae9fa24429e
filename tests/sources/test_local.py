"""The embedded engine as a turn source: the engine's own turns, when they happen.

What holds for it holds for the engine behind a socket, so both are put to the same tests.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio
import numpy as np
import pytest
import soundfile

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.engine.engine import open_engine
from turnkit.errors import ConfigError
from turnkit.listen import create_listen_app
from turnkit.server import running
from turnkit.sources import flux, local
from turnkit.sources.base import Change, ConfigureRefused, TurnSource
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, TurnInfo, to_event
from turnkit.turn.events import EndOfTurn, StartOfTurn, Update, UserEvent

pytestmark = pytest.mark.anyio

WIDE = AudioFormat(16000)
CHUNK_S = 0.08
SETTINGS = Settings.model_construct(eager_eot_threshold=0.4, recognizer_workers=0)


@asynccontextmanager
async def embedded(settings: Settings) -> AsyncIterator[TurnSource]:
    yield local.create(None, settings, WIDE)


@asynccontextmanager
async def behind_a_socket(settings: Settings) -> AsyncIterator[TurnSource]:
    async with running(create_listen_app(settings), settings) as url:
        yield flux.create(url.replace("http", "ws"), settings, WIDE)


either = pytest.mark.parametrize(
    "opened",
    [
        embedded,
        pytest.param(behind_a_socket, marks=[pytest.mark.network, pytest.mark.loopback]),
    ],
)


@pytest.fixture(scope="module")
def spoken(shared) -> Callable[..., bytes]:
    """A clip of real speech, with silence after it."""

    def read(name: str, silence_s: float = 1.5) -> bytes:
        samples, _ = soundfile.read(shared / "audio" / f"{name}.flac", dtype="int16")
        return np.concatenate([samples, np.zeros(round(silence_s * 16000), np.int16)]).tobytes()

    return read


def asked(settings: Settings) -> ListenParameters:
    return ListenParameters(
        "flux-general-en",
        "linear16",
        16000,
        eager_eot_threshold=settings.eager_eot_threshold,
        eot_threshold=settings.eot_threshold,
        eot_timeout_ms=settings.eot_timeout_ms,
    )


def from_engine(settings: Settings, pcm: bytes) -> list[tuple[float, UserEvent]]:
    """What the engine itself says of this audio, padded to whole chunks, and at what second."""
    engine = open_engine(asked(settings), "request")
    said = engine.feed(pcm + bytes(-len(pcm) % WIDE.bytes_in(CHUNK_S)))
    said += engine.handle(CloseStream())
    return [(m.audio_window_end, to_event(m)) for m in said if isinstance(m, TurnInfo)]


async def heard_by(source: TurnSource, pcm: bytes) -> list[UserEvent]:
    events: list[UserEvent] = []
    source.hear(pcm)
    source.finish()
    await source.run(events.append)
    return events


@either
async def test_it_reports_what_the_engine_says(opened, spoken):
    pcm = spoken("utterance/dialogflow_two_people")
    async with opened(SETTINGS) as source:
        events = await heard_by(source, pcm)
    assert events == [event for _, event in from_engine(SETTINGS, pcm)]
    assert EndOfTurn(0, "two people") in events


@either
async def test_a_turn_that_is_cut_off_has_no_end_but_all_its_words(opened, spoken):
    pcm = spoken("utterance/dialogflow_two_people", silence_s=0.88)
    async with opened(SETTINGS) as source:
        events = await heard_by(source, pcm)
    assert events[-1] == Update(0, "two people")
    assert not [event for event in events if isinstance(event, EndOfTurn)]


@either
async def test_without_audio_there_is_nothing_to_report(opened):
    async with opened(SETTINGS) as source:
        assert await heard_by(source, b"") == []


@either
async def test_eager_ends_come_only_if_they_are_asked_for(opened, spoken):
    settings = Settings.model_construct(eager_eot_threshold=None, recognizer_workers=0)
    async with opened(settings) as source:
        events = await heard_by(source, spoken("utterance/dialogflow_two_people"))
    assert {type(event).__name__ for event in events} == {"Update", "StartOfTurn", "EndOfTurn"}


async def test_events_come_the_moment_their_audio_is_complete(spoken):
    pcm = spoken("utterance/dialogflow_two_people")
    source = local.create(None, SETTINGS, WIDE)
    events: list[tuple[float, UserEvent]] = []
    began_at = anyio.current_time()

    async def speak() -> None:
        for start in range(0, len(pcm), WIDE.bytes_in(CHUNK_S)):
            await anyio.sleep(CHUNK_S)
            source.hear(pcm[start : start + WIDE.bytes_in(CHUNK_S)])
        source.finish()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(speak)
        await source.run(
            lambda event: events.append((round(anyio.current_time() - began_at, 6), event))
        )
    assert events == from_engine(SETTINGS, pcm)


async def test_a_user_who_falls_silent_is_heard_to_end(spoken):
    source = local.create(None, SETTINGS, WIDE)
    source.hear(spoken("utterance/dialogflow_two_people", silence_s=0.88))
    events: list[UserEvent] = []
    with anyio.move_on_after(10):
        await source.run(events.append)
    turns = [event for event in events if isinstance(event, StartOfTurn | EndOfTurn)]
    assert turns[-1] == EndOfTurn(0, "two people")


@asynccontextmanager
async def running_on(source: TurnSource) -> AsyncIterator[list[tuple[float, UserEvent]]]:
    """Run the source beside the test; give what it reports, and when, as it comes."""
    events: list[tuple[float, UserEvent]] = []

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            source.run, lambda event: events.append((round(anyio.current_time(), 6), event))
        )
        yield events
        source.finish()


def ends(events: list[tuple[float, UserEvent]]) -> list[tuple[float, EndOfTurn]]:
    return [(at, event) for at, event in events if isinstance(event, EndOfTurn)]


async def test_a_turn_can_be_ended_at_once(spoken):
    source = local.create(None, SETTINGS, WIDE)
    async with running_on(source) as events:
        source.hear(spoken("utterance/dialogflow_two_people", silence_s=0.88))
        await anyio.sleep(0.03)
        source.end_turn()
        source.end_turn()
        await anyio.sleep(1.0)
    assert ends(events) == [(0.03, EndOfTurn(0, "two people", "manual"))]


async def test_a_turn_can_be_ended_while_a_chunk_is_in_work(spoken):
    source = local.create(None, SETTINGS, WIDE)
    async with running_on(source) as events:
        source.hear(spoken("utterance/dialogflow_two_people", silence_s=0.88))
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        source.end_turn()
        source.finish()
    assert len(ends(events)) <= 1


async def test_without_a_turn_there_is_none_to_end():
    source = local.create(None, SETTINGS, WIDE)
    source.end_turn()
    async with running_on(source) as events:
        await anyio.sleep(0.5)
        source.end_turn()
    assert {type(event) for _, event in events} == {Update}


async def test_new_thresholds_hold_from_now_on(spoken):
    source = local.create(None, SETTINGS, WIDE)
    pcm = spoken("utterance/dialogflow_two_people", silence_s=0.88)
    async with running_on(source) as events:
        await source.configure(Change(eot_threshold=0.5, keyterms=("people",)))
        source.hear(pcm)
        await anyio.sleep(0.01)
    assert [event.transcript for _, event in ends(events)] == ["two people"]
    assert EndOfTurn(0, "two people") not in [event for _, event in from_engine(SETTINGS, pcm)]


async def test_a_refused_change_changes_nothing():
    source = local.create(None, SETTINGS, WIDE)
    with pytest.raises(ConfigureRefused) as caught:
        await source.configure(Change(eager_eot_threshold=0.9))
    assert caught.value.code == "INVALID_THRESHOLD"
    await source.configure(Change(eager_eot_threshold=0.7))


async def test_cancelling_ends_it():
    source = local.create(None, SETTINGS, WIDE)
    with anyio.move_on_after(1) as scope:
        await source.run(lambda event: None)
    assert scope.cancelled_caught


async def test_what_is_too_much_is_dropped_and_counted():
    source = local.create(None, SETTINGS, WIDE)
    source.hear(WIDE.silence(31.0))
    assert source.dropped_bytes == WIDE.bytes_in(1.0)


def test_it_takes_no_argument():
    with pytest.raises(ConfigError, match="takes no argument"):
        local.create("large", SETTINGS, WIDE)


def test_a_rate_flux_does_not_know_is_refused():
    with pytest.raises(ConfigError, match="sample_rate '22050' is not supported"):
        local.create(None, SETTINGS, AudioFormat(22050))
