"""From values to places on paper, and the ticks between. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

_MOST_NINES = 4.5


@dataclass(frozen=True, slots=True)
class Scale:
    """One axis. `nines` spreads a distribution's tail: 90 %, 99 %, 99.9 % are equally far apart."""

    kind: Literal["linear", "log", "nines"]
    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return where a value is; what is beyond an end is at the end."""
        low, high = self._place(self.low), self._place(self.high)
        share = (self._place(value) - low) / (high - low or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Return round values with their names."""
        match self.kind:
            case "linear":
                return [
                    (value, number(value)) for value in _round_values(self.low, self.high, most)
                ]
            case "log":
                return [(value, number(value)) for value in _powers(self.low, self.high, most)]
            case "nines":
                shares = ((0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"))
                first = 0.5 if self.high >= 0.99 else 0.0  # there is no room for both names then
                return [(one, f"{name} %") for one, name in shares if first <= one <= self.high]

    def _place(self, value: float) -> float:
        match self.kind:
            case "linear":
                return value
            case "log":
                return log10(max(value, 1e-9))
            case "nines":
                return min(_MOST_NINES, -log10(max(1 - value, 1e-9)))


def spanning(
    kind: Literal["linear", "log"], values: list[float], start: float, end: float
) -> Scale:
    """Return a scale for all of these: linear from 0, logarithmic from a round value below."""
    if kind == "linear":
        high = max([*values, 0.0]) * 1.05 or 1.0
        return Scale("linear", min([*values, 0.0]), high, start, end)
    positive = [value for value in values if value > 0] or [1.0]
    low, high = min(positive) / 1.15, max(positive) * 1.15
    if high / low < 10:  # a decade at the least, so that small differences look small
        middle = (low * high) ** 0.5
        low, high = middle / 10**0.5, middle * 10**0.5
    return Scale("log", low, high, start, end)


def number(value: float) -> str:
    """Write a number as short as it can be told."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = max(0, 2 - floor(log10(abs(value))))
    shown = f"{value:.{digits}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _round_values(low: float, high: float, most: int) -> Iterator[float]:
    raw = (high - low) / max(1, most)
    power = 10.0 ** floor(log10(raw)) if raw > 0 else 1.0
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    for place in range(ceil(low / step), floor(high / step + 1e-9) + 1):
        yield round(place * step, 10)


def _powers(low: float, high: float, most: int) -> list[float]:
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    for marks in ((1, 2, 5), (1, 3), (1,)):
        found = [m * 10.0**decade for decade in decades for m in marks]
        found = [value for value in found if low <= value <= high]
        if len(found) <= most or marks == (1,):
            break
    return found
