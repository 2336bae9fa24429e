"""What the doctor has to say."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Grade: TypeAlias = Literal["good", "doubtful", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, or found."""

    grade: Grade
    what: str
    where: str = ""
    """The file and line, or the step."""
    advice: str = ""
    """What to change; always there when the grade is "bad"."""
    took_s: float | None = None
    """How long a step took."""


def good(what: str, where: str = "", *, took_s: float | None = None) -> Finding:
    """Return that something is as it should be."""
    return Finding("good", what, where, took_s=took_s)


def doubtful(what: str, where: str, advice: str) -> Finding:
    """Return that something works, but perhaps not as one would like."""
    return Finding("doubtful", what, where, advice)


def bad(what: str, where: str, advice: str, *, took_s: float | None = None) -> Finding:
    """Return that something does not work."""
    return Finding("bad", what, where, advice, took_s)
