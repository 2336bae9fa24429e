"""The pause as it goes on: since when it lasts, and how likely it is the end."""

from itertools import pairwise
from math import log

import numpy as np
import pytest

from turnkit.engine.activity import Activity
from turnkit.engine.holds import HoldLengths
from turnkit.engine.model import OPINION, Cue, Model, Prior
from turnkit.engine.pause import Pauses

RATE_HZ = 16000
FRAME = 1280
EVEN = Prior(0.0, {})  # every pause is as likely an end as not
HEEDFUL = Prior(0.0, {OPINION: Cue(mean=0.0, scale=1.0, weight=1.0)})
MODEL = Model(EVEN, HEEDFUL, HoldLengths(log(0.4), 0.9), mean_log_hold=log(0.4), pace_weight=8.0)


class Caller:
    """Somebody who speaks and pauses, as frames of 80 ms: a tone and a detector that knows."""

    def __init__(self, opinion=None, model=MODEL):
        self.pauses = Pauses(model, opinion)
        self._activity = Activity()
        self._rest = 0

    def speaks(self, seconds):
        self._goes_on(seconds, 3000)

    def is_silent(self, seconds):
        return self._goes_on(seconds, 0)

    def _goes_on(self, seconds, amplitude):
        course = []
        at = np.arange(FRAME) / RATE_HZ
        frame = (amplitude * np.sin(2 * np.pi * 150 * at)).astype(np.int16)
        for _ in range(round(seconds / 0.08)):
            self._rest += FRAME
            while self._rest >= 512:
                self._rest -= 512
                self._activity.hear(1.0 if amplitude else 0.0)
            self.pauses.hear(frame, self._activity)
            course.append(self.pauses.over)
        return course


class Opinionated:
    """The other model, which always says the same."""

    def __init__(self, log_odds):
        self.heard = []
        self._log_odds = log_odds

    def log_odds(self, turn):
        self.heard.append(len(turn) / RATE_HZ)
        return self._log_odds


def test_before_anybody_spoke_there_is_no_pause():
    caller = Caller()
    assert caller.is_silent(2.0) == [0.0] * 25
    assert caller.pauses.silence_s == 0.0


def test_the_pause_lasts_as_long_as_the_silence_whenever_it_was_noticed():
    caller = Caller()
    caller.speaks(1.6)
    caller.is_silent(0.56)
    assert caller.pauses.silence_s == pytest.approx(0.56, abs=0.03)


def test_it_is_ever_likelier_the_end_until_somebody_speaks():
    caller = Caller()
    caller.speaks(1.6)
    course = caller.is_silent(4.0)
    assert all(earlier < later for earlier, later in pairwise(course))
    assert course[0] < 0.6
    assert course[-1] > 0.95
    caller.speaks(0.4)
    assert caller.pauses.over == 0.0
    assert caller.pauses.ending is None


def test_a_caller_who_keeps_pausing_long_is_waited_for():
    patient, plain = Caller(), Caller()
    for _ in range(6):
        patient.speaks(1.6)
        patient.is_silent(1.6)
    patient.speaks(1.6)
    plain.speaks(1.6)
    assert patient.is_silent(0.8)[-1] < plain.is_silent(0.8)[-1] - 0.05


def test_the_other_model_is_asked_once_a_pause_and_hears_the_turn_alone():
    other = Opinionated(2.0)
    caller = Caller(other)
    for seconds in (1.6, 0.8):
        caller.is_silent(4.0)
        caller.speaks(seconds)
    caller.is_silent(4.0)
    lead_s, pause_s = 0.3, 0.1
    assert other.heard == [
        pytest.approx(1.6 + lead_s + pause_s, abs=0.1),
        pytest.approx(0.8 + lead_s + pause_s, abs=0.1),
    ]


def test_the_other_model_hears_eight_seconds_at_most():
    other = Opinionated(0.0)
    caller = Caller(other)
    caller.speaks(12.0)
    caller.is_silent(0.4)
    assert other.heard == [pytest.approx(8.0, abs=0.09)]


def test_what_the_other_model_thinks_counts():
    courses = []
    for log_odds in (-2.0, 2.0):
        caller = Caller(Opinionated(log_odds))
        caller.speaks(1.6)
        courses.append(caller.is_silent(0.4)[-1])
    assert courses[0] < 0.3
    assert courses[1] > 0.8


def test_words_count_for_the_pause_they_came_before():
    caller = Caller()
    caller.speaks(1.6)
    plain = caller.is_silent(0.4)[-1]
    caller.pauses.word(-2.0, dictating=False)
    assert caller.pauses.over < plain - 0.2
    caller.speaks(1.6)
    assert caller.is_silent(0.4)[-1] == pytest.approx(plain, abs=0.05)


def test_while_a_number_is_dictated_gaps_are_no_ends():
    caller = Caller()
    caller.speaks(0.4)
    caller.pauses.word(0.0, dictating=True)
    course = caller.is_silent(4.0)
    assert course[round(0.9 / 0.08)] < 0.5
    assert course[-1] > 0.9


def test_a_hum_on_the_line_is_no_speech_that_goes_on():
    caller = Caller()
    caller.speaks(1.6)
    hum = np.full(FRAME, 0, np.int16)
    hum[::2] = 2500  # as loud as speech; the detector knows better
    for n in range(10):
        while caller._rest >= 512:
            caller._rest -= 512
        for _ in range(2 + n % 2):
            caller._activity.hear(0.0)
        caller.pauses.hear(hum, caller._activity)
    assert caller.pauses.silence_s > 0.6
