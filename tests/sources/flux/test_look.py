"""What is said of audio nobody could read."""

import pytest

from turnkit.sources.flux.look import LOOK_BYTES, look


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"RIFF\x24\x00\x00\x00WAVE", "a WAV file"),
        (b"OggS\x00", "an Ogg file"),
        (b"[object Blob]", "the name of an object"),
        (b'{"type":"KeepAlive"}', "JSON"),
    ],
)
def test_a_file_is_named(head, name):
    assert f"look like {name}" in look(head + bytes(100))


def test_figures_tell_encodings_apart():
    assert look(bytes(LOOK_BYTES + 7)) == (
        "its first 2560 bytes begin with 00 00 00 00, are 100 % 0x00 and 0 % 0xff, "
        "have 1 different values"
    )
    assert "0 % 0x00 and 100 % 0xff" in look(b"\xff" * 640)


def test_nothing_is_nothing():
    assert look(b"") == "nothing was sent"
