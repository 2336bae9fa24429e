"""Word error rate: how many words were heard wrongly. Pure.

The reference is a recording's transcript, the hypothesis all its turns one after the other, both
in the same spelling: lower case, without punctuation, "15" and "fifteen" being different words.
Alignment and counting are jiwer's (Apache-2.0), as in most published figures.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import jiwer

from benchmarks.turns import bootstrap
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.runs import Run

_MARKS = re.compile(r"\[[^\]]*\]|<cutoff-[^>]*>")  # noises, and words that were not finished
_HESITANT = re.compile(r"<\w+-([^>]*)>")  # <hes-forced>: a word, drawn out
_NOT_WORDS = re.compile(r"[^\w' ]+")


@dataclass(frozen=True, slots=True)
class WordScore:
    """The words of one recording."""

    recording: str
    kind: str
    words: int
    errors: int
    heard: int
    """How many words there were in the hypothesis, right or wrong."""


def word_score(run: Run) -> WordScore | None:
    """Count the wrong words; None without an English transcript, which is what endpoints know."""
    recording = run.recording
    if not recording.transcript or not (recording.language or "en").startswith("en"):
        return None
    reference = spelled(recording.transcript)
    said = [event.transcript for event in run.events if event.name == "EndOfTurn"]
    hypothesis = spelled(" ".join([*said, run.open_transcript]))
    if not reference:
        return None
    found = jiwer.process_words(reference, hypothesis)
    return WordScore(
        recording.id,
        recording.kind,
        words=len(reference.split()),
        errors=found.substitutions + found.deletions + found.insertions,
        heard=len(hypothesis.split()),
    )


def word_error_rate(scores: Sequence[WordScore]) -> Estimate:
    """Return the share of wrong words, with an interval over recordings.

    Of an endpoint that never says a word it is nan: such endpoints say only that somebody spoke.
    """
    if not any(score.heard for score in scores):
        return bootstrap.ratio([], [], [])
    return bootstrap.ratio(
        [score.errors for score in scores],
        [score.words for score in scores],
        [score.recording for score in scores],
    )


def spelled(text: str) -> str:
    """Return the words in the spelling they are compared in."""
    text = _HESITANT.sub(r"\1", _MARKS.sub(" ", text.lower()))
    return " ".join(_NOT_WORDS.sub(" ", text.replace("-", " ")).split())
