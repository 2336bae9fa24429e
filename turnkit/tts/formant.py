"""The built-in voice: nothing to install, always the same, and it only sounds like speech.

`--voice formant`, or `--voice formant:150` to wait 150 ms before the first sound, as a voice on a
network would: that is how what speculation gains can be heard and measured with no network at all.
"""

import re
import unicodedata
from collections.abc import AsyncGenerator
from dataclasses import replace

import anyio
from anyio.lowlevel import checkpoint

from turnkit.audio.formants import SAMPLE_RATE_HZ, Colour, Sound, render
from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.tts.base import Synthesizer
from turnkit.tts.clauses import ClauseCutter

_LONGEST_DELAY_MS = 10_000
_VOWEL_S = 0.105
_CONSONANT_S = 0.07
_BURST_S = 0.015
_LEAD_IN_S = 0.01  # silence to rise from, or the first sound would click
_SENTENCE_PAUSE_S = 0.3
_PAUSES_S = {" ": 0.02, ",": 0.15, ";": 0.2, ":": 0.2, "—": 0.2}
_PITCH_HZ = 130.0
_STRESS = 1.12  # how much higher the first vowel of a word is
_FALL = 0.25  # how far the pitch sinks from a clause's start to its end
_RISE = 2.0  # how steeply it leaps at the end of a question

_VOWELS: dict[str, tuple[float, float, float]] = {  # after Peterson and Barney, 1952
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (390, 1990, 2550),
    "o": (570, 840, 2410),
    "u": (440, 1020, 2240),
    "ee": (270, 2290, 3010),
    "oo": (300, 870, 2240),
    "er": (490, 1350, 1690),
    "aw": (590, 880, 2540),
}
_SONORANTS: dict[str, tuple[float, float, float]] = {
    "l": (360, 1300, 2700),
    "m": (250, 1000, 2200),
    "n": (250, 1500, 2500),
    "ng": (250, 1900, 2600),
    "r": (350, 1100, 1600),
    "w": (300, 700, 2200),
    "y": (280, 2200, 2900),
}
_HISSES: dict[str, tuple[float, float, Colour]] = {  # voicing, hiss, colour
    "f": (0.0, 0.12, "f"),
    "h": (0.0, 0.2, "breath"),
    "s": (0.0, 0.25, "s"),
    "sh": (0.0, 0.3, "sh"),
    "th": (0.3, 0.1, "f"),
    "v": (0.5, 0.08, "f"),
    "z": (0.45, 0.15, "s"),
}
_STOPS: dict[str, tuple[float, Colour]] = {  # voicing behind the closed lips, colour of the burst
    "b": (0.15, "breath"),
    "d": (0.15, "s"),
    "g": (0.15, "breath"),
    "k": (0.0, "breath"),
    "p": (0.0, "breath"),
    "t": (0.0, "s"),
}
# fmt: off
_SPELLINGS = {
    "ai": "e", "ay": "ee", "ea": "ee", "ey": "ee", "ie": "ee", "ir": "er", "ur": "er",
    "or": "aw", "ou": "aw", "ow": "aw", "ck": "k", "ph": "f", "wh": "w",
    "c": "k", "ch": "tsh", "j": "dsh", "q": "k", "qu": "kw", "x": "ks",
}
# fmt: on
_FIRST_SYLLABIC = 0x3040  # kana; from here on a character is a syllable or more
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TOKEN = re.compile(
    r"ai|ay|ea|ee|er|ey|ie|ir|oo|or|ou|ow|ur|ch|ck|ng|ph|qu|sh|th|wh|[a-z]|[,;:—.!?…](?=\s|$)|\s"
)
_UNHEARD = re.compile(r"(?<=[a-z][^aeiou\W])e\b|([^aeiou\W])(?=\1)")  # in "here", in "cutter"


def create(argument: str | None, settings: Settings) -> Synthesizer:  # noqa: ARG001
    """Return this voice. Raises ConfigError if the delay is no number of milliseconds."""
    delay_ms = argument or "0"
    if not (delay_ms.isdecimal() and int(delay_ms) <= _LONGEST_DELAY_MS):
        raise ConfigError(
            f"voice formant: delay {delay_ms!r} not supported; "
            f"give milliseconds from 0 to {_LONGEST_DELAY_MS}, as in `formant:150`"
        )
    return FormantSynthesizer(delay_s=int(delay_ms) / 1000)


class FormantSynthesizer:
    """Says each letter's sound, at the pace and with the melody of speech."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """Yield the audio of `text` in pieces of 100 ms, made as they are asked for."""
        await anyio.sleep(self._delay_s)
        cutter = ClauseCutter()
        for clause in (*cutter.feed(text), *cutter.flush()):
            for block in render(_sounds(clause)):
                yield block.tobytes()
                await checkpoint()  # 0.6 ms of work each


def _sounds(clause: str) -> list[Sound]:
    """Return how a clause is said: its letters in turn, under one arc of pitch."""
    sounds = [Sound(_LEAD_IN_S)]
    is_stressed = True
    for token in _TOKEN.findall(_UNHEARD.sub("", _spelt(clause))):
        for name in _TOKEN.findall(_SPELLINGS.get(token, token)):
            sounds += _mouth(name, is_stressed=is_stressed)
            is_stressed = name.isspace() or (is_stressed and name not in _VOWELS)
    return _with_melody(sounds, is_question=clause.rstrip().endswith("?"))


def _mouth(name: str, *, is_stressed: bool) -> list[Sound]:
    if formants := _VOWELS.get(name):
        stress = _STRESS if is_stressed else 1.0
        return [Sound(_VOWEL_S * stress, formants, voicing=1.0, pitch_hz=_PITCH_HZ * stress)]
    if formants := _SONORANTS.get(name):
        return [Sound(_CONSONANT_S, formants, voicing=0.5)]
    if hissing := _HISSES.get(name):
        voicing, hiss, colour = hissing
        return [Sound(_CONSONANT_S, voicing=voicing, hiss=hiss, colour=colour)]
    if stop := _STOPS.get(name):
        voicing, colour = stop
        closed = Sound(_CONSONANT_S - _BURST_S, voicing=voicing)
        return [closed, Sound(_BURST_S, hiss=0.3, colour=colour)]
    return [Sound(_PAUSES_S.get(name, _SENTENCE_PAUSE_S))]


def _with_melody(sounds: list[Sound], *, is_question: bool) -> list[Sound]:
    sung = []
    for number, sound in enumerate(sounds):
        way = number / len(sounds)
        bend = 1 + _FALL * (0.5 - way) + is_question * _RISE * max(0.0, way - 0.7)
        sung.append(replace(sound, pitch_hz=sound.pitch_hz * bend))
    return sung


def _spelt(text: str) -> str:
    """Return the text in the letters a to z: digits as words, other scripts as some syllable."""
    letters = map(_letters, unicodedata.normalize("NFKD", text.lower()))
    return "".join(letters).strip() + " "


def _letters(char: str) -> str:
    if char.isdecimal():
        return f" {_DIGITS[int(char)]} "
    if char.isascii() or not char.isalpha():
        return char
    number = ord(char)
    if number < _FIRST_SYLLABIC:
        return "aeioubdgklmnrst"[number % 15]
    return "bdgklmnrst"[number % 10] + "aeiou"[number // 10 % 5]
