"""Words and sounds that say whose reply they are.

A transcript names its call and turn, the model's answer repeats them, and the voice's audio has
them in every 20 ms: eight steps of 2.5 ms, each on one of eight levels, which survives mu-law. So
whatever arrives at a caller tells which turn it answers, and by way of which words.
"""

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np

from turnkit.audio.g711 import decode_mulaw, encode_mulaw

FRAME_S = 0.02
_STEPS = 8
_LEVELS = 8
_LEVEL = 8000  # apart; mu-law is off by 512 at the most

MAX_CALLS = 1 << 12
MAX_TURNS = 1 << 9
STALE = 7
"""The part that is no part: a reply to words that were not final."""
LAST_PART = 6
"""Parts beyond are called this."""

_ASKED = re.compile(r"call (\d+) turn (\d+) (?:stale then )?(brisk|slow|stale)")
_SAID = re.compile(r"(?:part (\d+) of )?call (\d+) turn (\d+)( is stale)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Code:
    """Which reply: the number of the Flux connection, the turn, and the sentence of it."""

    call: int
    turn: int
    part: int


def words(call: int, turn: int, mode: str) -> str:
    """Return a transcript that asks for a brisk, a slow or a stale answer."""
    return f"call {call % MAX_CALLS} turn {turn % MAX_TURNS} {mode}"


def asked(transcript: str) -> tuple[int, int, str] | None:
    """Return the call, the turn and the mode that a transcript names last."""
    found = _ASKED.findall(transcript)
    return (int(found[-1][0]), int(found[-1][1]), found[-1][2]) if found else None


def answer(call: int, turn: int, mode: str, mark: str, sentences: int) -> list[list[str]]:
    """Return an answer as sentences of tokens, as a model splits them: spaces lead.

    Args:
        call: who asks.
        turn: at which turn.
        mode: `stale` marks the answer as one that nobody should hear.
        mark: what ends the first sentence.
        sentences: how many.
    """
    heard = "stale" if mode == "stale" else "heard"
    first = ["Call", f" {call}", f" turn {turn}", " is", f" {heard}{mark}"]
    return [first] + [
        [f" Part {part}", " of", f" call {call}", " turn", f" {turn}", " follows."]
        for part in range(1, sentences)
    ]


def said(sentence: str) -> Code:
    """Return whose sentence this is; code 0 for one that is nobody's, such as a greeting."""
    found = _SAID.search(sentence)
    if found is None:
        return Code(0, 0, 0)
    part = STALE if found[4] else min(int(found[1] or 0), LAST_PART)
    return Code(int(found[2]) % MAX_CALLS, int(found[3]) % MAX_TURNS, part)


@cache
def _levels(code: Code) -> tuple[int, ...]:
    number = (code.call << 12) | (code.turn << 3) | code.part
    return tuple((number >> (3 * step)) & 7 for step in range(_STEPS))


def frame(code: Code, encoding: str, rate_hz: int) -> bytes:
    """Return 20 ms of the sound of a code, as `linear16` or `mulaw`."""
    steps = np.array(_levels(code), np.int16) * _LEVEL - _LEVEL * (_LEVELS - 1) // 2
    samples = np.repeat(steps.astype(np.int16), round(rate_hz * FRAME_S) // _STEPS)
    return samples.tobytes() if encoding == "linear16" else bytes(encode_mulaw(samples))


def key(audio: bytes, encoding: str, rate_hz: int) -> bytes:
    """Return the eight bytes of a frame that tell its code. Cheap: it is done for each frame."""
    samples = round(rate_hz * FRAME_S) // _STEPS
    width = 2 if encoding == "linear16" else 1
    # The middle of each step; of linear16 the high byte.
    return audio[(samples // 2) * width + width - 1 :: samples * width][:_STEPS]


@cache
def decode(found: bytes, encoding: str) -> Code | None:
    """Return the code of a key; None if it is none."""
    if len(found) != _STEPS:
        return None
    if encoding == "linear16":
        values = np.frombuffer(found, np.int8).astype(int) * 256
    else:
        values = decode_mulaw(found).astype(int)
    steps = np.rint((values + _LEVEL * (_LEVELS - 1) // 2) / _LEVEL).astype(int)
    if steps.min() < 0 or steps.max() >= _LEVELS:
        return None
    number = sum(int(step) << (3 * place) for place, step in islice(enumerate(steps), _STEPS))
    return Code(number >> 12, (number >> 3) & (MAX_TURNS - 1), number & 7)
