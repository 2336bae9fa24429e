"""What `end_of_turn_confidence` says, frame by frame. Pure.

How likely a pause is the end of the turn is worked out in `pause`, from how the speech before it
sounded; without that, as here for the average pause, it is a matter of silence alone:

    p(t) = prior / (prior + (1 - prior) * S(t)),    S(t) = P(hold > t) / P(hold > 0.1 s)

which reaches 0.5 after 0.53 s, 0.7 after 0.95 s and 0.9 after 1.84 s.
"""

from math import exp, log

from turnkit.engine.holds import SHORTEST_S, HoldLengths

AVERAGE_PRIOR = 0.27
"""The share of pauses that end a turn: 50 of 184 in two hand-labelled support calls."""

_AVERAGE_HOLDS = HoldLengths(mu=-1.03, sigma=0.92)  # of those calls: median 0.36 s

_AT_FIRST = 0.25  # what Flux says of the silence a connection begins with
_SILENT_HALF_LIFE_S = 0.24  # and it says half of it at the next update
_SPOKEN_HALF_LIFE_S = 0.08  # one frame: by the next update of a resumed turn there is little left
_FLOOR = 0.005


def in_pause(silence_s: float, prior: float = AVERAGE_PRIOR) -> float:
    """Return how likely a turn is over that has been silent for so long."""
    ramp = min(1.0, silence_s / SHORTEST_S)
    return ramp * prior / (prior + (1 - prior) * _AVERAGE_HOLDS.left(silence_s))


class Confidence:
    """Follows one stream.

    In a turn it falls when speech is heard and rises through each pause; between turns it decays,
    as Flux's does: silence is not the end of a turn nobody began.
    """

    def __init__(self) -> None:
        self.value = _AT_FIRST

    def in_turn(self, over: float | None, frame_s: float) -> float:
        """Return it for a frame of an open turn.

        Args:
            over: how likely the pause is the turn's end; None while somebody speaks.
            frame_s: how long the frame is.
        """
        if over is not None:
            self.value = over
        else:
            self.value = self._decayed(frame_s / _SPOKEN_HALF_LIFE_S)
        return self.value

    def between_turns(self, frame_s: float) -> float:
        """Return it for a frame outside any turn."""
        self.value = self._decayed(frame_s / _SILENT_HALF_LIFE_S)
        return self.value

    def _decayed(self, half_lives: float) -> float:
        return max(_FLOOR, self.value * exp(-half_lives * log(2)))
