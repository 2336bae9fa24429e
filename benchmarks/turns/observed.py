"""What the engine measures in labelled pauses: the material its numbers are fitted on.

Each recording is heard as the engine hears it, by the same detector, in the same frames and with
the same cues, and for each frame of a pause in a labelled turn it is noted what was known by then.
So what is fitted is what will be measured, mistakes of the detector included.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.turns.audio import surrounded
from benchmarks.turns.lines import Line
from benchmarks.turns.manifest import RATE_HZ, Recording, Turn
from benchmarks.turns.runs import Floats, Trace
from turnkit.audio.frames import Samples
from turnkit.audio.levels import OffsetRemover
from turnkit.audio.vad import Vad, open_vad
from turnkit.engine.endpointer import FRAME_S
from turnkit.engine.hearing import Hearing
from turnkit.engine.holds import SHORTEST_S, HoldLengths
from turnkit.engine.model import Model, Prior
from turnkit.engine.pause import Pauses
from turnkit.engine.prosody import Cues
from turnkit.engine.smart_turn import Opinion

SHIFTS_S = (0.48, 0.496, 0.512, 0.528, 0.544)
"""Quiet before the clip: each is heard five times, shifted against the frames and windows. Two
hearings gave a latency of 0.59 s at 10 % cut-offs, three others one of 0.73 s."""

_TAIL_S = 5.0
_END_ERROR_S = 0.15  # by how much the detector may see a turn end before or after the label
_END_SEEN_S = 5.0  # of the silence after a turn: longer than any policy waits
_NO_PRIOR = Prior(0.0, {})
_UNFITTED = Model(_NO_PRIOR, _NO_PRIOR, HoldLengths(-1.0, 1.0), mean_log_hold=0.0, pace_weight=8.0)


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame of a pause, and what the engine knew at its end."""

    at_s: float
    """When, in seconds from the clip's start."""
    silence_s: float
    cues: Cues
    opinion: float
    """What smart-turn thought; 0 if it was not asked."""
    holds: int
    """How many holds of this caller had been observed, and their mean logarithm."""
    mean_log_hold: float


@dataclass(frozen=True, slots=True)
class Observed:
    """A pause as the engine heard it, and what it was."""

    recording: Recording
    shift: int
    over: bool
    length_s: float
    """How long it took until the same speech went on; infinite after a turn."""
    moments: tuple[Moment, ...]


def observe(
    recordings: Iterable[Recording], opinion: Opinion | None = None, line: Line | None = None
) -> Iterator[Observed]:
    """Give the pauses of all scored turns, as they would be heard over that line."""
    for recording in recordings:
        if not recording.scored_turns:
            continue
        samples = recording.read()
        if line is not None:
            samples = line(samples)
        for shift, lead_s in enumerate(SHIFTS_S):
            moments = list(hear(samples, lead_s, Pauses(_UNFITTED, opinion)))
            yield from _pauses(recording, shift, moments)


def hear(
    samples: Samples, lead_s: float, pauses: Pauses, vad: Vad | None = None
) -> Iterator[Moment]:
    """Play audio after some silence to `pauses`; give each frame of the pauses it hears."""
    hearing, offset = Hearing(vad or open_vad()), OffsetRemover(RATE_HZ)
    audio = surrounded(samples, lead_s, _TAIL_S)
    frame = round(FRAME_S * RATE_HZ)
    for end in range(frame, len(audio) + 1, frame):
        heard = offset.feed(audio[end - frame : end])
        hearing.hear(heard)
        pauses.hear(heard, hearing.activity)
        if pauses.ending is not None and pauses.silence_s >= SHORTEST_S:
            yield Moment(
                at_s=end / RATE_HZ - lead_s,
                silence_s=pauses.silence_s,
                cues=pauses.ending.cues,
                opinion=pauses.opinion or 0.0,
                holds=pauses.holds.count,
                mean_log_hold=pauses.holds.mean_log,
            )


def _pauses(recording: Recording, shift: int, moments: list[Moment]) -> Iterator[Observed]:
    pause: list[Moment] = []
    for moment in moments:
        if pause and moment.at_s > pause[-1].at_s + 1.5 * FRAME_S:  # there was speech between
            yield from _labelled(recording, shift, pause)
            pause = []
        pause.append(moment)
    if pause:
        yield from _labelled(recording, shift, pause)


def _labelled(recording: Recording, shift: int, pause: list[Moment]) -> Iterator[Observed]:
    """Give the pause with what it was, if it belongs to a scored turn."""
    began_s = pause[0].at_s - pause[0].silence_s
    for turn in recording.turns:
        if turn.scored and turn.span.start_s <= began_s <= turn.span.end_s + _END_ERROR_S:
            over = (
                began_s >= turn.speech[-1].end_s - _END_ERROR_S
                and turn.speech[-1].start_s < began_s
            )
            length_s = np.inf if over else _resumed_s(turn, pause) - began_s
            last_s = min(_next_s(turn), began_s + _END_SEEN_S)
            last_s = last_s if over else began_s + length_s + 2 * FRAME_S
            seen = tuple(moment for moment in pause if moment.at_s <= last_s)
            if seen:
                yield Observed(recording, shift, over, float(length_s), seen)
            return


def _next_s(turn: Turn) -> float:
    return np.inf if turn.next_speech_s is None else turn.next_speech_s


def _resumed_s(turn: Turn, pause: list[Moment]) -> float:
    """Return when speech went on: at the next labelled stretch, or when the detector heard it."""
    middle_s = pause[0].at_s
    nexts = [stretch.start_s for stretch in turn.speech if stretch.start_s > middle_s - FRAME_S]
    heard_s = pause[-1].at_s
    return min(nexts[0], heard_s + FRAME_S) if nexts else heard_s


def trace(pauses: Iterable[Observed], scores: Iterable[Floats]) -> Trace:
    """Return how a confidence went over one recording, from the scores of each pause's moments."""
    known = sorted(
        (moment.at_s, float(score))
        for pause, said in zip(pauses, scores, strict=True)
        for moment, score in zip(pause.moments, said, strict=True)
    )
    times, values = zip(*known, strict=True) if known else ((), ())
    return Trace(np.array(times), np.array(values))
