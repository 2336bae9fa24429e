"""One conversation under one policy with one model and voice: played, and taken apart."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import structlog

from benchmarks.policy.detector import Detected, Turn, detect
from benchmarks.policy.people import Utterance, talk
from benchmarks.policy.policies import CHARACTER_PRICE, TOKEN_PRICE, Policy
from benchmarks.policy.recorded import sessions
from benchmarks.policy.services import Profile, TimedModel, TimedVoice
from turnkit.far_end import Sound
from turnkit.ledger import Ledger
from turnkit.listeners.base import ReplyReady, ReplySpent, ReplyWorded
from turnkit.model_agent import ModelAgent
from turnkit.testing import Heard, breaches, play, run_virtual
from turnkit.turn.commands import Answer, Apology, ReleaseReply, StartReply

_US = 1_000_000
_EARLY = ("silent before final", "the answer fits the words")
"""The promises that are broken when something is heard that should not have been."""


@dataclass(frozen=True, slots=True)
class Case:
    """What to play."""

    policy: Policy
    profile: Profile
    turns: int
    seed: int
    recordings: Path | None = None
    """Play the recordings of this folder, so many times, instead of people from a seed."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the time went from the last word to the first sound, in whole microseconds."""

    detection: int
    """From the end of speech to EndOfTurn,"""
    preparation: int
    """to the reply's first sound being ready, or nothing if it was ready by then,"""
    delivery: int
    """and to its being heard."""
    response: int
    """From the end of speech to the first sound: measured apart, and equal to the sum."""
    head_start: int
    """How much later it would have come without a guess."""


@dataclass(frozen=True, slots=True)
class Marks:
    """The instants of one answer, in us since the end of speech; None for what was not."""

    utterance: int
    """Which it answers."""
    started: int
    worded: int | None
    voiced: int | None
    ready: int | None
    final: int
    sounded: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case."""

    conversation: str
    policy: str
    profile: str
    utterances: int
    cut_off: int
    """Turns that Flux ended before the user had."""
    unanswered: int
    """Utterances whose answer did not come before the user spoke again."""
    drafts: int
    heard: int
    """Drafts that became the answer."""
    tokens: int
    tokens_wasted: int
    characters: int
    characters_wasted: int
    cost: float
    """Dollars."""
    cost_wasted: float
    false_starts: int
    """Sounds of a draft whose turn was not final, or was final with other words."""
    broken: tuple[str, ...]
    """Every breach of every promise: see turnkit.testing.PROMISES."""
    parts: tuple[Parts, ...]
    marks: tuple[Marks, ...]
    """Of each answer, in the order of `parts`."""


def run(case: Case) -> Outcome:
    """Play a case in virtual time."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    utterances = _utterances(case.turns, case.seed, case.recordings)
    detected = detect(utterances, case.policy.thresholds)
    agent = ModelAgent(TimedModel(case.profile, case.seed))
    heard = run_virtual(
        lambda: play(
            *detected.events,
            agent=agent,
            voice=TimedVoice(case.profile, case.seed),
            settings=case.policy.settings,
        )
    )
    return _outcome(case, utterances, detected, heard)


@cache
def _utterances(turns: int, seed: int, recordings: Path | None) -> Sequence[Utterance]:
    return talk(turns, seed) if recordings is None else sessions(recordings, turns)


def _outcome(
    case: Case, utterances: Sequence[Utterance], detected: Detected, heard: Heard
) -> Outcome:
    ledger = Ledger()
    for at, item in heard.tape:
        ledger.note(at, item)
    totals, tape = ledger.totals, _Tape(heard)
    cost, wasted = totals.cost(TOKEN_PRICE, CHARACTER_PRICE)
    answers = list[tuple[Parts, Marks]]()
    for turn in detected.turns:
        if turn.complete and turn.number in tape.sounded:
            ended_at = utterances[turn.utterance].ended_at
            head_start_s = ledger.turns[turn.number].head_start_s
            answers.append(tape.answer(turn, ended_at, head_start_s))
    broken = breaches(replace(heard, sounds=_stretches(heard.sounds)))
    return Outcome(
        conversation="scripted" if case.recordings is None else "recorded",
        policy=case.policy.name,
        profile=case.profile.name,
        utterances=len(utterances),
        cut_off=sum(not turn.complete for turn in detected.turns),
        unanswered=len(utterances) - len(answers),
        drafts=totals.drafts,
        heard=totals.released,
        tokens=totals.tokens,
        tokens_wasted=totals.wasted_tokens,
        characters=totals.characters,
        characters_wasted=totals.wasted_characters,
        cost=cost,
        cost_wasted=wasted,
        false_starts=sum(breach.startswith(_EARLY) for breach in broken),
        broken=tuple(broken),
        parts=tuple(parts for parts, _ in answers),
        marks=tuple(marks for _, marks in answers),
    )


def _stretches(sounds: Sequence[Sound]) -> list[Sound]:
    """Join frames without a gap between: the promises look at each sound for each turn."""
    found = list[Sound]()
    for sound in sounds:
        last = found[-1] if found else None
        if last is not None and last.reply == sound.reply and sound.start - last.end < 1 / _US:
            found[-1] = replace(last, end=sound.end)
        else:
            found.append(replace(sound, pcm=b""))
    return found


class _Tape:
    """What is on a session's tape about its replies."""

    def __init__(self, heard: Heard) -> None:
        self._started: dict[int, float] = {}
        self._worded: dict[int, float] = {}
        self._voiced: dict[int, float] = {}
        self._ready: dict[int, float] = {}
        self._released: dict[int, float] = {}
        turns: dict[int, int] = {}
        for at, item in heard.tape:
            match item:
                case StartReply(reply, Answer(turn=turn) | Apology(turn=turn)):
                    self._started[reply], turns[reply] = at, turn
                case ReplyWorded(reply):
                    self._worded.setdefault(reply, at)
                case ReplySpent(reply, _, characters) if characters:
                    self._voiced.setdefault(reply, at)
                case ReplyReady(reply):
                    self._ready.setdefault(reply, at)
                case ReleaseReply(reply):
                    self._released.setdefault(reply, at)
        self.sounded: dict[int, tuple[int, float]] = {}
        """Of each turn that was answered aloud: the reply, and when its first sound was heard."""
        for sound in heard.sounds:
            if sound.reply in turns:
                self.sounded.setdefault(turns[sound.reply], (sound.reply, sound.start))

    def answer(self, turn: Turn, ended_at: float, head_start_s: float) -> tuple[Parts, Marks]:
        """Take apart the answer to a turn. What it comes from is all on one clock."""
        reply, sounded_at = self.sounded[turn.number]
        ended, final, sounded = (round(at * _US) for at in (ended_at, turn.final_at, sounded_at))
        ready = max(final, round(self._ready[reply] * _US))
        parts = Parts(
            detection=final - ended,
            preparation=ready - final,
            delivery=sounded - ready,
            response=sounded - ended,
            head_start=round(head_start_s * _US),
        )
        assert parts.detection + parts.preparation + parts.delivery == parts.response, parts
        started, worded, voiced, made = (
            round(at * _US) - ended if at is not None else None
            for at in (
                self._started[reply],
                self._worded.get(reply),
                self._voiced.get(reply),
                self._ready.get(reply),
            )
        )
        assert started is not None
        marks = Marks(turn.utterance, started, worded, voiced, made, final - ended, sounded - ended)
        return parts, marks
