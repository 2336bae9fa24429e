"""What of a call's audio a connection gets, and when."""

from math import inf

import pytest

from turnkit.audio.frames import AudioFormat
from turnkit.sources.link.ring import Ring
from turnkit.sources.link.supply import Supply

PIECE_S = 0.1
AUDIO = AudioFormat(8000)


class Heard:
    """A call whose pieces came in real time, as many as there are, up to the instant 0."""

    def __init__(self, pieces, limit_s=30.0):
        self.ring = Ring(AUDIO, PIECE_S, limit_s)
        self.sent = 0
        for number in range(pieces):
            self.hear(number, (number - pieces) * PIECE_S)

    def hear(self, number, at):
        self.ring.append(bytes([number]) * AUDIO.bytes_in(PIECE_S), at)


def sent(supply, now=0.0):
    """Send each piece when it is due; return when that was, and which."""
    pieces = []
    while (piece := supply.next(now)[0]) is not None:
        now = max(now, supply.next(now)[1])
        supply.sent(piece)
        pieces.append((round(now, 6), piece.audio[0]))
    return pieces


def test_audio_goes_as_it_comes():
    call = Heard(0)
    supply = Supply(call, 0.0, 1.25)
    assert supply.next(0.0) == (None, inf)
    for number in range(3):
        call.hear(number, number)
        assert sent(supply, float(number)) == [(float(number), number)]
    assert call.sent == supply.position == call.ring.end


def test_audio_that_had_to_wait_goes_a_little_faster_than_it_came():
    supply = Supply(Heard(5), 0.0, 1.25)
    assert sent(supply) == [(0.0, 0), (0.08, 1), (0.16, 2), (0.24, 3), (0.32, 4)]


def test_a_connection_begins_where_it_is_told_to_and_says_what_it_sends_again():
    call = Heard(5)
    call.sent = call.ring.place(0.4)
    supply = Supply(call, 0.25, 1.25)
    assert supply.base == call.ring.place(0.2)
    assert (supply.replayed_s, supply.missing_s) == (0.2, 0.0)
    piece, _ = supply.next(0.0)
    supply.sent(piece)
    assert call.sent == call.ring.place(0.4)  # it was sent before
    assert [number for _, number in sent(supply)] == [3, 4]
    assert call.sent == call.ring.end


def test_what_is_not_kept_any_more_is_missing():
    supply = Supply(Heard(10, limit_s=0.4), 0.1, 1.25)
    assert (supply.missing_s, supply.replayed_s) == (pytest.approx(0.5), 0.0)


def test_it_is_over_when_all_is_sent_and_no_more_will_come():
    call = Heard(1)
    supply = Supply(call, 0.0, 1.25)
    call.ring.finished = True
    assert not supply.over
    sent(supply)
    assert supply.over
    assert not Supply(call, 0.0, 1.25).over
