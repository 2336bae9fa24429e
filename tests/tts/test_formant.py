"""The built-in voice: always there, always the same, and speech to whoever listens for speech."""

from contextlib import aclosing

import anyio
import numpy as np
import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.tts import formant

pytestmark = pytest.mark.anyio

RATE_HZ = 16000
PAUSE_S = 0.3


@pytest.fixture
def voice():
    return formant.create(None, Settings())


async def test_it_speaks_at_the_pace_of_a_person(voice, said, front_desk):
    seconds = len(await said(voice, front_desk)) / voice.sample_rate_hz
    assert 12 <= len(front_desk) / seconds <= 16


async def test_what_it_says_is_taken_for_speech(voice, said, share_of_speech, front_desk):
    assert share_of_speech(await said(voice, front_desk), RATE_HZ) > 0.7


async def test_it_is_as_loud_as_a_voice_on_a_telephone(voice, said, front_desk):
    samples = (await said(voice, front_desk)).astype(float)
    level_dbfs = 20 * np.log10(np.sqrt(np.mean(samples**2)) / 32768)
    assert -28 <= level_dbfs <= -18
    assert np.abs(samples).max() < 20000


async def test_it_starts_and_ends_without_a_click(voice, said, front_desk):
    samples = (await said(voice, front_desk)).astype(int)
    assert np.abs(samples[:5]).max() < 50
    assert not samples[-int(PAUSE_S / 2 * RATE_HZ) :].any()


async def test_the_same_text_always_sounds_the_same(voice, said, front_desk):
    assert np.array_equal(await said(voice, front_desk), await said(voice, front_desk))


async def test_different_texts_sound_different(voice, said):
    assert not np.array_equal(await said(voice, "yes"), await said(voice, "now"))


async def test_a_question_ends_higher_than_a_statement(voice, said):
    async def pitch_at_end(text):
        samples = (await said(voice, text)).astype(float)
        tail = samples[: -int((PAUSE_S + 0.02) * RATE_HZ)][-1000:]
        echo = np.correlate(tail, tail, "full")[len(tail) :]
        return RATE_HZ / (50 + np.argmax(echo[49:200]))

    assert await pitch_at_end("You know me?") > 1.2 * await pitch_at_end("You know me.")


async def test_digits_and_other_scripts_are_said_too(voice, said, share_of_speech):
    for text in ("412", "Добрый день", "你好我是前台", "Ça coûte où"):
        assert share_of_speech(await said(voice, text), RATE_HZ) > 0.5, text


@pytest.mark.parametrize("text", ["", " ", "\0\x1b", "!?", "🙂", "***"])
async def test_what_holds_no_letter_is_silence(voice, said, text):
    assert not (await said(voice, text)).any()


async def test_it_comes_in_pieces_of_a_tenth_of_a_second(voice, front_desk):
    async with aclosing(voice.speak(front_desk)) as pieces:
        sizes = [len(piece) async for piece in pieces]
    assert max(sizes) == 3200


async def test_a_delay_is_waited_before_the_first_sound_only():
    voice = formant.create("150", Settings())
    heard_at = [anyio.current_time() async for _ in voice.speak("Good morning.")]
    assert set(heard_at) == {0.15}


async def test_fifty_can_speak_at_once(voice, said):
    texts = [f"This is number {n}." for n in range(50)]
    alone = [await said(voice, text) for text in texts]
    together = {}

    async def speak(text):
        together[text] = await said(voice, text)

    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(speak, text)
    assert all(np.array_equal(together[text], alone[n]) for n, text in enumerate(texts))


async def test_others_get_a_turn_between_pieces(voice, front_desk):
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        pieces = [piece async for piece in voice.speak(front_desk)]
        tasks.cancel_scope.cancel()
    assert turns >= len(pieces)


@pytest.mark.parametrize("argument", ["fast", "-5", "1.5", "99999", "²"])
def test_a_delay_that_is_none_is_refused(argument):
    with pytest.raises(ConfigError, match="give milliseconds from 0 to 10000"):
        formant.create(argument, Settings())
