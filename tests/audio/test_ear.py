"""What a detector is given in place of the audio."""

import numpy as np
import pytest

from turnkit.audio.ear import Ear
from turnkit.audio.vad import WINDOW_SAMPLES

REST = 15
ROOM = np.full(WINDOW_SAMPLES, 100, np.int16)  # -50 dBFS
VOICE = np.full(WINDOW_SAMPLES, 200, np.int16)  # -44 dBFS


class Listener:
    """Keeps what it is given; takes for speech what it is told to."""

    def __init__(self):
        self.given = []
        self.probability = 0.0

    def speech_probability(self, window):
        self.given.append(window)
        return self.probability


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def ear(listener):
    return Ear(listener)


def silent(listener):
    return [not window.any() for window in listener.given]


def test_the_detector_answers(ear, listener):
    listener.probability = 0.7
    assert ear.speech_probability(VOICE) == 0.7


def test_hush_is_silence_once_nobody_has_spoken_for_a_while(ear, listener):
    for _ in range(REST + 3):
        ear.speech_probability(ROOM)
    assert silent(listener) == [False] * REST + [True] * 3


def test_what_is_louder_is_always_heard(ear, listener):
    for window in [ROOM] * REST + [ROOM, VOICE, ROOM]:
        ear.speech_probability(window)
    assert silent(listener)[REST:] == [True, False, True]


def test_after_speech_all_is_heard_for_a_while(ear, listener):
    for _ in range(REST):
        ear.speech_probability(ROOM)
    listener.probability = 0.5
    ear.speech_probability(VOICE)
    listener.probability = 0.1
    for _ in range(REST + 1):
        ear.speech_probability(ROOM)
    assert silent(listener)[REST:] == [False] * (REST + 1) + [True]


def test_what_is_heard_has_a_faint_image_above_four_kilohertz(ear, listener):
    tone = 8000 * np.sin(2 * np.pi * 1000 / 16000 * np.arange(WINDOW_SAMPLES))
    ear.speech_probability(np.rint(tone).astype(np.int16))
    spectrum = np.abs(np.fft.rfft(listener.given[0]))
    tone_bin = WINDOW_SAMPLES // 16
    image = spectrum[WINDOW_SAMPLES // 2 - tone_bin]
    assert 20 * np.log10(image / spectrum[tone_bin]) == pytest.approx(-26, abs=0.1)


def test_the_loudest_audio_is_not_clipped(ear, listener):
    loudest = np.resize(np.array([32767, -32768, -32768, 32767], np.int16), WINDOW_SAMPLES)
    ear.speech_probability(loudest)
    assert np.array_equal(np.sign(listener.given[0]), np.sign(loudest))


def test_the_audio_itself_stays_as_it_is(ear):
    window = VOICE.copy()
    ear.speech_probability(window)
    assert np.array_equal(window, VOICE)
