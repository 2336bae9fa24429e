"""Opus as it comes over a wire, made by libsndfile and decoded by FFmpeg."""

import importlib.util
import io
import sys

import numpy as np
import pytest
import soundfile

from turnkit.audio import files, opus
from turnkit.audio.frames import AudioFormat
from turnkit.audio.ogg import OggPackets
from turnkit.audio.opus import RATE_HZ, OpusDecoder
from turnkit.engine.intake import Intake
from turnkit.errors import ConfigError

needs_av = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="needs the extra `opus`"
)

TONE = np.rint(8000 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.int16)


def encoded(samples, rate_hz=RATE_HZ):
    """An Ogg Opus file."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="OGG", subtype="OPUS")
    return file.getvalue()


@pytest.fixture(scope="module")
def stream():
    return encoded(TONE)


def decoded(decoder, pieces):
    return np.concatenate([decoder.feed(piece) for piece in pieces])


def pieces(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


@needs_av
@pytest.mark.parametrize("size", [1, 100, 100_000])
@pytest.mark.parametrize("ogg", [True, False])
def test_an_ogg_stream_in_pieces_of_any_size(stream, size, ogg):
    decoder = OpusDecoder(ogg=ogg)
    heard = decoded(decoder, pieces(stream, size))
    assert decoder.broken_packets == 0
    assert 0 <= len(heard) - len(TONE) < 960  # the last packet is filled up
    middle = slice(RATE_HZ // 2, -RATE_HZ // 2)
    assert np.corrcoef(heard[: len(TONE)][middle], TONE[middle])[0, 1] > 0.999


@needs_av
def test_packets_without_ogg(stream):
    packets = OggPackets().feed(stream)[2:]
    decoder = OpusDecoder()
    heard = [decoder.feed(packet) for packet in packets]
    assert {len(samples) for samples in heard} <= {480, 960}
    assert 0 <= sum(map(len, heard)) - len(TONE) < 1000
    assert decoder.broken_packets == 0


@needs_av
def test_two_channels_are_mixed():
    heard = decoded(OpusDecoder(), [encoded(np.stack([TONE, 0 * TONE], axis=1))])
    assert np.abs(heard[RATE_HZ // 2 : RATE_HZ]).max() == pytest.approx(4000, rel=0.1)


@needs_av
def test_packets_that_make_no_sense_are_counted_and_do_no_harm(stream):
    decoder = OpusDecoder()
    chance = np.random.default_rng(1)
    for _ in range(100):
        decoder.feed(b"\xff" + chance.bytes(60))
    assert decoder.broken_packets > 0
    assert decoder.feed(b"").size == 0
    assert sum(len(decoder.feed(packet)) for packet in OggPackets().feed(stream)[2:]) > 0


@needs_av
@pytest.mark.parametrize("compressed", ["opus", "ogg-opus"])
def test_the_engine_takes_it(stream, compressed):
    intake = Intake(AudioFormat(48000), 0.08, compressed)
    packets = [stream] if compressed == "ogg-opus" else OggPackets().feed(stream)[2:]
    frames = [frame for packet in packets for frame in intake.feed(packet)]
    assert len(frames) == 25
    assert sum(map(len, frames)) == pytest.approx(2 * 16000, abs=20)


def test_a_file_of_it_is_read_whole(tmp_path, stream):
    (tmp_path / "tone.ogg").write_bytes(stream)
    assert len(files.read_audio(tmp_path / "tone.ogg", 16000)) == 32000


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ConfigError, match=r"turnkit\[opus\]"):
        OpusDecoder()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert not opus.opus_installed()
