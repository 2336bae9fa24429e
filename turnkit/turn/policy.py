"""The judgements the turn machine asks for, gathered where they can be changed."""

from dataclasses import dataclass, field
from math import inf
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["stop", "wait", "resume"]

_BACKCHANNELS = """
    ah aha alright hm hmm huh mhm mhmm mm mmhm mmhmm mmm
    oh ok okay right sure uh uhhuh um yeah yep yes
"""
BACKCHANNELS = frozenset(_BACKCHANNELS.split())
"""Words that show attention and do not ask for the floor (hyphens are taken out first)."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """What a sound of the user's does to a reply that is being heard.

    "stop": the reply ends at once. "pause": it stops sounding at once, and goes on where it was if
    the sound turns out to be noise or a backchannel such as "mm-hm".
    """

    at_once: Literal["stop", "pause"] = "stop"
    min_words: int = 2
    """So many words that are no backchannels take the floor."""
    decide_s: float = 0.8
    """How long a reply stays paused without such words. Of 28 labelled backchannels all were
    shorter, 71 % shorter than 0.6 s."""

    def judge(self, transcript: str, *, ended: bool = False) -> Verdict:
        """Decide by what was said so far; when the turn has `ended`, it is time to."""
        words = content_words(transcript)
        if words >= self.min_words or (ended and words):
            return "stop"
        return "resume" if ended else "wait"

    def judge_late(self, transcript: str) -> Verdict:
        """Decide when the time for it is up: a word is a word, and noise is none."""
        return "stop" if content_words(transcript) else "resume"


def content_words(transcript: str) -> int:
    """Count the words that are no backchannels. "..." and "[noise]" are no words at all."""
    cleaned = transcript.lower().replace("-", "").split()
    words = (word.strip(".,?!;:'\"") for word in cleaned if not word.startswith("["))
    return sum(1 for word in words if word and word not in BACKCHANNELS)


def normalised(transcript: str) -> list[str]:
    """Return the words without capitals and punctuation; what holds a digit stays as it is."""
    words = transcript.casefold().split()
    bare = (w.rstrip(".,?!") if any(c.isdigit() for c in w) else _bare(w) for w in words)
    return [word for word in bare if word]


def _bare(word: str) -> str:
    return "".join(char for char in word if char.isalnum() or char in "'-&")


@dataclass(frozen=True, slots=True)
class TurnPolicy:
    """When to speculate, when to give way, and how long to wait."""

    speculate: bool = True
    max_drafts_per_turn: int = 4
    """An unsteady source may flap between eager end and resume; each flap costs a model call."""

    draft_age_s: float = 30.0
    """How long a draft may wait for its turn to be final or to go on; its words grow stale."""

    hold_s: float = 0.0
    """How long a draft is kept when the user goes on, in case they end with the same words."""

    draft_deadline_s: float = 5.0
    """How long a draft may stay silent after its turn is final, before a fresh attempt."""

    reply_deadline_s: float = 15.0
    """How long any other reply may stay silent, before it counts as failed."""

    max_reply_s: float = 300.0
    """How long a reply may be heard without a pause for the user, before it is cut."""

    idle_s: float = inf
    """How long nobody speaks before the agent is asked whether it has something to say."""

    barge_in: BargeIn = field(default_factory=BargeIn)

    match: Literal["exact", "normalised"] = "exact"
    """When a draft answers the final words. Flux promises that they are the very same; for sources
    that add capitals and commas at the end, "normalised" looks at the words alone."""

    def same_words(self, drafted: str, final: str) -> bool:
        """Decide whether a draft for one transcript answers another.

        A forced end can change the words without warning, so they are always compared. A word more
        or less, a "not" or another number is never the same.
        """
        if self.match == "exact":
            return drafted == final
        return normalised(drafted) == normalised(final)
