"""Frames of one size, however the bytes arrive."""

from hypothesis import given
from hypothesis import strategies as st

from turnkit.audio.framer import Framer

SILENCE = b"\x00\x01"


def test_a_frame_comes_with_the_byte_that_completes_it():
    framer = Framer(4)
    assert [framer.feed(b"abc"), framer.feed(b"d"), framer.feed(b"efghij")] == [
        [],
        [b"abcd"],
        [b"efgh"],
    ]


@given(st.lists(st.binary(max_size=20)), st.integers(1, 8).map(lambda n: 2 * n))
def test_no_byte_is_lost_or_moved(chunks, frame_bytes):
    framer = Framer(frame_bytes)
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)]
    last = framer.flush(SILENCE)
    assert all(len(frame) == frame_bytes for frame in [*frames, *([last] if last else [])])
    sent = b"".join(chunks)
    assert b"".join(frames) == sent[: len(sent) - len(sent) % frame_bytes]
    rest = sent[len(b"".join(frames)) :]
    assert (last or b"").startswith(rest[: len(rest) - len(rest) % 2])


def test_the_last_frame_is_filled_with_silence():
    framer = Framer(6)
    framer.feed(b"ab")
    assert framer.flush(SILENCE) == b"ab" + SILENCE * 2


def test_half_a_sample_at_the_end_is_dropped():
    framer = Framer(6)
    framer.feed(b"abc")
    assert framer.flush(SILENCE) == b"ab" + SILENCE * 2
    framer.feed(b"a")
    assert framer.flush(SILENCE) is None


def test_nothing_is_left_after_a_flush():
    framer = Framer(2)
    framer.feed(b"abcd")
    assert framer.flush(SILENCE) is None
