"""Recognizers: the real one on real speech, and the stand-in."""

import importlib.util

import numpy as np
import pytest

from turnkit.engine import words
from turnkit.engine.words import Pocketsphinx, SpeechMark, open_recognizer

FRAME_SAMPLES = 1280


def partials(recognizer, samples):
    """Feed it frame by frame; return what it said on the way."""
    said = []
    for start in range(0, len(samples), FRAME_SAMPLES):
        recognizer.feed(samples[start : start + FRAME_SAMPLES])
        said.append(text(recognizer.words))
    return said


def text(words):
    return " ".join(word.word for word in words)


@pytest.fixture(scope="module")
def sphinx():
    pytest.importorskip("pocketsphinx")
    return Pocketsphinx()


def test_pocketsphinx_hears_words_while_they_are_spoken(sphinx, clip):
    said = partials(sphinx, clip("utterance/ps_goforward"))
    assert "go" in said
    assert "go forward" in said
    assert text(sphinx.finish()) == "go forward ten meters"


def test_its_words_have_times(sphinx, clip):
    partials(sphinx, clip("utterance/ps_goforward"))
    heard = sphinx.finish()
    times = [time for word in heard for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] == pytest.approx(0.46, abs=0.05)
    assert times[-1] == pytest.approx(2.1, abs=0.3)


def test_one_stretch_knows_nothing_of_the_one_before(sphinx, clip):
    sphinx.feed(clip("utterance/ps_goforward"))
    sphinx.drop()
    assert sphinx.words == ()
    sphinx.feed(clip("utterance/ps_goforward"))
    assert text(sphinx.finish()) == "go forward ten meters"
    assert sphinx.words == ()


def test_a_stretch_that_never_began_has_no_words(sphinx):
    sphinx.drop()
    assert sphinx.finish() == ()


def test_silence_has_no_words(sphinx):
    sphinx.feed(np.zeros(8000, np.int16))
    assert sphinx.finish() == ()


def test_the_stand_in_says_that_there_was_speech():
    mark = SpeechMark()
    mark.feed(np.zeros(8000, np.int16))
    assert mark.words == ()
    (word,) = mark.finish()
    assert (word.word, word.start, word.end) == ("[speech]", 0.0, 0.5)


def test_the_stand_in_counts_each_stretch_anew():
    mark = SpeechMark()
    mark.feed(np.zeros(8000, np.int16))
    mark.drop()
    mark.feed(np.zeros(1600, np.int16))
    assert mark.finish()[0].end == 0.1


def test_the_best_recognizer_installed_is_taken(monkeypatch):
    monkeypatch.setattr(words, "Pocketsphinx", lambda: "sphinx")
    assert open_recognizer() == "sphinx"
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert isinstance(open_recognizer(), SpeechMark)
