"""Recorded Flux sessions as conversations, so that real hearing is played under every policy.

A recording is `NAME.flux.json`, a log of Flux's messages with the instants at which they came, and
`NAME.flac`, the audio that was streamed. Flux looks every 80 ms and tells every 240: an eager end
found in its updates comes up to 160 ms later than Flux would have told it. None of the recordings
had one, for the recorder did not ask.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np

from benchmarks.policy.people import HEARING_S, Frame, Utterance
from turnkit.errors import ConfigError

_GAP_S = 8.0
"""Between one's words and the next ones: time to hear the answer."""
_FRAME_S = 0.02
_QUIET_DB = 25.0
"""Speech is what comes within this of the loudest 20 ms."""


class _Info(msgspec.Struct):
    event: str = ""
    turn_index: int = 0
    audio_window_end: float = 0.0
    transcript: str = ""
    end_of_turn_confidence: float = 0.0


class _Entry(msgspec.Struct):
    timestamp: float
    data: _Info


class _Log(msgspec.Struct):
    events: list[_Entry]


Heard: TypeAlias = tuple[float, _Info]
"""When a message came, counted on the clock of the audio; and the message."""


def sessions(folder: Path, times: int) -> list[Utterance]:
    """Return the first turn of each recording in a folder, one after another, so many times.

    Raises ConfigError where a file is not a recording; a folder without any gives none.
    """
    found = [_heard(file) for file in sorted(folder.glob("*.flux.json"))]
    utterances, at = list[Utterance](), 1.0
    for ended_s, messages in found * times:
        utterances.append(_utterance(at, ended_s, messages))
        at = round(utterances[-1].ended_at + _GAP_S, 2)
    return utterances


def _heard(file: Path) -> tuple[float, list[Heard]]:
    """Return when the speech ends and what Flux said until its first turn was over."""
    try:
        entries = msgspec.json.decode(file.read_bytes(), type=_Log).events
    except (OSError, msgspec.DecodeError, UnicodeError) as exc:
        raise ConfigError(f"recording {file} is not a log of Flux messages: {exc}") from exc
    infos = [entry for entry in entries if entry.data.event]
    ends = [n for n, entry in enumerate(infos) if entry.data.event == "EndOfTurn"]
    if not ends:
        raise ConfigError(f"recording {file} has no EndOfTurn in it: leave it out")
    started_s = min(e.timestamp - e.data.audio_window_end for e in infos) - HEARING_S
    first = [(entry.timestamp - started_s, entry.data) for entry in infos[: ends[0] + 1]]
    audio = file.with_name(file.name.removesuffix(".flux.json") + ".flac")
    return _end_of_speech(audio, until_s=first[-1][1].audio_window_end), first


def _end_of_speech(file: Path, until_s: float) -> float:
    """Return the end of the last loud 20 ms before Flux's end of the turn, in seconds."""
    try:
        import soundfile  # noqa: PLC0415  # an extra
    except ImportError as exc:
        raise ConfigError(f"reading {file} needs soundfile: pip install 'turnkit[files]'") from exc
    try:
        samples, rate_hz = soundfile.read(file, dtype="float64")
    except (OSError, soundfile.SoundFileError) as exc:
        raise ConfigError(f"recording {file} cannot be read: {exc}") from exc
    size = round(rate_hz * _FRAME_S)
    frames = samples[: min(len(samples), round(until_s * rate_hz)) // size * size]
    power = np.mean(frames.reshape(-1, size) ** 2, axis=1)
    levels = [10 * log10(max(1e-12, float(one))) for one in power]
    loud = [n for n, level in enumerate(levels) if level > max(levels) - _QUIET_DB]
    return (loud[-1] + 1) * _FRAME_S


def _utterance(start: float, ended_s: float, messages: Sequence[Heard]) -> Utterance:
    """Make an utterance of it: the words as finally heard, as many of them as Flux had by then."""
    words = tuple(messages[-1][1].transcript.split())
    frames = []
    for (_, before), (heard_s, info) in pairwise([(0.0, _Info()), *messages]):
        known = len(words) if info is messages[-1][1] else len(info.transcript.split())
        speaking = info.transcript != before.transcript
        over = max(info.end_of_turn_confidence, 0.7 if info is messages[-1][1] else 0.0)
        at = round(start + heard_s, 6)
        frames.append(Frame(at, min(known, len(words)), speaking and not over >= 0.3, over))
    return Utterance(words, round(start + ended_s, 6), tuple(frames))
