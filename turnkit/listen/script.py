"""Scripts: what a caller says, when, and what Flux makes of it, written down in TOML. Pure.

    [[turn]]
    say = "I'd like a table [0.8] for four."     # a pause in brackets is taken back by TurnResumed

    [[turn]]
    after = 1.5                                  # seconds since the last turn's end
    steps = [
        { say = "Make that five." },             # 0.3 s a word
        { eager = "+0.2", confidence = 0.45 },   # so long after the step before
        { resume = "+0.5" },
        { say = "Please." },
        { end = 9.5 },                           # seconds of audio since the connection
    ]

`docs/listen.md` says all that can be written. Whatever is wrong is a ConfigError that names the
script, the turn and the step.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal, TypeAlias

from turnkit.errors import ConfigError
from turnkit.sources.flux_wire import Word

WORD_S: Final = 0.3
"""How long a word takes unless the script says otherwise."""
LEAD_S: Final = 0.8
"""How long it is quiet before a turn unless the script says otherwise."""
EAGER_S: Final = 0.3
END_S: Final = 0.7
"""How long after the last word of a turn without steps its end is announced, and comes."""

MAX_WORDS: Final = 100_000
_MAX_S = 86400.0
_CONFIDENCE = 0.98  # of a word
_PAUSE = re.compile(r"\[(\d+(?:\.\d+)?)\]")
_TRIGGERS = ("model", "timeout", "manual")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word is complete."""

    at: float
    word: Word


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The turn so far reads otherwise."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Eager:
    """EagerEndOfTurn is due."""

    at: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    """TurnResumed is due."""

    at: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class End:
    """EndOfTurn is due."""

    at: float
    confidence: float | None = None
    trigger: Literal["model", "timeout", "manual"] = "model"


Cue: TypeAlias = Spoken | Rewritten | Eager | Resume | End
Script: TypeAlias = tuple[Cue, ...]
"""What happens, in order of time; times are seconds of audio since the connection."""

_STEPS: dict[str, frozenset[str]] = {
    "say": frozenset({"at", "seconds"}),
    "words": frozenset(),
    "text": frozenset({"at"}),
    "eager": frozenset({"confidence"}),
    "resume": frozenset({"confidence"}),
    "end": frozenset({"confidence", "trigger"}),
}


