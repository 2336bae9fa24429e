"""Our own ear: silence is none, and a voice is one."""

import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.audio.g711 import encode_mulaw
from turnkit.sources.flux.ear import Ear

WIDE = AudioFormat(16000)
PHONE = AudioFormat(8000, "mulaw")


def hear(ear, audio, piece_bytes):
    for start in range(0, len(audio), piece_bytes):
        piece = audio[start : start + piece_bytes].ljust(piece_bytes, b"\0")
        ear.hear(piece, (start // piece_bytes + 1) * 0.08)


def test_digital_silence_is_no_speech():
    for audio in (WIDE, PHONE):
        ear = Ear(audio)
        hear(ear, audio.silence(2.0), audio.bytes_in(0.08))
        assert (ear.spoken_s, ear.speech_s) == (0.0, 0.0)


@pytest.fixture(scope="module")
def voice(shared):
    soundfile = pytest.importorskip("soundfile")
    clip = shared / "audio" / "utterance" / "dialogflow_two_people.flac"
    samples, _ = soundfile.read(clip, dtype="int16")
    return samples


def test_it_knows_where_somebody_last_spoke(voice):
    ear = Ear(WIDE)
    hear(ear, voice.tobytes() + WIDE.silence(2.0), 2560)
    length_s = len(voice) / 16000
    assert 0 < ear.spoken_s <= length_s + 0.16
    assert ear.speech_s == 0.0


def test_it_hears_the_telephone_too(voice):
    ear = Ear(PHONE)
    hear(ear, encode_mulaw(voice[::2].copy()), 640)
    assert ear.spoken_s > 0


def test_it_knows_for_how_long_somebody_has_been_speaking(voice):
    ear = Ear(WIDE)
    longest_s = 0.0
    for start in range(0, len(voice) * 2, 2560):
        hear(ear, voice.tobytes()[start : start + 2560], 2560)
        longest_s = max(longest_s, ear.speech_s)
    assert longest_s >= 0.3
