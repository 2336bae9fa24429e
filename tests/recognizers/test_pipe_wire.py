"""What goes through the pipes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.recognizers import pipe_wire as wire
from turnkit.sources.flux_wire import Word

numbers = st.integers(0, 2**63 - 1)
terms = st.lists(st.text(max_size=20), max_size=5).map(tuple)
words = st.lists(st.builds(Word, st.text(), st.floats(0, 1)), max_size=3).map(tuple)
orders = st.one_of(
    st.builds(wire.Open, numbers, terms),
    st.builds(wire.Hear, numbers, numbers, st.binary(max_size=3000)),
    st.builds(wire.Finish, numbers, numbers),
    st.builds(wire.Drop, numbers),
    st.builds(wire.Bias, numbers, terms),
    st.builds(wire.Close, numbers),
)
news = st.one_of(
    st.builds(wire.Ready, st.floats(0, 1e6)),
    st.builds(wire.Failed, st.text()),
    st.builds(wire.Heard, numbers, numbers, numbers, st.none() | words),
    st.builds(wire.Finished, numbers, numbers, words),
    st.builds(wire.Biased, numbers),
    st.builds(wire.Broken, numbers, st.text()),
)


def unframed(frame):
    pipe = io.BytesIO(frame)
    payload = pipe.read(wire.length_of(pipe.read(wire.HEADER_BYTES)))
    assert pipe.read() == b""
    return payload


@given(orders)
def test_an_order_comes_out_as_it_went_in(order):
    assert wire.parse_order(unframed(wire.encode(order))) == order


@given(news)
def test_so_does_news(told):
    assert wire.parse_news(unframed(wire.encode(told))) == told


def test_80_ms_of_audio_cost_a_few_bytes_more_than_itself():
    assert len(wire.encode(wire.Hear(3, 7, bytes(2560)))) <= 2560 + 20


def test_a_frame_that_is_too_long_is_no_frame():
    with pytest.raises(ValueError, match="4294967295 bytes"):
        wire.length_of(b"\xff\xff\xff\xff")
