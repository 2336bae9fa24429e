"""Moonshine, played by a stand-in."""

import importlib
import importlib.util
import inspect

import numpy as np
import pytest

from turnkit.errors import ConfigError
from turnkit.recognizers import moonshine

FILES = ("tokenizer.bin", "encoder.ort")
FRAME = np.zeros(1280, np.int16)


@pytest.fixture
def opened(standins, folder, settings):
    def made(kind="tiny-streaming-en", keyterms=()):
        model = moonshine.create(str(folder(*FILES, called=kind)), settings)
        return model.load()(keyterms)

    return made


def said(words):
    return " ".join(word.word for word in words)


def test_words_come_while_they_are_spoken(opened):
    recognizer = opened()
    partials = []
    for _ in range(26):  # 2.08 s
        recognizer.feed(FRAME)
        partials.append(said(recognizer.words))
    assert list(dict.fromkeys(partials)) == ["", "w0", "w0 w1", "w0 w1 w2"]
    assert said(recognizer.finish()) == "w0 w1 w2 w3"
    assert recognizer.words == ()


def test_words_without_times_share_their_line(opened):
    recognizer = opened()
    recognizer.feed(np.zeros(32000, np.int16))
    times = [(word.start, word.end, word.confidence) for word in recognizer.finish()]
    assert times == [(0.0, 0.5, 0.9), (0.5, 1.0, 0.9), (1.0, 1.5, 0.9), (1.5, 2.0, 0.7)]


def test_each_stream_expects_its_own_keyterms(opened):
    told = importlib.import_module("moonshine_voice").TOLD
    recognizer = opened(keyterms=("Acme, Inc", "Ceph"))
    recognizer.feed(np.zeros(8000, np.int16))
    recognizer.bias(())
    recognizer.finish()
    assert told == [["Acme  Inc", "Ceph"], []]


def test_a_model_that_cannot_expect_words_is_not_asked_to(opened):
    recognizer = opened("tiny-en", keyterms=("Ceph",))
    recognizer.feed(np.zeros(8000, np.int16))
    recognizer.close()
    assert recognizer.finish() == ()


def test_what_could_not_be_worked_out_leaves_the_words_so_far(opened):
    recognizer = opened()
    for _ in range(80):
        recognizer.feed(FRAME)
    assert said(recognizer.finish()) == "w0 w1 w2 w3"


def test_a_folder_must_say_which_kind_it_is(opened):
    with pytest.raises(ConfigError, match="does not say which kind of model"):
        opened("my-model")


def test_the_real_one_takes_what_we_give():
    if importlib.util.find_spec("moonshine_voice") is None:
        pytest.skip("moonshine-voice is not installed")
    import moonshine_voice as real  # noqa: PLC0415

    assert {kind.name for kind in real.ModelArch} >= {"TINY_STREAMING", "MEDIUM_STREAMING"}
    assert real.string_to_model_arch("small-streaming").name == "SMALL_STREAMING"
    made = inspect.signature(real.Transcriber.__init__).parameters
    assert list(made)[1:3] == ["model_path", "model_arch"]
    assert "update_interval" in inspect.signature(real.Transcriber.create_stream).parameters
    assert callable(real.Transcriber.set_keyterms)
