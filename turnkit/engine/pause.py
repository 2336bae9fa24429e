"""The pause that the user makes: since when, and how likely it is the end of the turn. Pure.

    p(t) = prior / (prior + (1 - prior) * S(t)),    S(t) = P(hold > t) / P(hold > 0.1 s)

Each pause starts with a prior: how the speech before it sounded (`prosody`), what another model
makes of it (`smart_turn`), what its last words were (`wording`). While silence lasts, holds run out
(`holds`), so p rises without a step until the next cue comes in or somebody speaks.

Nothing here depends on thresholds or on what is said to the client: the same audio has the same
course of p whatever is made of it.
"""

from collections import deque
from math import exp, inf, log

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.engine.activity import Activity
from turnkit.engine.holds import LONGEST_S, SHORTEST_S, Holds
from turnkit.engine.model import OPINION, Model, bounded
from turnkit.engine.prosody import (
    RATE_HZ,
    SPAN_SAMPLES,
    Ending,
    Voice,
    averaged,
    levels,
    measure,
)
from turnkit.engine.smart_turn import HEARD_S, Opinion

_LOOKS = 2  # frames: in the first one there may be too little of the pause to tell its beginning
_NOISE_PERCENTILE = 10  # of the last 8 s: a tenth of the time nobody makes a sound
_LEAD_S = 0.3  # of the time before a turn, for the other model

# The detector's first window of silence begins 90 ms (median) after the speech ended, which the
# activity counts as 60. The level tells the end to 10 ms (median), and is believed within these.
_UNCOUNTED_S = 0.03
_LATER_S, _EARLIER_S = 0.12, 0.2

_DICTATED = log(0.2 / 0.8)  # one pause in five ends a number, however finished each digit sounds


class Pauses:
    """Follows one stream, a frame at a time, after the activity has."""

    def __init__(self, model: Model, opinion: Opinion | None = None) -> None:
        self._prior = model.prosody if opinion is None else model.with_smart_turn
        self._model = opinion
        self.holds = Holds(model.holds, model.mean_log_hold, model.pace_weight)
        self._voice = Voice()
        self._frames: deque[Samples] = deque()
        self._kept_samples = 0
        self._now_s = 0.0
        self._turn_began_s = 0.0
        self._speaking = False
        self._looks = 0
        self._ended_s: float | None = None
        self._log_odds = 0.0
        self._wording = 0.0
        self._dictating = False
        self.ending: Ending | None = None
        """How the speech before this pause stopped; None while somebody speaks."""
        self.opinion: float | None = None
        """What the other model made of this pause, as log odds; None before it was asked."""

    @property
    def silence_s(self) -> float:
        """How long this pause has lasted; 0 while somebody speaks and before anybody did."""
        return 0.0 if self._ended_s is None else self._now_s - self._ended_s

    @property
    def over(self) -> float:
        """How likely the turn is over; 0 while somebody speaks."""
        if self._ended_s is None:
            return 0.0
        silence_s = self.silence_s
        log_odds = _DICTATED if self._dictating else self._log_odds
        left = self.holds.left(silence_s, dictated=self._dictating)
        return min(1.0, silence_s / SHORTEST_S) / (1 + exp(-log_odds) * left)

    def hear(self, samples: Samples, activity: Activity) -> None:
        """Take in a frame, after the activity has."""
        self._keep(samples)
        if activity.speaking:
            if not self._speaking:
                self._resume(activity.speech_s)
        elif self._speaking:
            self._begin()
        self._speaking = activity.speaking
        if self._speaking or self._looks == 0:
            return
        if self._looks <= _LOOKS:
            self._look(activity.silence_s + _UNCOUNTED_S)
        self._consult()

    def word(self, log_odds: float, *, dictating: bool) -> None:
        """Say what is known besides of this pause; outside one it says nothing.

        Args:
            log_odds: by how much the last words make it likelier that the turn is over.
            dictating: whether a number or a name is being spelled out.
        """
        self._dictating = dictating
        if self.ending is not None and log_odds != self._wording:
            self._wording = log_odds
            self._weigh()

    def _keep(self, samples: Samples) -> None:
        self._frames.append(samples)
        self._kept_samples += len(samples)
        self._now_s += len(samples) / RATE_HZ
        while self._kept_samples - len(self._frames[0]) >= HEARD_S * RATE_HZ:
            self._kept_samples -= len(self._frames.popleft())

    def _resume(self, speech_s: float) -> None:
        """Somebody speaks, and has for so long."""
        began_s = self._now_s - speech_s
        length_s = inf if self._ended_s is None else began_s - self._ended_s
        if length_s > LONGEST_S:
            self._turn_began_s = began_s - _LEAD_S
        self.holds.observe(length_s)
        if self.ending is not None and length_s >= SHORTEST_S:
            self._voice.take(self.ending.pitch, self.ending.voiced_frames)
        self._ended_s = self.ending = None

    def _begin(self) -> None:
        self._looks = 1
        self._wording = 0.0
        self.opinion = None

    def _look(self, expected_s: float) -> None:
        """Measure how the speech stopped; the detector expects that it did so long ago."""
        self._looks += 1
        heard = np.concatenate(self._frames)
        heard = heard - np.int16(heard.mean())  # some sound cards add a constant
        noise_db = float(np.percentile(levels(heard), _NOISE_PERCENTILE))
        last = np.pad(heard[-SPAN_SAMPLES:], (max(SPAN_SAMPLES - len(heard), 0), 0))
        ending = measure(last, noise_db, self._voice)
        self.ending = ending if self.ending is None else averaged(self.ending, ending)
        earliest_s, latest_s = expected_s + _EARLIER_S, max(expected_s - _LATER_S, 0.0)
        self._ended_s = self._now_s - min(max(self.ending.silence_s, latest_s), earliest_s)
        self._weigh()

    def _consult(self) -> None:
        """Ask the other model, once a pause. To ask again at 0.3 and 0.5 s changed nothing."""
        if self._model is None or self.opinion is not None or self.silence_s < SHORTEST_S:
            return
        turn_samples = round((self._now_s - self._turn_began_s) * RATE_HZ)
        self.opinion = self._model.log_odds(np.concatenate(self._frames)[-turn_samples:])
        self._weigh()

    def _weigh(self) -> None:
        assert self.ending is not None
        cues = {**self.ending.cues._asdict(), OPINION: self.opinion or 0.0}
        self._log_odds = bounded(self._prior.log_odds(cues) + self._wording)
