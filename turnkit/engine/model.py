"""The fitted numbers behind `end_of_turn_confidence`, from `model.toml` beside this.

`python -m benchmarks.turns.fit` writes that file; nobody edits it by hand.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from pathlib import Path

import msgspec

from turnkit.engine.holds import HoldLengths
from turnkit.engine.prosody import Cues

FILE = Path(__file__).with_name("model.toml")

OPINION = "smart_turn"
"""The name of the one cue that is not prosody: another model's log odds."""

_EXTREME = 3.0  # scales: what is further out tells of a mistake in measuring
_LEAST, _MOST = 0.02, 0.97  # nothing that is known of a pause is as sure as that


class Cue(msgspec.Struct, frozen=True):
    """What a cue usually is, and how it moves the log odds of an end, a scale."""

    mean: float
    scale: float
    weight: float


class Prior(msgspec.Struct, frozen=True):
    """How likely a pause is the turn's end before it has lasted: a logistic function of cues."""

    intercept: float
    cues: Mapping[str, Cue]
    least: float = 0.02
    """Probabilities: however a pause sounds, it is no surer than these."""
    most: float = 0.97

    def log_odds(self, cues: Mapping[str, float]) -> float:
        """Return the log odds; cues far from what is usual count as if they were nearer."""
        total = self.intercept
        for name, cue in self.cues.items():
            off = (cues[name] - cue.mean) / cue.scale
            total += cue.weight * min(max(off, -_EXTREME), _EXTREME)
        return min(max(total, _logit(self.least)), _logit(self.most))


def bounded(log_odds: float) -> float:
    """Return log odds as far as a pause that has just begun can be judged: 0.02 to 0.97."""
    return min(max(log_odds, _logit(_LEAST)), _logit(_MOST))


@dataclass(frozen=True, slots=True)
class Model:
    """All of it."""

    prosody: Prior
    with_smart_turn: Prior
    """The same with the network's opinion, which knows part of what prosody tells."""
    holds: HoldLengths
    mean_log_hold: float
    """The mean logarithm of the holds that teach a caller's pace."""
    pace_weight: float
    """How many of a caller's holds count as much as what is usual."""


class _Holds(msgspec.Struct):
    mu: float
    sigma: float
    mean_log: float
    pace_weight: float


class _File(msgspec.Struct):
    holds: _Holds
    prosody: Prior
    with_smart_turn: Prior


def load_model(path: Path = FILE) -> Model:
    """Read the numbers."""
    with path.open("rb") as file:
        read = msgspec.convert(tomllib.load(file), _File)
    known = {*Cues._fields, OPINION}
    assert {*read.prosody.cues, *read.with_smart_turn.cues} <= known, f"{path}: unknown cues"
    return Model(
        prosody=read.prosody,
        with_smart_turn=read.with_smart_turn,
        holds=HoldLengths(read.holds.mu, read.holds.sigma),
        mean_log_hold=read.holds.mean_log,
        pace_weight=read.holds.pace_weight,
    )


def _logit(probability: float) -> float:
    return log(probability / (1 - probability))
