"""Which recognizer is taken when none is named."""

import pytest

from turnkit.errors import ConfigError
from turnkit.recognizers import auto
from turnkit.recognizers.none import NoWords
from turnkit.recognizers.pocketsphinx import SphinxModel


def test_pocketsphinx_is_taken_if_it_is_installed(settings):
    pytest.importorskip("pocketsphinx")
    assert auto.create(None, settings) == SphinxModel(decoders=4)


def test_else_there_are_no_words_and_the_log_says_so(monkeypatch, settings):
    said = []
    monkeypatch.setattr(auto, "pocketsphinx_installed", lambda: False)
    monkeypatch.setattr(auto.log, "warning", lambda event, **_: said.append(event))
    assert auto.create(None, settings) == NoWords()
    assert said == ["engine.words_missing"]


def test_it_takes_no_argument(settings):
    with pytest.raises(ConfigError, match="takes no argument"):
        auto.create("best", settings)
