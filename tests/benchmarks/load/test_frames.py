"""How audio comes, by pieces whose times are known."""

import pytest

from benchmarks.load import codes
from benchmarks.load.codes import Code
from benchmarks.load.frames import overlaps, pacing_of, together
from benchmarks.load.records import Heard


def heard(*times, turn=0):
    key = codes.key(codes.frame(Code(1, turn, 0), "mulaw", 8000), "mulaw", 8000)
    return Heard(0, "mulaw", 0.0, list(times), [0.02] * len(times), [key] * len(times), [])


def steady(count, lead_s=0.2, start=10.0):
    return [start + max(0.0, n * 0.02 - lead_s) for n in range(count)]


def test_a_steady_reply_is_neither_late_nor_uneven():
    found = pacing_of([heard(*steady(60))], 0, 100)
    assert (found.pieces, found.gaps_ms, found.late_share) == (60, [], 0)
    assert max(found.uneven_ms) == pytest.approx(0, abs=1e-6)


def test_what_comes_after_all_was_played_is_late():
    times = steady(60)
    times[40:] = [at + 0.25 for at in times[40:]]  # 50 ms more than the lead
    found = pacing_of([heard(*times)], 0, 100)
    assert found.gaps_ms == pytest.approx([50])
    assert found.late_share == 1 / 60


def test_what_the_lead_covers_is_uneven_and_not_late():
    times = steady(60)
    times[40:42] = [at + 0.04 for at in times[40:42]]
    found = pacing_of([heard(*times)], 0, 100)
    assert found.gaps_ms == []
    assert sorted(found.uneven_ms)[-2:] == pytest.approx([40, 40])


def test_two_replies_are_not_one_with_a_gap():
    first, second = steady(60), steady(60, start=11.5)
    calls = [heard(*first), heard(*second, turn=1)]
    both = heard(*first, *second)
    both.keys = calls[0].keys + calls[1].keys
    assert pacing_of([both], 0, 100).gaps_ms == []


def test_a_reply_in_which_the_load_stood_still_is_left_out():
    assert pacing_of([heard(*steady(60))], 0, 100, [(10.5, 10.6)]).pieces == 0
    assert pacing_of([heard(*steady(60))], 0, 100, [(9.0, 9.5), (12.0, 12.5)]).pieces == 60


@pytest.mark.parametrize(
    ("start", "end", "found"), [(0, 0.9, False), (0, 1, True), (2, 5, True), (2.1, 3.9, False)]
)
def test_which_times_overlap(start, end, found):
    assert overlaps([(1, 2), (4, 6)], start, end) is found


def test_what_several_noticed_is_one_stall():
    assert together([(4, 6), (1, 3), (5, 5.5), (2, 3.5)]) == [(1, 3.5), (4, 6)]
