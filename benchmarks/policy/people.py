"""People who talk, from a seed: when they speak and pause, and how sure a listener can be. Pure.

The distributions are chosen so that what comes out is near what is published of Flux. At its
default threshold of 0.7 the end is known some 260 ms after it (Deepgram's quickstart), or within
300 ms in the median and 1.5 s in 95 % (together.ai/models/flux), and one in eight pauses is taken
for an end (12.9 % in eot-bench, github.com/livekit/eot-bench). At 0.3 an eager end leads by 150 ms
in the median and 350 ms in the best 5 % (Telnyx's release notes on eager end of turn), and half as
many requests again are made (50 to 70 %, by Telnyx's documentation).
"""

from dataclasses import dataclass, replace
from math import exp, log
from random import Random

FRAME_S = 0.08
"""Flux's own step."""
HEARING_S = 0.04
"""From the end of a frame to the arrival of what Flux says about it: assumed."""
WORDS_PER_S = 4.0

_START_S = 1.0
_SILENCE_S = 5.5
"""How long each silence is followed; Flux's timeout ends the turn before."""
_BETWEEN_S = (7.0, 10.0)
"""From the end of one's words to the next ones: time to hear the answer out."""
_BARGE_IN_S = (3.0, 4.0)
_BARGE_INS = 0.08
_PAUSES = (0, 0, 1, 1, 1, 1, 1, 2, 2, 3)
_NOISES = 0.1
"""How often a breath or a cough follows the last word, with no words in it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a listener knows after 80 ms more."""

    at: float
    """When the news is there, in seconds."""
    words: int
    """How many of the utterance's have been heard."""
    speaking: bool
    over: float
    """How likely the turn is over."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody says before they want an answer."""

    words: tuple[str, ...]
    ended_at: float
    """When the last word was out."""
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Speech or noise, and the silence after it."""

    sound_s: float
    words: int
    silence_s: float
    peak: float
    """How sure one can become in that silence,"""
    doubt_s: float
    """how long one is not sure at all,"""
    rise_s: float
    """and how long it then takes to two thirds of the peak."""

    def over(self, silent_s: float) -> float:
        """Return how likely the turn is over, so long into the silence."""
        return self.peak * (1 - exp(-max(0.0, silent_s - self.doubt_s) / self.rise_s))


def talk(turns: int, seed: int = 1) -> list[Utterance]:
    """Return one person's utterances, each leaving time for an answer, some interrupting it."""
    random = Random(seed)
    spoken, at = list[Utterance](), _START_S
    for number in range(turns):
        stretches = _stretches(random)
        gap = _BARGE_IN_S if random.random() < _BARGE_INS else _BETWEEN_S
        utterance = _utterance(number, at, stretches)
        spoken.append(utterance)
        at = round(utterance.ended_at + random.uniform(*gap), 2)
    return spoken


def _stretches(random: Random) -> list[_Stretch]:
    found = [_phrase(random, _within(random)) for _ in range(random.choice(_PAUSES))]
    found.append(_phrase(random, _SILENCE_S))
    if random.random() < _NOISES:
        last, noise_s = found[-1], round(random.uniform(0.16, 0.32), 2)
        found[-1] = replace(last, silence_s=round(random.uniform(0.2, 0.5), 2))
        found.append(replace(last, sound_s=noise_s, words=0, doubt_s=0.0))
    return found


def _within(random: Random) -> float:
    """Return how long a pause within an utterance is."""
    return min(2.5, max(0.2, _lognormal(random, 0.55, 0.5)))


def _phrase(random: Random, silence_s: float) -> _Stretch:
    """Return a few words and the silence behind them, which is the end's or a pause's."""
    last = silence_s == _SILENCE_S
    sound_s = round(random.uniform(0.6, 2.4), 2)
    doubtful = random.random() < (0.15 if last else 0.45)
    return _Stretch(
        sound_s=sound_s,
        words=max(1, round(sound_s * WORDS_PER_S)),
        silence_s=silence_s,
        peak=0.97 if last else random.betavariate(1.4, 1.35),
        doubt_s=_lognormal(random, 0.7, 0.6) if doubtful else 0.0,
        rise_s=_lognormal(random, 0.14, 0.55),
    )


def _utterance(number: int, start: float, stretches: list[_Stretch]) -> Utterance:
    frames, at, said, ended_at = list[Frame](), start, 0, start
    for stretch in stretches:
        frames += _frames_of(stretch, at, said)
        if stretch.words:
            ended_at = round(at + stretch.sound_s, 6)
        said += stretch.words
        at += stretch.sound_s + stretch.silence_s
    words = tuple(f"turn{number}word{place}" for place in range(said))
    return Utterance(words, ended_at, tuple(frames))


def _frames_of(stretch: _Stretch, start: float, said: int) -> list[Frame]:
    """Return what is known every 80 ms of the call; words are known when they are out."""
    frames = []
    first = int(start / FRAME_S) + 1
    until = start + stretch.sound_s + stretch.silence_s
    while first * FRAME_S < until:
        now_s = first * FRAME_S - start
        silent_s = now_s - stretch.sound_s
        heard = stretch.words * min(1.0, now_s / stretch.sound_s)
        speaking = silent_s < 0
        over = 0.02 if speaking else stretch.over(silent_s)
        news_at = round(first * FRAME_S + HEARING_S, 6)
        frames.append(Frame(news_at, said + int(heard + 1e-9), speaking, over))
        first += 1
    return frames


def _lognormal(random: Random, median: float, sigma: float) -> float:
    """Draw a time in seconds, in whole milliseconds, so that no machine rounds it otherwise."""
    return max(0.001, round(random.lognormvariate(log(median), sigma), 3))
