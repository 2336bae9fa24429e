"""How likely it is that the user's turn is over. Pure.

A pause is either the turn's end, with a prior probability, or a hold: the speaker will go on. Holds
run out, so the longer the silence, the likelier the end:

    p(t) = prior / (prior + (1 - prior) * S(t)),    S(t) = P(hold > t) / P(hold > 0.1 s)

with the length of holds lognormal. The prior is where cues from prosody and words will come in;
the average one makes `eot_threshold` a length of silence: 0.53 s at 0.5, 0.95 s at 0.7, 1.84 s at
0.9.
"""

from math import erfc, exp, log, sqrt

AVERAGE_PRIOR = 0.27
"""The share of pauses that end a turn: 50 of 184 in two hand-labelled support calls."""

# Holds in those calls: median 0.36 s.
_MU = -1.03
_SIGMA = 0.92
_SHORTEST_HOLD_S = 0.1  # shorter silences are part of speaking

_AT_FIRST = 0.25  # what Flux says of the silence a connection begins with
_SILENT_HALF_LIFE_S = 0.24  # and it says half of it at the next update
_SPOKEN_HALF_LIFE_S = 0.08  # one frame: by the next update of a resumed turn there is little left
_FLOOR = 0.005


def in_pause(silence_s: float, prior: float = AVERAGE_PRIOR) -> float:
    """Return how likely a turn is over that has been silent for so long."""
    ramp = min(1.0, silence_s / _SHORTEST_HOLD_S)
    return ramp * prior / (prior + (1 - prior) * _holds_left(silence_s))


def _holds_left(silence_s: float) -> float:
    """Return the share of holds of 0.1 s or more that last longer than this."""
    return _longer_than(max(silence_s, _SHORTEST_HOLD_S)) / _longer_than(_SHORTEST_HOLD_S)


def _longer_than(length_s: float) -> float:
    return erfc((log(length_s) - _MU) / (_SIGMA * sqrt(2))) / 2


class Confidence:
    """What `end_of_turn_confidence` says, frame by frame.

    In a turn it falls when speech is heard and rises through each pause; between turns it decays,
    as Flux's does: silence is not the end of a turn nobody began.
    """

    def __init__(self) -> None:
        self.value = _AT_FIRST

    def in_turn(self, silence_s: float, frame_s: float) -> float:
        """Return it for a frame of an open turn; no silence means speech."""
        if silence_s:
            self.value = in_pause(silence_s)
        else:
            self.value = self._decayed(frame_s / _SPOKEN_HALF_LIFE_S)
        return self.value

    def between_turns(self, frame_s: float) -> float:
        """Return it for a frame outside any turn."""
        self.value = self._decayed(frame_s / _SILENT_HALF_LIFE_S)
        return self.value

    def _decayed(self, half_lives: float) -> float:
        return max(_FLOOR, self.value * exp(-half_lives * log(2)))
