"""Ogg pages, in pieces of any size and with some missing."""

import numpy as np
import pytest

from turnkit.audio.ogg import MAX_PACKET_BYTES, OggPackets


def page(*packets, continued=False, open_end=False):
    """A page of whole packets; the last may go on in the next page, the first may have begun."""
    segments = b""
    for n, packet in enumerate(packets):
        segments += b"\xff" * (len(packet) // 255)
        if not (open_end and n == len(packets) - 1):
            segments += bytes([len(packet) % 255])
    head = b"OggS\0" + bytes([int(continued)]) + bytes(20) + bytes([len(segments)])
    return head + segments + b"".join(packets)


def split(data, size):
    ogg = OggPackets()
    return [packet for at in range(0, len(data), size) for packet in ogg.feed(data[at : at + size])]


STREAM = page(b"head") + page(b"one", b"two" * 200) + page(b"x" * 510, open_end=True)
STREAM += page(b"y" * 90, b"three", continued=True)
PACKETS = [b"head", b"one", b"two" * 200, b"x" * 510 + b"y" * 90, b"three"]


@pytest.mark.parametrize("size", [1, 3, 27, 100, 10_000])
def test_packets_come_whole_however_the_stream_is_cut(size):
    assert split(STREAM, size) == PACKETS


def test_what_is_no_page_is_passed_over():
    assert split(b"noise OggX" + page(b"one") + b"more noise" + page(b"two"), 5) == [b"one", b"two"]


def test_a_packet_whose_beginning_is_lost_is_lost_and_no_other():
    assert split(page(b"rest of it", b"next", continued=True), 9) == [b"next"]


def test_a_packet_whose_end_is_lost_is_lost_and_no_other():
    assert split(page(b"x" * 255, open_end=True) + page(b"next"), 64) == [b"next"]


def test_no_packet_grows_without_end():
    ogg = OggPackets()
    endless = page(b"x" * 255 * 255, open_end=True)
    goes_on = page(b"x" * 255 * 255, continued=True, open_end=True)
    for _ in range(20):
        assert ogg.feed(goes_on if _ else endless) == []
    assert ogg.feed(page(b"end", b"next", continued=True)) == [b"next"]
    assert len(endless) > MAX_PACKET_BYTES / 2


def test_noise_is_not_kept():
    ogg = OggPackets()
    chance = np.random.default_rng(0)
    for _ in range(50):
        ogg.feed(chance.bytes(10_000).replace(b"OggS", b"...."))
    assert ogg.feed(page(b"one")) == [b"one"]
