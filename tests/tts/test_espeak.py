"""espeak-ng inside the process. Its tremor runs on from text to text, so no two are bit-equal."""

import re
import sys
import threading
from contextlib import aclosing

import anyio
import numpy as np
import pytest

from turnkit.audio.frames import samples_of
from turnkit.audio.resample import resample
from turnkit.config import Settings
from turnkit.errors import ConfigError, SynthesisError
from turnkit.testing.clock import run_virtual
from turnkit.tts import espeak
from turnkit.tts.base import Mark

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


FIRST_PIECE_BYTES = 2 * 22050 * 0.51


def test_a_stopped_thread_ends_with_its_first_piece(voice, front_desk):
    stop = threading.Event()
    stop.set()
    said = espeak._library().say(front_desk, espeak.VOICE, stop)
    assert sum(len(piece) for piece in said if isinstance(piece, bytes)) <= FIRST_PIECE_BYTES


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


# Where the words are.


@pytest.fixture
def marked():
    """Return what a voice makes of a text, and at what second of it each mark stands."""

    async def listen(voice, text):
        sound, marks = b"", {}
        async with aclosing(voice.speak(text)) as pieces:
            async for piece in pieces:
                match piece:
                    case Mark(character):
                        marks[character] = len(sound) / 2 / voice.sample_rate_hz
                    case pcm:
                        sound += pcm
        return samples_of(sound), marks

    return listen


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("Hello there, my friend.", [0, 6, 13, 16]),
        ("  naïve\tcafé 🙂 now", [2, 8, 13, 15]),
        ("I paid 42 dollars", [0, 2, 7, 10]),
        ("a well-known fact", [0, 2, 13]),
        ("one\r\n\r\ntwo", [0, 7]),
        ("see http://a.com/x now", [0, 4, 19]),
    ],
)
async def test_marks_stand_where_words_begin(voice, marked, text, starts):
    _, marks = await marked(voice, text)
    assert list(marks) == starts


async def test_marks_of_a_long_text_are_places_in_all_of_it(voice, marked):
    text = "One two three four five six. " * 20
    samples, marks = await marked(voice, text)
    assert [text[character] for character in marks] == list("Ottffs" * 20)
    assert sorted(marks.values()) == list(marks.values())
    assert max(marks.values()) < len(samples) / voice.sample_rate_hz


async def test_a_mark_stands_at_the_end_of_the_pause_before_its_word(voice, marked):
    text = "Tea, coffee, cake, bread, butter."
    samples, marks = await marked(voice, text)
    for at in list(marks.values())[1:]:
        before, after = (at - 0.08, at - 0.02), (at + 0.02, at + 0.12)
        assert loudness(samples, voice, *before) < loudness(samples, voice, *after) / 10


def loudness(samples, voice, start, end):
    part = samples[round(start * voice.sample_rate_hz) : round(end * voice.sample_rate_hz)]
    return float(np.abs(part.astype(float)).mean())


SENTENCES = [
    "good morning this is the front desk how can i help you today",
    "we have a table for four at eight tonight",
    "your train leaves from platform nine in twenty minutes",
    "please tell me the number on the back of your card",
    "one two three four five six seven eight nine ten",
    "thank you for waiting i have found your order",
]


async def test_marks_agree_with_where_a_recognizer_finds_the_words(voice, marked):
    """The median was 8 ms, the 95th percentile 37 ms; words spread evenly, 290 and 540 ms."""
    off_s = []
    for sentence in SENTENCES:
        samples, marks = await marked(voice, sentence)
        found = aligned(resample(samples, voice.sample_rate_hz, 16000), sentence)
        places = (match.start() for match in re.finditer(r"\S+", sentence))
        both = ((marks[p], at) for p, at in zip(places, found, strict=True) if p in marks)
        off_s += [abs(mark - at) for mark, at in both]
    assert len(off_s) >= 0.95 * sum(len(sentence.split()) for sentence in SENTENCES)
    assert np.percentile(off_s, 95) < 0.05


def aligned(samples, sentence):
    """Where pocketsphinx, told the words, finds each to begin."""
    pocketsphinx = pytest.importorskip("pocketsphinx")
    decoder = pocketsphinx.Decoder(samprate=16000, bestpath=False, loglevel="FATAL")
    decoder.set_align_text(sentence)
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    return [part.start_frame / 100 for part in decoder.seg() if part.word[0] not in "<[("]
