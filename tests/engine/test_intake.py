"""Any encoding, rate and chunk in; frames of 16 kHz samples out."""

import numpy as np
import pytest

from turnkit.audio.frames import AudioFormat, samples_of
from turnkit.engine.intake import Intake
from turnkit.sources.flux_query import ENCODINGS, SAMPLE_RATES_HZ

FRAME_S = 0.08


def tone(rate_hz, seconds=0.8):
    return np.sin(2 * np.pi * 440 * np.arange(round(rate_hz * seconds)) / rate_hz)


def all_of(audio, data, chunk_bytes=100_000):
    intake = Intake(audio, FRAME_S)
    chunks = [data[n : n + chunk_bytes] for n in range(0, len(data), chunk_bytes)]
    return [frame for chunk in chunks for frame in intake.feed(chunk)]


def test_linear16_at_16_khz_passes_unchanged():
    pcm = np.resize([1, -1, 30000, -30000], 2560).astype("<i2").tobytes()
    first, second = all_of(AudioFormat(16000), pcm)
    assert len(first) == 1280
    assert np.array_equal(np.concatenate([first, second]), samples_of(pcm))


@pytest.mark.parametrize("chunk_bytes", [1, 7, 2560, 2561])
def test_how_the_audio_is_cut_changes_nothing(chunk_bytes):
    pcm = np.arange(4000, dtype=np.int16).tobytes()
    frames = all_of(AudioFormat(16000), pcm, chunk_bytes)
    assert [frame.tolist() for frame in frames] == [
        frame.tolist() for frame in all_of(AudioFormat(16000), pcm)
    ]


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_eighty_milliseconds_are_a_frame_whatever_they_are_sent_as(encoding, rate_hz):
    audio = AudioFormat(rate_hz, encoding)
    assert len(all_of(audio, audio.silence(0.8))) == 10
    assert len(all_of(audio, audio.silence(0.8)[:-1])) == 9


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_what_comes_out_is_the_same_sound_at_16_khz(rate_hz):
    pcm = np.rint(tone(rate_hz) * 10000).astype(np.int16).tobytes()
    heard = np.concatenate(all_of(AudioFormat(rate_hz), pcm))
    wanted = tone(16000)[: len(heard)] * 10000
    assert len(heard) >= 12800 - 100
    assert np.abs(heard - wanted)[100:-100].max() < 100


def test_floats_from_minus_one_to_one_fill_the_range():
    floats = np.zeros(1280, "<f4")
    floats[:8] = [1.0, -1.0, 0.5, -0.5, 7.0, -np.inf, np.inf, -1.0]
    (frame,) = all_of(AudioFormat(16000, "linear32"), floats.tobytes())
    assert frame[:8].tolist() == [32767, -32767, 16384, -16384, 32767, -32767, 32767, -32767]


def test_what_is_not_a_number_is_silence():
    floats = np.full(1280, np.nan, "<f4")
    (frame,) = all_of(AudioFormat(16000, "linear32"), floats.tobytes())
    assert not frame.any()


@pytest.mark.parametrize(("encoding", "codes"), [("mulaw", b"\x80\x00"), ("alaw", b"\xaa\x2a")])
def test_g711_is_decoded(encoding, codes):
    (frame,) = all_of(AudioFormat(16000, encoding), codes * 640)
    assert frame[::2].min() > 32000
    assert frame[1::2].max() < -32000


def test_a_constant_offset_is_removed():
    offset = np.full(16000, 3000, np.int16)
    heard = np.concatenate(all_of(AudioFormat(16000), offset.tobytes()))
    assert np.abs(heard).max() <= 1


def test_levels_are_those_received():
    intake = Intake(AudioFormat(16000), FRAME_S)
    intake.feed(np.resize([32767, -32768, 0, 0], 1280).astype("<i2").tobytes())
    assert (intake.meter.samples, intake.meter.clipped) == (1280, 640)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_bytes_are_audio(encoding):
    noise = np.random.default_rng(7).integers(0, 256, 50_000, dtype=np.uint8).tobytes()
    for frame in all_of(AudioFormat(44100, encoding), noise):
        assert frame.dtype == np.int16
