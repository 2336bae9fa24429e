"""Sounds of words that are in no dictionary."""

# ruff: noqa: RUF001  # the signs are those of phoneticians

import importlib.util

import pytest

from turnkit.recognizers import pronunciation
from turnkit.recognizers.pronunciation import arpabet, pronounce

needs_espeak = pytest.mark.skipif(
    importlib.util.find_spec("espeakng_loader") is None, reason="espeakng-loader is not installed"
)


def test_the_longest_sign_counts():
    assert arpabet("tʃˈɜːtʃ") == "CH ER CH"
    assert arpabet("lˈɪɾəl") == "L IH T AH L"


def test_signs_without_a_sound_are_left_out():
    assert arpabet("t͡ə!") == "T AH"


@needs_espeak
def test_an_unknown_word_is_said_as_it_is_spelled():
    assert pronounce("turnkit") == "T ER NG K IH T"


@needs_espeak
@pytest.mark.parametrize("word", ["", "-", "\0", "日本", "🙂"])
def test_what_cannot_be_said_does_no_harm(word):
    assert set(pronounce(word)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ ")


def test_without_espeak_it_cannot_be_said(monkeypatch):
    def missing(word, voice):
        raise pronunciation.ConfigError("not installed")

    monkeypatch.setattr(pronunciation.espeak, "phonemes", missing)
    assert pronounce("turnkit") == ""
