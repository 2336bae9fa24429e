"""espeak-ng inside the process. Its tremor runs on from text to text, so no two are bit-equal."""

import sys
import threading
from contextlib import aclosing

import anyio
import numpy as np
import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.testing.clock import run_virtual
from turnkit.tts import espeak

pytest.importorskip("espeakng_loader", reason="espeakng-loader is not installed")

pytestmark = [pytest.mark.anyio, pytest.mark.network]  # it has a worker thread


@pytest.fixture
def voice():
    return espeak.create(None, Settings())


async def test_it_speaks_at_the_pace_of_a_person(voice, said, front_desk):
    seconds = len(await said(voice, front_desk)) / voice.sample_rate_hz
    assert 12 <= len(front_desk) / seconds <= 18


async def test_what_it_says_is_taken_for_speech(voice, said, share_of_speech, front_desk):
    assert share_of_speech(await said(voice, front_desk), voice.sample_rate_hz) > 0.7


async def test_the_last_mark_is_followed_by_its_pause(voice, said):
    for text, pause_s in (("Well,", 0.1), ("Well.", 0.25)):
        samples = np.abs((await said(voice, text)).astype(int))
        pause = samples[-int(pause_s * voice.sample_rate_hz) :]
        assert pause.max() < samples.max() / 20  # the room's echo


@pytest.mark.parametrize("text", ["", " \n", "\0", "\x1b\x07"])
async def test_nothing_to_say_yields_nothing(voice, text):
    assert [piece async for piece in voice.speak(text)] == []


@pytest.mark.parametrize(
    "text", ["a\0b", "<b>&amp;", "[[h@l'oU]]", "🙂", "\ud800 a", "你好", "x" * 999]
)
async def test_odd_text_is_said_somehow(voice, said, text):
    assert (await said(voice, text)).any()


async def test_markup_is_read_out_and_not_obeyed(voice, said):
    obeyed = await said(voice, "a a")
    assert len(await said(voice, '<break time="9s"/> a')) > len(obeyed)


async def test_a_long_text_is_said_to_its_end(voice, said, front_desk):
    seconds = len(await said(voice, front_desk * 63)) / voice.sample_rate_hz
    assert seconds > 200


async def test_voices_do_not_change_one_another(said, front_desk):
    quick, slow = espeak.create("en-us", Settings()), espeak.create("de", Settings())
    before = len(await said(quick, front_desk))
    await said(slow, front_desk)
    assert len(await said(quick, front_desk)) == pytest.approx(before, rel=0.02)


async def test_fifty_can_speak_at_once(voice, said):
    texts = ["Yes. " * n for n in range(1, 51)]
    alone = [len(await said(voice, text)) for text in texts]
    together = {}

    async def speak(text):
        together[text] = len(await said(voice, text))

    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(speak, text)
    assert [together[text] for text in texts] == pytest.approx(alone, rel=0.02)


async def test_closing_in_the_middle_leaves_the_library_usable(voice, said, front_desk):
    async with aclosing(voice.speak(front_desk * 20)) as pieces:
        assert await anext(pieces)
    assert (await said(voice, front_desk)).any()


async def test_cancelling_at_work_leaves_the_library_usable(voice, said, front_desk):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(said, voice, front_desk * 20)
        await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert (await said(voice, front_desk)).any()


def test_virtual_time_stands_still_while_it_works(voice, said, front_desk):
    async def speak():
        with anyio.fail_after(0.001):
            return await said(voice, front_desk)

    assert run_virtual(speak).any()


def test_a_stopped_thread_ends_with_its_first_piece(voice, front_desk):
    stop = threading.Event()
    stop.set()
    assert len(espeak._library().say(front_desk, espeak.VOICE, stop)) == 1


@pytest.mark.parametrize("name", ["en-us", "en-us+f3", "en-us+m3", "en", "de", "es"])
def test_the_names_it_advises_exist(name):
    assert name in espeak._EXAMPLES
    espeak.create(name, Settings())


@pytest.mark.parametrize("name", ["nobody", "en-us+nobody", "../en", "en-us+../f5"])
def test_an_unknown_voice_is_refused_with_advice(name):
    with pytest.raises(ConfigError, match=r"is not known; try one of en-us, en-us\+f3"):
        espeak.create(name, Settings())


async def test_a_refusal_of_the_library_is_a_failed_synthesis(voice, monkeypatch):
    class Refusing:
        def espeak_SetVoiceByName(self, name):  # noqa: N802
            return 0

        def espeak_Synth(self, *arguments):  # noqa: N802
            return 1

    monkeypatch.setattr(espeak._library(), "_calls", Refusing())
    with pytest.raises(SynthesisError, match="espeak-ng refused 5 characters, status 1"):
        _ = [piece async for piece in voice.speak("Sure.")]


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ConfigError, match=r"pip install 'turnkit\[local\]'"):
        espeak._library.__wrapped__()
