"""Numbered audio is heard once, in order, and never late by more than 100 ms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.transports.chunks import GAP, PATIENCE, Chunks


def heard(*numbers):
    chunks = Chunks(b"-")
    return b"".join(chunks.feed(n, str(n % 10).encode()) for n in numbers), chunks


@pytest.mark.parametrize("first", [0, 1, 7])
def test_a_stream_may_begin_anywhere(first):
    audio, _ = heard(first, first + 1)
    assert len(audio) == 2


def test_a_repeat_is_dropped():
    audio, chunks = heard(1, 2, 2, 1, 3)
    assert audio == b"123"
    assert chunks.repeated == 2


def test_pieces_out_of_order_are_put_in_order():
    audio, chunks = heard(1, 4, 3, 4, 2, 5)
    assert audio == b"12345"
    assert (chunks.repeated, chunks.lost) == (1, 0)


def test_a_lost_piece_becomes_silence_after_100_ms():
    audio, chunks = heard(1, 3, 4, 5, 6)
    assert audio == b"1"
    assert chunks.feed(7, b"7") == b"-34567"
    assert chunks.lost == 1


def test_a_piece_given_up_comes_too_late():
    audio, chunks = heard(1, 3, 4, 5, 6, 7, 2)
    assert audio == b"1-34567"
    assert chunks.repeated == 1


def test_a_leap_of_years_is_not_filled():
    audio, _ = heard(1, *range(2**50, 2**50 + PATIENCE))
    assert audio.count(b"-") == GAP


@given(st.lists(st.integers(0, 40), max_size=200))
def test_nothing_is_heard_twice_or_out_of_order(numbers):
    chunks = Chunks(b"")
    audio = b"".join(chunks.feed(n, bytes([n])) for n in numbers)
    assert list(audio) == sorted(set(audio))
    assert len(chunks._ahead) < PATIENCE
