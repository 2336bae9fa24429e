"""Recorded Flux traffic, played against the clock of the audio heard."""

import json

import anyio
import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.config import Settings
from turnkit.errors import ConfigError, SourceRefused
from turnkit.sources import replay
from turnkit.sources.base import Change, ConfigureRefused
from turnkit.turn.events import EndOfTurn, StartOfTurn, Update

pytestmark = pytest.mark.anyio

PHONE = AudioFormat(8000, "mulaw")
QUIET = PHONE.silence(0.08)


def create(path):
    return replay.create(str(path), Settings(), PHONE)


async def reports(source, chunks):
    """Play so many chunks at once, hang up, and return what was reported."""
    reported = []
    for _ in range(chunks):
        source.hear(QUIET)
    source.finish()
    await source.run(reported.append)
    return reported


async def test_a_message_comes_when_its_audio_was_heard(shared):
    reported = []

    def report(event):
        reported.append((round(anyio.current_time(), 6), event))

    async def caller(source):
        for n in range(1, 17):
            await anyio.sleep_until(0.08 * n)
            source.hear(QUIET)
        source.finish()

    source = create(shared / "recordings" / "yes.flux.json")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller, source)
        await source.run(report)
    assert reported == [
        (0.24, Update(0)),
        (0.48, Update(0)),
        (0.72, Update(0)),
        (0.96, StartOfTurn(0, "Yes.")),
        (1.2, Update(0, "Yes.")),
        (1.28, EndOfTurn(0, "Yes.")),
    ]


@pytest.mark.parametrize("name", ["yes", "not_so_sure", "vad"])
async def test_a_replay_ends_in_the_transcript_logged(shared, name):
    path = shared / "recordings" / f"{name}.flux.json"
    reported = await reports(create(path), 300)
    ends = [event.transcript for event in reported if isinstance(event, EndOfTurn)]
    assert " ".join(ends) == json.loads(path.read_text())["transcript"]


async def test_without_its_audio_a_message_never_comes(shared):
    reported = await reports(create(shared / "recordings" / "yes.flux.json"), 5)
    assert reported == [Update(0)]


async def test_a_pause_of_the_caller_is_audio_too(shared):
    source = create(shared / "recordings" / "yes.flux.json")
    reported = []
    with anyio.move_on_after(1.5):
        await source.run(reported.append)
    assert reported[-1] == EndOfTurn(0, "Yes.")


async def test_what_is_recorded_takes_no_orders(shared):
    source = create(shared / "recordings" / "yes.flux.json")
    with pytest.raises(SourceRefused, match="cannot be ended early"):
        source.end_turn()
    with pytest.raises(ConfigureRefused, match="played as it is"):
        await source.configure(Change(eot_threshold=0.9))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"events":[{"timestamp":0}]}',
        b'{"events":[{"data":{"type":"TurnInfo"}}]}',
        b'{"events":' + b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_recording_is_a_config_error(tmp_path, content):
    path = tmp_path / "call.flux.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"call\.flux\.json is not a log of Flux messages"):
        create(path)


def test_a_missing_file_is_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        create(tmp_path / "call.flux.json")


def test_a_file_must_be_named():
    with pytest.raises(ConfigError, match="needs a file"):
        replay.create(None, Settings(), PHONE)
