"""Pauses: which count, how long they last, and what was thought in them."""

from math import inf

import numpy as np

from benchmarks.turns.runs import Trace
from benchmarks.turns.spans import end_is_scored, pauses, resampled, room_s, scored


def kinds(found):
    return [(pause.turn, pause.kind, pause.span) for pause in found]


def test_holds_of_a_fifth_to_five_seconds_count_and_so_does_the_end(turn, recording):
    given = turn(1, 9, holds=[(2, 2.1), (3, 3.2), (3.5, 8.4), (8.5, 8.6)], next_speech=12)
    assert kinds(pauses([recording(given)])) == [
        (0, "hold", (3, 3.2)),
        (0, "hold", (3.5, 8.4)),
        (0, "end", (9, 12)),
    ]


def test_turns_nobody_is_sure_of_have_no_pauses(turn, recording):
    given = recording(turn(1, 2, quality="ambiguous"), turn(3, 4))
    assert kinds(pauses([given])) == [(1, "end", (4, inf))]


def test_an_end_lasts_until_the_channel_speaks_or_is_unscored(turn, recording):
    first, last = turn(1, 2, next_speech=8), turn(8, 9)
    given = recording(first, last, unscored=[(2.5, 2.55), (6, 7)])
    assert room_s(given, first) == 4  # a click ends no pause
    assert room_s(given, last) == inf


def test_an_end_without_room_tells_nothing(turn, recording):
    only = turn(1, 2)
    assert not end_is_scored(recording(only, unscored=[(2.4, 6)]), only)
    assert end_is_scored(recording(only, unscored=[(3.4, 6)]), only)
    assert not [p for p in pauses([recording(only, unscored=[(2.4, 6)])]) if p.kind == "end"]


def test_a_pause_has_the_scores_that_became_known_in_it(turn, recording):
    hold, end = pauses([recording(turn(1, 4, holds=[(2, 3)]))])
    trace = Trace(np.arange(10) / 2, np.arange(10) / 10)
    assert scored(hold, trace).silences_s.tolist() == [0.5, 1.0]
    assert scored(hold, trace).scores.tolist() == [0.5, 0.6]
    assert scored(end, trace).silences_s.tolist() == [0.5]


def test_between_scores_the_last_one_holds(turn, recording):
    hold, _ = pauses([recording(turn(1, 4, holds=[(2, 3)]))])
    known = scored(hold, Trace(np.array([2.25, 2.7]), np.array([0.3, 0.6])))
    stepped = resampled(known, 0.2, 2.0)
    np.testing.assert_allclose(stepped.silences_s, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert stepped.scores.tolist() == [0, 0.3, 0.3, 0.6, 0.6]


def test_an_endless_pause_is_looked_at_for_so_long(turn, recording):
    _, end = pauses([recording(turn(1, 4, holds=[(2, 3)]))])
    stepped = resampled(scored(end, Trace(np.array([4.1]), np.array([0.9]))), 0.1, 0.3)
    assert stepped.scores.tolist() == [0.9, 0.9, 0.9]
