"""Vosk, played by a stand-in."""

import importlib.metadata
import importlib.util

import numpy as np
import pytest

from turnkit.recognizers import vosk

FRAME = np.zeros(1280, np.int16)


@pytest.fixture
def recognizer(standins, folder, settings):
    place = folder("am/final.mdl", "conf/mfcc.conf")
    return vosk.create(str(place), settings).load()(())


def said(words):
    return " ".join(word.word for word in words)


def test_words_come_while_they_are_spoken_and_stay_past_its_own_ends(recognizer):
    partials = []
    for _ in range(19):  # 1.52 s
        recognizer.feed(FRAME)
        partials.append(said(recognizer.words))
    assert list(dict.fromkeys(partials)) == [
        *("", "go", "go forward", "go forward ten", "go forward ten meters"),
        "go forward ten meters now",
    ]
    assert said(recognizer.finish()) == "go forward ten meters now"


def test_words_have_times_and_confidence(recognizer):
    recognizer.feed(np.zeros(8000, np.int16))
    _, forward = recognizer.finish()
    assert (forward.start, forward.end, forward.confidence) == (0.25, 0.5, 0.8)


def test_each_stretch_begins_anew(recognizer):
    recognizer.feed(np.zeros(8000, np.int16))
    recognizer.drop()
    assert recognizer.words == ()
    assert recognizer.finish() == ()
    recognizer.feed(np.zeros(4000, np.int16))
    recognizer.bias(("turnkit",))
    assert said(recognizer.finish()) == "go"


def test_the_real_one_has_the_same_face():
    if importlib.util.find_spec("vosk") is None:
        pytest.skip("vosk is not installed")
    import vosk as real  # noqa: PLC0415

    assert importlib.metadata.version("vosk") >= "0.3.45"
    used = ("SetWords", "SetPartialWords", "AcceptWaveform", "Result", "PartialResult")
    assert all(callable(getattr(real.KaldiRecognizer, name)) for name in (*used, "FinalResult"))
    assert callable(real.SetLogLevel)
    assert callable(real.Model)