def parse_script(text: str, name: str = "script") -> Script:
    """Read a script. Raises ConfigError.

    Args:
        text: TOML.
        name: what to call it in errors.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise ConfigError(f"{name}: not TOML: {exc}") from None
    turns = data.get("turn")
    if set(data) - {"turn"} or not isinstance(turns, list) or not turns:
        raise ConfigError(f"{name}: expected one or more [[turn]], and nothing else")
    return _Writer(name).script(turns)


def script_of(turns: Sequence[str]) -> Script:
    """Make a script of what a caller says, turn by turn; `[0.8]` is a pause in a turn."""
    return _Writer("script").script([{"say": turn} for turn in turns])


class _Writer:
    """Writes cues, and knows where it is."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._where = ""
        self._cues: list[Cue] = []
        self._now = 0.0
        self._words = 0
        self._last_word: float | None = None  # when the turn's last word ended
        self._eager = False  # an EagerEndOfTurn stands

    def script(self, turns: Sequence[Any]) -> Script:
        for number, turn in enumerate(turns, start=1):
            self._where = f"turn {number}"
            if not isinstance(turn, Mapping):
                raise self._wrong("is not a table; write [[turn]]")
            self._turn(turn)
        return tuple(self._cues)

    def _turn(self, turn: Mapping[str, Any]) -> None:
        where = self._where
        self._known(turn, {"at", "after", "say", "steps"})
        if ("say" in turn) == ("steps" in turn):
            raise self._wrong("needs either say or steps")
        if "at" in turn and "after" in turn:
            raise self._wrong("has both at and after; write one of them")
        self._now = (
            self._time("at", turn["at"])
            if "at" in turn
            else self._now + self._seconds("after", turn.get("after", LEAD_S))
        )
        self._last_word, self._eager = None, False
        steps = turn["steps"] if "steps" in turn else self._usual(turn["say"])
        if not isinstance(steps, list) or not steps:
            raise self._wrong('steps is not a list of steps such as { say = "Yes." }')
        for number, step in enumerate(steps, start=1):
            self._where = f"{where}, step {number}" if "steps" in turn else where
            ended = self._step(step)
            if ended and number < len(steps):
                raise self._wrong("ends the turn, but steps follow; put them into a [[turn]]")
        self._where = where
        if self._last_word is None:
            raise self._wrong('has no words; add { say = "..." }')

    def _usual(self, say: object) -> list[dict[str, Any]]:
        """Return the steps of a turn that only says what is said."""
        parts = _PAUSE.split(self._text("say", say))
        steps: list[dict[str, Any]] = []
        gap_s = 0.0
        for words, pause in zip(parts[::2], [*parts[1::2], "0"], strict=True):
            if words.strip():
                if steps and gap_s > EAGER_S:  # long enough to look like the end at first
                    steps += [{"eager": f"+{EAGER_S}"}, {"resume": f"+{gap_s - EAGER_S:.3f}"}]
                    gap_s = 0.0
                steps.append({"say": words, "at": f"+{gap_s:.3f}"})
                gap_s = 0.0
            gap_s += float(pause)
        if not steps:
            raise self._wrong("says nothing but pauses")
        return [*steps, {"eager": f"+{EAGER_S}"}, {"end": f"+{END_S - EAGER_S:.3f}"}]

    def _step(self, step: Any) -> bool:
        """Write one step's cues; return whether it is the turn's end."""
        kinds = [kind for kind in _STEPS if isinstance(step, Mapping) and kind in step]
        if len(kinds) != 1:
            raise self._wrong(f'is not one of {", ".join(_STEPS)}, as in {{ end = "+0.5" }}')
        (kind,) = kinds
        self._known(step, {kind} | _STEPS[kind])
        if kind in {"say", "words", "text"} and self._eager:
            raise self._wrong(f"{kind} while an eager end stands; put a resume before it")
        match kind:
            case "say":
                self._say(self._text("say", step["say"]), step)
            case "words":
                self._timed(step["words"])
            case "text":
                self._now = self._time("at", step.get("at", "+0"))
                self._cues.append(Rewritten(self._now, self._text("text", step["text"])))
            case _:
                self._event(kind, step)
        return kind == "end"

    def _say(self, text: str, step: Mapping[str, Any]) -> None:
        words = text.split()
        start = self._time("at", step.get("at", "+0"))
        length = self._seconds("seconds", step.get("seconds", len(words) * WORD_S))
        each = length / len(words)
        for n, word in enumerate(words):
            self._speak(Word(word, _CONFIDENCE, start + n * each, start + (n + 1) * each))

    def _timed(self, words: object) -> None:
        if not isinstance(words, list) or not words:
            raise self._wrong('words is not a list such as [["Yes.", 0.8, 1.1]]')
        for entry in words:
            match entry:
                case [str(word), int() | float() as start, int() | float() as end, *rest] if (
                    word.strip() and len(rest) <= 1 and start <= end
                ):
                    begin = self._time("a word's start", start)
                    probability = self._probability(rest[0]) if rest else _CONFIDENCE
                    self._speak(Word(word, probability, begin, self._time("a word's end", end)))
                case _:
                    raise self._wrong(
                        f"{entry!r} is not [word, start, end] or [word, start, end, confidence]"
                    )

    def _speak(self, word: Word) -> None:
        self._words += 1
        if self._words > MAX_WORDS:
            raise self._wrong(f"a script has at most {MAX_WORDS} words")
        assert word.end is not None
        self._now = self._last_word = word.end
        self._cues.append(Spoken(word.end, word))

    def _event(self, kind: str, step: Mapping[str, Any]) -> None:
        if self._last_word is None:
            raise self._wrong(f"{kind} before any words")
        if kind == "eager" and self._eager:
            raise self._wrong("a second eager; put a resume between the two")
        if kind == "resume" and not self._eager:
            raise self._wrong("resume without an eager before it")
        self._now = self._time(kind, step[kind])
        confidence = self._probability(step["confidence"]) if "confidence" in step else None
        self._eager = kind == "eager"
        match kind:
            case "eager":
                self._cues.append(Eager(self._now, confidence))
            case "resume":
                self._cues.append(Resume(self._now, confidence))
            case _:
                trigger = step.get("trigger", "model")
                if trigger not in _TRIGGERS:
                    raise self._wrong(f"trigger {trigger!r} is not {', '.join(_TRIGGERS)}")
                self._cues.append(End(self._now, confidence, trigger))

    # Values.

    def _time(self, what: str, value: object) -> float:
        """Read an instant: a number, or "+0.3" after the step before."""
        if isinstance(value, str):
            if not re.fullmatch(r"\+\d+(\.\d+)?", value):
                raise self._wrong(f'{what} = "{value}" is not a time: write 4.2 or "+0.3"')
            return self._now + self._seconds(what, float(value))
        at = self._seconds(what, value)
        if at < self._now:
            raise self._wrong(f"{what} = {at:g} is before {self._now:g}, where the last step ends")
        return at

    def _seconds(self, what: str, value: object) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value <= _MAX_S
        ):
            raise self._wrong(f"{what} = {value!r} is not a number of seconds from 0 to {_MAX_S:g}")
        return float(value)

    def _probability(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise self._wrong(f"confidence = {value!r} is not a number from 0 to 1")
        return float(value)

    def _text(self, what: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(f"{what} = {value!r} is not a text with words")
        return " ".join(value.split())

    def _known(self, table: Mapping[str, Any], names: set[str]) -> None:
        for name in table:
            if name not in names:
                near = get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(names))}"
                raise self._wrong(f"unknown {name!r}; {hint}")

    def _wrong(self, what: str) -> ConfigError:
        return ConfigError(f"{self._name}, {self._where}: {what}")
