"""What speculation may cost: limits by the minute and by the call, and a pause when it guesses ill.

Pure. What is spent on a draft counts, whether or not it is heard in the end.
"""

from collections import deque
from dataclasses import dataclass
from math import inf

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a call may spend on drafts."""

    drafts_per_minute: float = 30
    drafts_per_call: float = inf
    tokens_per_minute: float = inf
    tokens_per_call: float = inf
    characters_per_minute: float = inf
    characters_per_call: float = inf
    min_hit_rate: float = 0.2
    """Below this share of drafts that were heard, of the last `window`, guessing pauses."""
    window: int = 10
    pause_s: float = 30.0


class _Meter:
    """A sum over the last minute and over all."""

    def __init__(self, per_minute: float, per_call: float) -> None:
        self._per_minute = per_minute
        self._per_call = per_call
        self._total = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self._recent_total = 0.0

    def add(self, amount: float, now: float) -> None:
        self._total += amount
        self._recent_total += amount
        self._recent.append((now, amount))

    def limit_reached(self, now: float) -> str | None:
        while self._recent and self._recent[0][0] <= now - _MINUTE_S:
            self._recent_total -= self._recent.popleft()[1]
        if self._total >= self._per_call:
            return "a call"
        if self._recent_total >= self._per_minute:
            return "a minute"
        return None


class Budget:
    """Keeps count of one call's drafts."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits = limits or Limits()
        self._meters = {
            "drafts": _Meter(limits.drafts_per_minute, limits.drafts_per_call),
            "tokens": _Meter(limits.tokens_per_minute, limits.tokens_per_call),
            "characters": _Meter(limits.characters_per_minute, limits.characters_per_call),
        }
        self._fates: deque[bool] = deque(maxlen=limits.window)
        self._paused_until = -inf
        self._resting_until = -inf

    def refusal(self, now: float) -> str | None:
        """Return why no draft may be started now, or None."""
        for what, meter in self._meters.items():
            if (span := meter.limit_reached(now)) is not None:
                return f"limit of {what} {span}"
        if now < self._resting_until:
            return "a provider is busy"
        return "too few drafts are heard" if now < self._paused_until else None

    def pause(self, until: float) -> None:
        """Allow no draft until then: a provider has asked for rest."""
        self._resting_until = max(self._resting_until, until)

    def started(self, now: float) -> None:
        """Count a draft."""
        self._meters["drafts"].add(1, now)

    def spent(self, now: float, *, tokens: int = 0, characters: int = 0) -> None:
        """Count what was used for a draft."""
        if tokens:
            self._meters["tokens"].add(tokens, now)
        if characters:
            self._meters["characters"].add(characters, now)

    def resolved(self, now: float, *, heard: bool) -> None:
        """Count a draft's fate; too many misses of late, and guessing pauses for a while."""
        self._fates.append(heard)
        full = len(self._fates) == self._limits.window
        if full and sum(self._fates) < self._limits.min_hit_rate * self._limits.window:
            self._paused_until = now + self._limits.pause_s
            self._fates.clear()
