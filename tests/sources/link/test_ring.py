"""The ring: audio by its place in the call, as long as it lasts."""

import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.sources.link.ring import Piece, Ring

PHONE = AudioFormat(8000, "mulaw")


def filled(pieces, **limits):
    ring = Ring(PHONE, 0.08, **limits)
    for n in range(pieces):
        ring.append(bytes([n]) * 640, 0.08 * n)
    return ring


def test_a_piece_is_found_by_any_place_in_it():
    ring = filled(3)
    second = Piece(640, 1280, 0.08, b"\1" * 640)
    assert ring.read(640) == ring.read(1279) == second
    assert (ring.start, ring.end) == (0, 1920)


def test_what_is_not_there_yet_cannot_be_read():
    ring = filled(2)
    assert ring.read(1280) is None
    assert Ring(PHONE, 0.08).read(0) is None


def test_what_is_gone_gives_way_to_the_oldest_there_is():
    ring = filled(5, limit_s=0.24)
    assert ring.start == 1280
    assert ring.read(0) == ring.read(1280)


def test_what_is_acknowledged_is_forgotten_by_whole_pieces():
    ring = filled(4)
    ring.forget_before(1279)
    assert ring.start == 640
    ring.forget_before(1280)
    assert ring.start == 1280
    ring.forget_before(99999)
    assert (ring.start, ring.end, ring.read(0)) == (2560, 2560, None)


def test_places_go_on_after_everything_was_forgotten():
    ring = filled(2)
    ring.forget_before(ring.end)
    ring.append(b"\7" * 640, 9.0)
    assert ring.read(0) == Piece(1280, 1920, 9.0, b"\7" * 640)


@pytest.mark.parametrize(
    ("audio", "kept_s"),
    [(PHONE, 30.0), (AudioFormat(16000), 30.0), (AudioFormat(48000, "linear32"), 5.44)],
)
def test_it_keeps_half_a_minute_or_a_megabyte(audio, kept_s):
    ring = Ring(audio, 0.08)
    for _ in range(1000):
        ring.append(bytes(audio.bytes_in(0.08)), 0.0)
    assert ring.seconds(ring.end - ring.start) == pytest.approx(kept_s, abs=0.08)


def test_seconds_and_places_are_two_words_for_one_thing():
    ring = Ring(PHONE, 0.08)
    assert ring.place(1.6800001) == 13440
    assert ring.seconds(13440) == 1.68
