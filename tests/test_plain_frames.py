"""Ordinary frames are read as websockets reads them, and all others are left to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from turnkit.plain_frames import FrameEnds, read_message, write_message

messages = st.one_of(st.text(), st.binary(), st.binary(min_size=120, max_size=300))
sizes = st.lists(st.integers(1, 40))


def frame(message, *, mask=True, **odd):
    """Return a message on the wire, as websockets writes it."""
    is_text = isinstance(message, str)
    data = message.encode() if is_text else message
    return Frame(Opcode.TEXT if is_text else Opcode.BINARY, data, **odd).serialize(mask=mask)


@given(st.lists(messages, max_size=4), st.binary(max_size=5))
def test_messages_are_read_one_after_the_other(said, rest):
    data, at, read = b"".join(map(frame, said)), 0, []
    while at < len(data) and (found := read_message(data + rest, at)) is not None:
        message, at = found
        read.append(message)
    assert (read, at) == (said, len(data))


@given(messages)
def test_a_message_that_is_not_there_whole_is_left_alone(message):
    data = frame(message)
    assert all(read_message(data[:size], 0) is None for size in range(len(data)))


@given(messages)
def test_messages_are_written_as_websockets_writes_them(message):
    assert write_message(message) == frame(message, mask=False)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_length_takes_as_many_bytes_as_it_needs(size):
    message = b"\0" * size
    assert write_message(message) == frame(message, mask=False)


ODD = {
    "not masked": frame(b"audio", mask=False),
    "the first of several": frame(b"audio", fin=False),
    "a reserved bit": b"\xc2" + frame(b"audio")[1:],
    "too long": frame(b"\0" * 65_536),
    "continued": Frame(Opcode.CONT, b"audio").serialize(mask=True),
    "a ping": Frame(Opcode.PING, b"audio").serialize(mask=True),
    "a close": Frame(Opcode.CLOSE, b"\x03\xe8").serialize(mask=True),
    "not UTF-8": Frame(Opcode.TEXT, b"\xff").serialize(mask=True),
}


@pytest.mark.parametrize("what", ODD)  # masks are random, and names are not
def test_what_is_odd_is_left_to_websockets(what):
    assert read_message(ODD[what], 0) is None


@given(st.lists(st.tuples(messages, st.booleans()), min_size=1, max_size=5), sizes)
def test_it_is_known_where_frames_end_however_the_stream_is_cut(said, cuts):
    frames = [frame(message, mask=mask) for message, mask in said]
    data, ends = b"".join(frames), {sum(map(len, frames[:n])) for n in range(len(frames) + 1)}
    followed, at = FrameEnds(), 0
    for size in [*cuts, len(data)]:
        followed.feed(data[at : at + size])
        at = min(at + size, len(data))
        assert followed.between == (at in ends)


def test_a_long_frame_is_followed_without_being_kept():
    data = frame(b"\0" * 100_000)
    ends = FrameEnds()
    for at in range(0, len(data), 1000):
        assert ends.between == (at == 0)
        ends.feed(data[at : at + 1000])
    assert ends.between
