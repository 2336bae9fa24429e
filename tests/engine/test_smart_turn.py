"""The second opinion: where it is found, and that it hears what it was trained on."""

import os
from pathlib import Path

import numpy as np
import pytest

from turnkit.engine import smart_turn
from turnkit.engine.smart_turn import HEARD_SAMPLES, find_smart_turn, load_smart_turn, log_mel
from turnkit.errors import ConfigError


def tone(hz, seconds):
    at = np.arange(round(seconds * 16000)) / 16000
    return (8000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def test_none_is_wanted():
    assert find_smart_turn(None) is None


def test_a_file_that_is_not_there_is_named():
    pytest.importorskip("onnxruntime")
    with pytest.raises(ConfigError, match=r"'nowhere\.onnx' is no file"):
        find_smart_turn("nowhere.onnx")


def test_a_file_that_is_something_else_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "model.onnx"
    path.write_bytes(b"not a model")
    assert find_smart_turn(str(path)) == path
    with pytest.raises(ConfigError, match="cannot be loaded"):
        load_smart_turn(path)


def test_without_onnxruntime_a_file_is_refused_and_auto_finds_none(monkeypatch, tmp_path):
    path = tmp_path / "model.onnx"
    path.touch()
    monkeypatch.setattr(smart_turn.importlib.util, "find_spec", lambda name: None)
    assert find_smart_turn("auto") is None
    with pytest.raises(ConfigError, match=r"turnkit\[smart-turn\]"):
        find_smart_turn(str(path))


def test_auto_finds_the_newest_file_of_an_installed_package(monkeypatch, tmp_path):
    pytest.importorskip("onnxruntime")
    folder = tmp_path / "pipecat" / "audio" / "turn" / "smart_turn" / "data"
    folder.mkdir(parents=True)
    (tmp_path / "pipecat" / "__init__.py").touch()
    for name in ("smart-turn-v3.1.onnx", "smart-turn-v3.2-cpu.onnx", "notes.txt"):
        (folder / name).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert find_smart_turn("auto") == folder / "smart-turn-v3.2-cpu.onnx"


def test_the_spectrogram_has_the_shape_and_range_of_whispers():
    mel = log_mel(tone(1000, 3.0))
    assert (mel.shape, mel.dtype) == ((80, 800), np.float32)
    assert mel.max() - mel.min() == pytest.approx(2.0)  # eight decades, divided by four
    assert (mel[:, :490] == mel.min()).all()  # five seconds of silence before


def test_a_tone_is_where_slaneys_scale_puts_it():
    # 80 filters are 0.565 mels of 45.2 apart; 1 kHz is 15 of them.
    loudest = log_mel(tone(1000, 8.0))[:, 400].argmax()
    assert loudest == round(15 / (45.245 / 81)) - 1


def test_how_loud_it_is_changes_nothing():
    quiet, loud = tone(440, 8.0) // 8, tone(440, 8.0) // 8 * 4
    assert log_mel(quiet) == pytest.approx(log_mel(loud), abs=1e-4)


def test_only_the_last_eight_seconds_are_heard():
    end = tone(300, HEARD_SAMPLES / 16000)
    assert (log_mel(np.concatenate([tone(900, 3.0), end])) == log_mel(end)).all()


def test_the_network_itself_answers_where_there_is_one():
    pytest.importorskip("onnxruntime")
    path = find_smart_turn(os.environ.get("TURNKIT_SMART_TURN", "auto"))
    if path is None:
        pytest.skip("no smart-turn: install pipecat-ai, or set TURNKIT_SMART_TURN to its file")
    network = load_smart_turn(Path(path))
    assert -9.3 < network.log_odds(tone(150, 1.0)) < 9.3
    assert network.log_odds(tone(150, 1.0)) == network.log_odds(tone(150, 1.0))
