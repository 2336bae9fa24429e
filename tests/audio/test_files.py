"""Recordings in and out: every width and kind, and an error that names the file."""

import struct
import sys
import wave

import numpy as np
import pytest

from turnkit.audio.files import read_audio, write_stereo_wav
from turnkit.errors import ConfigError

LEFT = np.array([0, 1000, -1000, 32767, -32768], np.int16)
RIGHT = np.array([5, 6, 7], np.int16)


def write_wav(path, data, width, rate_hz=16000, channels=1):
    with wave.open(str(path), "wb") as writer:
        writer.setparams((channels, width, rate_hz, 0, "NONE", ""))
        writer.writeframes(data)
    return path


@pytest.mark.parametrize(
    ("width", "data"),
    [
        (1, ((LEFT >> 8) + 128).astype(np.uint8).tobytes()),
        (2, LEFT.tobytes()),
        (3, (LEFT.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()),
        (4, (LEFT.astype("<i4") << 16).tobytes()),
    ],
)
def test_wav_of_every_width_can_be_read(tmp_path, width, data):
    read = read_audio(write_wav(tmp_path / "call.wav", data, width), 16000)
    assert np.array_equal(read, LEFT & -256 if width == 1 else LEFT)


def test_a_stereo_file_comes_back_by_channel_and_the_shorter_side_is_silent_at_its_end(tmp_path):
    write_stereo_wav(tmp_path / "call.wav", LEFT, RIGHT, 8000)
    assert np.array_equal(read_audio(tmp_path / "call.wav", 8000), LEFT)
    right = read_audio(tmp_path / "call.wav", 8000, channel=1)
    assert np.array_equal(right, [*RIGHT, 0, 0])


def test_a_recording_is_read_at_the_rate_asked_for(tmp_path):
    path = write_wav(tmp_path / "call.wav", bytes(2 * 22050), 2, rate_hz=22050)
    assert len(read_audio(path, 16000)) == 16000


def test_a_recording_cut_short_is_read_as_far_as_it_goes(tmp_path):
    path = write_wav(tmp_path / "call.wav", LEFT.tobytes(), 2)
    path.write_bytes(path.read_bytes()[:-3])
    assert np.array_equal(read_audio(path, 16000), LEFT[:-2])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("call.flac", {}),
        ("call.ogg", {}),
        ("call.mp3", {}),
        ("mulaw.wav", {"subtype": "ULAW"}),
        ("alaw.wav", {"subtype": "ALAW"}),
        ("float.wav", {"subtype": "FLOAT"}),
    ],
)
def test_other_files_are_read_with_soundfile(tmp_path, name, options):
    soundfile = pytest.importorskip("soundfile")
    tone = np.rint(8000 * np.sin(np.arange(16000) / 10)).astype(np.int16)
    soundfile.write(tmp_path / name, tone / 32768, 16000, **options)
    read = read_audio(tmp_path / name, 16000)
    assert np.corrcoef(read[: len(tone)], tone)[0, 1] > 0.99
    assert np.std(read) == pytest.approx(np.std(tone), rel=0.02)


def test_a_full_scale_file_of_floats_does_not_wrap(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "loud.wav", np.array([1.0, -1.0, 1.5]), 16000, subtype="FLOAT")
    assert read_audio(tmp_path / "loud.wav", 16000).tolist() == [32767, -32768, 32767]


def test_without_soundfile_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    (tmp_path / "call.flac").write_bytes(b"fLaC")
    with pytest.raises(ConfigError, match=r"call\.flac .*pip install 'turnkit\[files\]'"):
        read_audio(tmp_path / "call.flac", 16000)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"call\.wav cannot be read: No such file"):
        read_audio(tmp_path / "call.wav", 16000)


def test_a_folder_is_no_recording(tmp_path):
    with pytest.raises(ConfigError, match="expected a WAV, FLAC, Ogg or MP3 file"):
        read_audio(tmp_path, 16000)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"To whom it may concern,\n" * 50])
def test_what_is_no_audio_is_named(tmp_path, content):
    (tmp_path / "call.wav").write_bytes(content)
    with pytest.raises(ConfigError, match=r"call\.wav cannot be read: .*; expected a WAV"):
        read_audio(tmp_path / "call.wav", 16000)


def test_an_empty_recording_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"call\.wav holds no audio"):
        read_audio(write_wav(tmp_path / "call.wav", b"", 2), 16000)


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_is_not_there_is_refused(tmp_path, channel):
    write_stereo_wav(tmp_path / "call.wav", LEFT, RIGHT, 8000)
    with pytest.raises(ConfigError, match=f"has no channel {channel}; choose one from 0 to 1"):
        read_audio(tmp_path / "call.wav", 8000, channel=channel)


@pytest.mark.parametrize("rate_hz", [0, 4_000_000_000])
def test_a_rate_nobody_records_at_is_refused(tmp_path, rate_hz):
    path = write_wav(tmp_path / "call.wav", LEFT.tobytes(), 2)
    data = bytearray(path.read_bytes())
    data[24:28] = struct.pack("<I", rate_hz)
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=rf"call\.wav says that it has {rate_hz} samples"):
        read_audio(path, 16000)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_recording_that_cannot_be_written_is_one_error_and_leaves_nothing_open(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        write_stereo_wav(tmp_path / "nowhere" / "call.wav", LEFT, RIGHT, 8000)
