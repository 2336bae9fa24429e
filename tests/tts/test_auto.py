"""The best voice at hand, and a word about which it is."""

import pytest
from structlog.testing import capture_logs

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.tts import auto, formant


def absent(argument, settings):
    raise ConfigError("not installed")


def test_espeak_is_preferred_and_our_own_voice_is_the_last():
    assert list(auto._BEST_FIRST) == ["espeak", "program", "formant"]


def test_the_first_that_can_be_had_is_taken_and_logged_once(monkeypatch):
    voices = {"espeak": absent, "program": absent, "formant": formant.create}
    monkeypatch.setattr(auto, "_BEST_FIRST", voices)
    with capture_logs() as logs:
        voice = auto.create(None, Settings())
    assert isinstance(voice, formant.FormantSynthesizer)
    assert [log["voice"] for log in logs if log["event"] == "voice.chosen"] == ["formant"]


def test_there_is_always_a_voice():
    assert auto.create(None, Settings()).sample_rate_hz >= 16000


def test_an_argument_is_refused():
    with pytest.raises(ConfigError, match="voice auto takes no argument, not 'loud'"):
        auto.create("loud", Settings())
