"""Speech and the rest: two detectors, and the one that decides when the other has to look."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from turnkit.audio import silero
from turnkit.audio.silero import Silero
from turnkit.audio.vad import (
    WINDOW_SAMPLES,
    GatedVad,
    SileroVad,
    WebrtcVad,
    open_vad,
)

HANG_WINDOWS = 20
SILENCE = np.zeros(WINDOW_SAMPLES, np.int16)


def windows(samples):
    whole = len(samples) - len(samples) % WINDOW_SAMPLES
    return samples[:whole].reshape(-1, WINDOW_SAMPLES)


def numbered(first, last):
    """Windows that can be told apart."""
    return [np.full(WINDOW_SAMPLES, n, np.int16) for n in range(first, last + 1)]


class Gate:
    """Says maybe to the windows with these numbers."""

    def __init__(self, *maybe):
        self._maybe = maybe

    def speech_probability(self, window):
        return float(window[0] in self._maybe)


class Costly:
    """Keeps what it is asked."""

    def __init__(self):
        self.seen = []

    def speech_probability(self, window):
        self.seen.append(int(window[0]))
        return 0.75


@pytest.fixture
def speech(shared: Path):
    samples, _ = soundfile.read(shared / "audio/utterance/ps_goforward.flac", dtype="int16")
    return windows(samples)


@pytest.fixture
def rain(shared: Path):
    samples, _ = soundfile.read(shared / "audio/noise/esc10_rain_1-17367-A.flac", dtype="int16")
    return windows(samples)


def test_while_the_gate_is_shut_the_costly_detector_rests():
    costly = Costly()
    vad = GatedVad(costly, Gate())
    assert [vad.speech_probability(window) for window in numbered(1, 50)] == [0.0] * 50
    assert costly.seen == []


def test_opening_the_gate_shows_what_came_just_before_and_in_order():
    costly = Costly()
    vad = GatedVad(costly, Gate(30))
    heard = [vad.speech_probability(window) for window in numbered(1, 31)]
    assert heard == [0.0] * 29 + [0.75] * 2
    assert costly.seen == list(range(22, 32))


def test_the_gate_stays_open_for_a_while():
    costly = Costly()
    vad = GatedVad(costly, Gate(1, 5))
    heard = [vad.speech_probability(window) for window in numbered(1, 60)]
    assert heard == [0.75] * (4 + HANG_WINDOWS) + [0.0] * (56 - HANG_WINDOWS)


def test_no_window_is_shown_twice():
    costly = Costly()
    vad = GatedVad(costly, Gate(1, 24))
    for window in numbered(1, 60):
        vad.speech_probability(window)
    assert costly.seen == sorted(set(costly.seen))


def test_digital_silence_opens_no_gate():
    costly = Costly()
    vad = GatedVad(costly)
    assert {vad.speech_probability(SILENCE) for _ in range(100)} == {0.0}
    assert costly.seen == []


def test_webrtcvad_knows_silence_from_speech(speech):
    vad = WebrtcVad()
    assert vad.speech_probability(SILENCE) == 0.0
    assert np.mean([vad.speech_probability(window) for window in speech]) > 0.5


def test_webrtcvad_takes_rain_for_speech_and_silero_does_not(rain):
    webrtc, silero = WebrtcVad(), SileroVad()
    assert np.mean([webrtc.speech_probability(window) for window in rain]) > 0.2
    assert max(silero.speech_probability(window) for window in rain) < 0.5


def test_the_gate_changes_next_to_nothing_of_what_silero_decides(speech):
    lead = np.zeros((40, WINDOW_SAMPLES), np.int16)
    course = [*lead, *speech, *lead, *speech]
    ungated, gated = open_vad(), GatedVad(open_vad())
    alone = [ungated.speech_probability(window) >= 0.5 for window in course]
    behind = [gated.speech_probability(window) >= 0.5 for window in course]
    assert np.mean(np.array(alone) != np.array(behind)) <= 0.01


def test_the_best_detector_installed_is_taken(monkeypatch):
    assert isinstance(open_vad(), Silero)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert isinstance(open_vad(), WebrtcVad)


def test_weights_of_another_kind_leave_the_work_to_the_package_that_has_them(monkeypatch, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"something else, and longer than a header")
    monkeypatch.setattr(silero, "weights_file", lambda: tmp_path / "weights.bin")
    assert isinstance(open_vad(), GatedVad)


def test_without_weights_likewise(monkeypatch):
    monkeypatch.setattr(silero, "_FILES", "no-such-file")
    assert isinstance(open_vad(), GatedVad)
