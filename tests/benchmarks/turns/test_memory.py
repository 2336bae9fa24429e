"""Memories answer as the originals would, without working again."""

import numpy as np
import pytest

from benchmarks.turns.memory import RecognizerMemory, VadMemory
from turnkit.testing.ears import CountingRecognizer


class CountingVad:
    def __init__(self):
        self.calls = 0

    def speech_probability(self, window):
        self.calls += 1
        return float(window[0]) / 10


class Recognizers:
    """Makes recognizers and counts what they are fed."""

    def __init__(self):
        self.made = self.fed = 0

    def __call__(self):
        self.made += 1
        outer = self

        class Counted(CountingRecognizer):
            def feed(self, samples):
                outer.fed += 1
                super().feed(samples)

        return Counted()


def windows(*values):
    return [np.full(512, value, np.int16) for value in values]


def piece(words):
    return np.full(round(words * 0.24 * 16000), 1000, np.int16)


def test_a_window_is_worked_on_once():
    vad = CountingVad()
    memory = VadMemory(vad)
    first = [memory.replay().speech_probability(w) for w in windows(1)]
    replay = memory.replay()
    assert [replay.speech_probability(w) for w in windows(1, 2, 3)] == [0.1, 0.2, 0.3]
    replay = memory.replay()
    assert [replay.speech_probability(w) for w in windows(1, 2, 3)] == [0.1, 0.2, 0.3]
    assert first == [0.1]
    assert vad.calls == 3


def heard(recognizer, *calls):
    """Feed what is a piece, finish at None; return the words after each."""
    said = []
    for call in calls:
        if call is None:
            said.append([w.word for w in recognizer.finish()])
        else:
            recognizer.feed(call)
            said.append([w.word for w in recognizer.words])
    return said


CALLS = [piece(1), piece(1), None, piece(2), None]


def test_the_same_stream_has_the_same_words_for_nothing():
    made = Recognizers()
    memory = RecognizerMemory(made)
    first = heard(memory.replay(), *CALLS)
    assert first == heard(CountingRecognizer(), *CALLS)
    assert heard(memory.replay(), *CALLS) == first
    assert (made.made, made.fed) == (1, 3)


def test_a_drop_between_stretches_changes_nothing():
    made = Recognizers()
    memory = RecognizerMemory(made)
    heard(memory.replay(), *CALLS)
    replay = memory.replay()
    heard(replay, *CALLS[:3])
    replay.drop()
    assert heard(replay, *CALLS[3:]) == [["one", "two"], ["one", "two"]]
    assert made.fed == 3


def test_another_stream_is_heard_anew_from_where_they_part():
    made = Recognizers()
    memory = RecognizerMemory(made)
    heard(memory.replay(), *CALLS)
    other = [piece(1), piece(3), None]
    assert heard(memory.replay(), *other) == heard(CountingRecognizer(), *other)
    assert made.made == 2


@pytest.mark.parametrize("end", ["finish", "drop"])
def test_after_a_stretch_there_are_no_words(end):
    replay = RecognizerMemory(CountingRecognizer).replay()
    replay.feed(piece(2))
    getattr(replay, end)()
    assert replay.words == ()
    assert replay.finish() == ()
