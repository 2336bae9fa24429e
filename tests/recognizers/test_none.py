"""The stand-in for words."""

import numpy as np
import pytest

from turnkit.errors import ConfigError
from turnkit.recognizers import none
from turnkit.recognizers.none import SpeechMark


def test_it_says_that_there_was_speech():
    mark = SpeechMark()
    mark.feed(np.zeros(8000, np.int16))
    assert mark.words == ()
    (word,) = mark.finish()
    assert (word.word, word.start, word.end) == ("[speech]", 0.0, 0.5)


def test_it_counts_each_stretch_anew():
    mark = SpeechMark()
    mark.feed(np.zeros(8000, np.int16))
    mark.drop()
    mark.feed(np.zeros(1600, np.int16))
    assert mark.finish()[0].end == 0.1


def test_it_expects_nothing_in_particular(settings):
    mark = none.create(None, settings).load()(("turnkit",))
    mark.bias(("flux",))
    mark.close()
    assert mark.finish()[0].word == "[speech]"


def test_it_takes_no_argument(settings):
    with pytest.raises(ConfigError, match="takes no argument, not 'large'"):
        none.create("large", settings)
