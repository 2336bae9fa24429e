"""faster-whisper, played by a stand-in."""

import importlib
import importlib.util
import inspect

import numpy as np
import pytest

from turnkit.config import Settings
from turnkit.recognizers import faster_whisper

FILES = ("model.bin", "config.json", "tokenizer.json")
FRAME = np.full(1280, 32767, np.int16)


@pytest.fixture
def asked(standins):
    return importlib.import_module("faster_whisper").ASKED


@pytest.fixture
def recognizer(asked, folder):
    settings = Settings.model_construct(language_hints=("de-CH",))
    return faster_whisper.create(str(folder(*FILES)), settings).load()(("Grüezi", "Zürich"))


def said(words):
    return " ".join(word.word for word in words)


def test_it_hears_again_as_the_stretch_grows(recognizer, asked):
    for _ in range(25):  # 2 s
        recognizer.feed(FRAME)
    assert said(recognizer.words) == "w0 w1 w2"
    assert said(recognizer.finish()) == "w0 w1 w2 w3"
    assert [one["seconds"] for one in asked] == pytest.approx([0.48, 0.96, 1.44, 1.92, 2.0])


def test_it_is_told_the_language_and_the_keyterms(recognizer, asked):
    recognizer.feed(np.zeros(8000, np.int16))
    recognizer.bias(())
    recognizer.finish()
    recognizer.feed(np.zeros(8000, np.int16))
    assert [(one["language"], one["hotwords"]) for one in asked] == [
        ("de", "Grüezi, Zürich"),
        ("de", None),
    ]


def test_words_have_times_and_confidence(recognizer):
    recognizer.feed(np.zeros(16000, np.int16))
    _, word = recognizer.finish()
    assert (word.word, word.start, word.end, word.confidence) == ("w1", 0.5, 1.0, 0.9)


def test_the_real_one_takes_what_we_give():
    if importlib.util.find_spec("faster_whisper") is None:
        pytest.skip("faster-whisper is not installed")
    import faster_whisper as real  # noqa: PLC0415

    made = inspect.signature(real.WhisperModel.__init__).parameters
    assert {"model_size_or_path", "local_files_only"} <= set(made)
    taken = inspect.signature(real.WhisperModel.transcribe).parameters
    assert {"audio", "language", "beam_size", "temperature", "word_timestamps"} <= set(taken)
    assert {"condition_on_previous_text", "hotwords"} <= set(taken)
