"""A speech program: what it writes is heard, what it does wrong costs one text, and it is ended."""

import shutil
import subprocess
import sys
from contextlib import aclosing

import anyio
import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.testing.clock import run_virtual
from turnkit.tts import program

pytestmark = [pytest.mark.anyio, pytest.mark.network]  # it runs processes

ECHO = """
import sys, wave
with wave.open(sys.argv[1], "wb") as writer:
    writer.setparams((1, 2, 16000, 0, "NONE", ""))
    writer.writeframes(sys.stdin.buffer.read())
"""
FOR_EVER = "import sys; sys.stdin.read(); import time; time.sleep(60)"


def running(script):
    """A voice whose program is this Python script."""
    return program.ProgramSynthesizer("talker", (sys.executable, "-I", "-c", script))


@pytest.fixture
def started(monkeypatch):
    """Every process that is started."""
    processes = []

    class Kept(subprocess.Popen):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Kept)
    return processes


@pytest.fixture(params=["flite", "espeak-ng"])
def voice(request):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    return program.create(request.param, Settings())


async def test_it_speaks_at_the_pace_of_a_person(voice, said, front_desk):
    seconds = len(await said(voice, front_desk)) / voice.sample_rate_hz
    assert 12 <= len(front_desk) / seconds <= 18


async def test_what_it_says_is_taken_for_speech(voice, said, share_of_speech, front_desk):
    assert share_of_speech(await said(voice, front_desk), voice.sample_rate_hz) > 0.7


@pytest.mark.parametrize("text", ["-voice", "$(exit 1); '\"", "a\0b", "\ud800 hello", "你好"])
async def test_odd_text_is_only_text(voice, said, text):
    assert len(await said(voice, text)) > 0


async def test_what_the_program_writes_is_what_is_heard(said):
    assert (await said(running(ECHO), "abcd")).tobytes() == b"abcd"


async def test_nothing_to_say_runs_nothing(said, started):
    assert len(await said(running(ECHO), " \n")) == 0
    assert started == []


async def test_many_speak_at_once_and_none_is_mixed_up(said):
    heard = {}

    async def speak(text):
        heard[text] = (await said(voice, text)).tobytes()

    voice = running(ECHO)
    texts = [f"{n:04}" for n in range(12)]
    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(speak, text)
    assert heard == {text: text.encode() for text in texts}


def test_virtual_time_stands_still_while_it_works(said):
    async def speak():
        with anyio.fail_after(0.001):
            return await said(running(ECHO), "abcd")

    assert run_virtual(speak).tobytes() == b"abcd"


async def test_cancelling_kills_the_program(said, started):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(said, running(FOR_EVER), "Hello")
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    assert [process.returncode for process in started] == [-9]


async def test_a_program_that_does_not_end_is_killed(said, started, monkeypatch):
    monkeypatch.setattr(program, "_DEADLINE_S", 0.05)
    with pytest.raises(SynthesisError, match=r"talker took longer than 0\.05 s"):
        await said(running(FOR_EVER), "Hello")
    assert [process.returncode for process in started] == [-9]


async def test_a_failing_program_is_quoted(said):
    script = "import sys; sys.exit('no such voice\\nbuy another')"
    with pytest.raises(SynthesisError, match="talker failed, code 1: buy another"):
        await said(running(script), "Hello")


@pytest.mark.parametrize("script", ["pass", "import sys; open(sys.argv[1], 'w').write('la la')"])
async def test_a_program_that_writes_no_sound_failed(said, script):
    with pytest.raises(SynthesisError, match="talker wrote no WAV file"):
        await said(running(script), "Hello")


async def test_a_program_that_has_gone_failed(said, tmp_path):
    gone = program.ProgramSynthesizer("talker", (str(tmp_path / "talker"),))
    with pytest.raises(SynthesisError, match="talker could not be run"):
        await said(gone, "Hello")


async def test_the_whole_text_comes_in_one_piece():
    async with aclosing(running(ECHO).speak("abcd" * 100)) as pieces:
        assert [len(piece) async for piece in pieces] == [400]


def test_an_unknown_program_is_refused():
    with pytest.raises(ConfigError, match="'sox' is not known; choose one of: flite, espeak-ng"):
        program.create("sox", Settings())


def test_an_absent_program_is_an_error_that_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"no flite on the PATH; .*`apt-get install flite`"):
        program.create("flite", Settings())
    with pytest.raises(ConfigError, match="no flite or espeak-ng on the PATH"):
        program.create(None, Settings())
