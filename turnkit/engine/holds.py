"""How long people pause within a turn, and how long this one does. Pure.

The lengths of holds (pauses after which the same person goes on) are close to lognormal. Every
caller has a pace of their own, which the holds of the call tell little by little.
"""

from dataclasses import dataclass
from math import erfc, log, sqrt

SHORTEST_S = 0.1
"""Shorter silences are part of speaking."""

LONGEST_S = 2.5
"""What is counted as a hold of the caller's: after more than this they may well have waited for
an answer. Independent of thresholds, so that an early end does not teach the engine haste."""

_LEAST_SHARE = 1e-9


@dataclass(frozen=True, slots=True)
class HoldLengths:
    """A lognormal distribution, of seconds."""

    mu: float
    sigma: float

    def left(self, silence_s: float) -> float:
        """Return the share of holds of `SHORTEST_S` or more that last longer than this."""
        if silence_s <= SHORTEST_S:
            return 1.0
        return max(self.longer_than(silence_s) / self.longer_than(SHORTEST_S), _LEAST_SHARE)

    def longer_than(self, length_s: float) -> float:
        """Return the share of the whole distribution beyond this length."""
        return erfc((log(length_s) - self.mu) / (self.sigma * sqrt(2))) / 2


# While a number or a name is spelled out: gaps of 0.15 to 0.9 s are natural between digits and
# groups of them, and hardly one lasts two seconds.
_DICTATED = HoldLengths(mu=0.0, sigma=0.6)


class Holds:
    """The holds of one call: what people do, shifted to what this caller did so far."""

    def __init__(self, usual: HoldLengths, usual_mean_log: float, weight: float) -> None:
        """Begin with what is usual.

        Args:
            usual: the lengths of everybody's holds.
            usual_mean_log: the mean of their logarithms, of those from `SHORTEST_S` to `LONGEST_S`.
            weight: how many holds of the caller's count as much as what is usual.
        """
        self._usual = usual
        self._usual_mean_log = usual_mean_log
        self._weight = weight
        self._lengths = usual
        self.count = 0
        """How many holds of this caller's were observed, and the mean logarithm of their length."""
        self.mean_log = 0.0

    @property
    def shift(self) -> float:
        """How much longer this caller's are, as a difference of logarithms of which part counts."""
        if not self.count:
            return 0.0
        share = self.count / (self.count + self._weight)
        return share * (self.mean_log - self._usual_mean_log)

    def left(self, silence_s: float, *, dictated: bool = False) -> float:
        """Return the share of holds that last longer than this.

        Args:
            silence_s: how long the pause has lasted.
            dictated: whether a number or a name is being spelled out.
        """
        return (_DICTATED if dictated else self._lengths).left(silence_s)

    def observe(self, length_s: float) -> None:
        """Take in a silence after which the caller went on."""
        if not SHORTEST_S <= length_s <= LONGEST_S:
            return
        count = self.count + 1
        self.pace(count, self.mean_log + (log(length_s) - self.mean_log) / count)

    def pace(self, count: int, mean_log: float) -> None:
        """Set what was observed of this caller: how many holds, and their mean logarithm."""
        self.count, self.mean_log = count, mean_log
        self._lengths = HoldLengths(self._usual.mu + self.shift, self._usual.sigma)
