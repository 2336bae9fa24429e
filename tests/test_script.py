"""What the agent writes comes to the voice in lines."""

import anyio
import pytest

from turnkit.agent import Audio
from turnkit.script import Script

pytestmark = pytest.mark.anyio

BELL = Audio(bytes(320), 16000, "(ding)")


@pytest.fixture
def script():
    return Script()


async def read(script, lines):
    while (line := await script.next()) is not None:
        lines.append((anyio.current_time(), line))


async def heard(script, *said):
    """Write pieces, each at its time; return the lines and when they came."""
    lines = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, script, lines)
        for at, piece in said:
            await anyio.sleep_until(at)
            await script.write(piece)
        script.end()
    return lines


async def test_a_line_comes_when_its_last_word_does(script):
    said = (1.0, "Good"), (2.0, " morning!"), (3.0, " How"), (4.0, " are you?")
    assert await heard(script, *said) == [(2.0, "Good morning!"), (4.0, " How are you?")]


async def test_what_is_left_comes_at_the_end(script):
    assert await heard(script, (1.0, "Good")) == [(1.0, "Good")]


async def test_a_full_stop_before_a_pause_ends_a_line(script):
    said = (1.0, "Ask Dr."), (9.0, "Two")
    assert await heard(script, *said) == [(1.1, "Ask Dr."), (9.0, "Two")]


async def test_a_pause_that_was_too_short_is_none(script):
    said = (1.0, "Ask Dr."), (1.05, " Who!")
    assert await heard(script, *said) == [(1.05, "Ask Dr. Who!")]


async def test_a_recording_ends_the_words_before_it(script):
    said = (1.0, "Listen"), (2.0, BELL)
    assert await heard(script, *said) == [(2.0, "Listen"), (2.0, BELL)]


async def test_the_agent_waits_for_a_voice_that_has_much_to_say(script):
    written = []

    async def write():
        for number in range(10):
            await script.write(f"This is number {number}!")
            written.append(number)
        script.end()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await anyio.sleep(1)
        assert len(written) < 6
        lines = []
        await read(script, lines)
    assert len(lines) == len(written) == 10
