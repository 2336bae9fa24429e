"""Hearing again as a stretch grows."""

import numpy as np
import pytest

from turnkit.recognizers.rerun import Rerun
from turnkit.sources.flux_wire import Word

FRAME = np.zeros(1280, np.int16)


@pytest.fixture
def heard():
    return []


@pytest.fixture
def rerun(heard):
    def transcribe(samples, keyterms):
        heard.append(len(samples) / 16000)
        return (Word("word", 0.9, 0.0, len(samples) / 16000),)

    return Rerun(transcribe, ())


def test_a_short_stretch_is_heard_once(rerun, heard):
    rerun.feed(FRAME)
    assert rerun.words == ()
    assert [word.end for word in rerun.finish()] == [0.08]
    assert heard == [0.08]


def test_a_long_one_costs_a_few_times_its_length(rerun, heard):
    for _ in range(250):  # 20 s
        rerun.feed(FRAME)
    rerun.finish()
    assert sum(heard) <= 6 * 20


def test_after_28_s_the_words_so_far_stay(rerun, heard):
    for _ in range(400):  # 32 s
        rerun.feed(FRAME)
    assert [(word.start, word.end) for word in rerun.finish()] == [(0.0, 28.0), (28.0, 32.0)]
    assert max(heard) == 28.0


def test_nothing_is_heard_twice(rerun, heard):
    for _ in range(6):
        rerun.feed(FRAME)
    rerun.finish()
    assert rerun.finish() == ()
    assert heard == [0.48]
