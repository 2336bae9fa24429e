"""The pauses of labelled turns: where an agent has to decide whether to speak. Pure.

Every silence within a turn is a *hold*, the one after it its *end*, as in eot-bench
(github.com/livekit/eot-bench, README, "Span-Level Decisions"). How long an end lasts is known only
up to what comes next on the channel, or to what was left unscored.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from typing import Literal, TypeAlias

import numpy as np

from benchmarks.turns.manifest import Recording, Span, Turn
from benchmarks.turns.runs import Floats, Trace

HOLD_S = (0.2, 5.0)
"""Holds that count: eot-bench's own bounds."""

MIN_ROOM_S = 1.0
"""An end with less than this between it and unscored sound tells nothing of how it was heard."""

_LONG_UNSCORED_S = 0.3  # clicks and breaths are shorter and end no pause

Kind: TypeAlias = Literal["hold", "end"]


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence in or after a turn."""

    recording: str
    clip: str
    turn: int
    """The turn's position among its recording's."""
    kind: Kind
    span: Span
    """An end's goes on to the next speech on the channel; to infinity if there is none."""

    @property
    def unit(self) -> tuple[str, int]:
        """What it is resampled with: its turn."""
        return self.recording, self.turn


@dataclass(frozen=True, slots=True)
class ScoredPause:
    """A pause, and how likely an endpoint found it that the turn was over, as it went on."""

    pause: Pause
    silences_s: Floats
    """How long it had lasted when each score was known: shape (n,), rising."""
    scores: Floats
    """Shape (n,), 0 to 1."""


def pauses(recordings: Iterable[Recording]) -> list[Pause]:
    """Return the pauses of all scored turns: holds of `HOLD_S`, and ends with room to be heard."""
    return [pause for recording in recordings for pause in _of_recording(recording)]


def room_s(recording: Recording, turn: Turn) -> float:
    """Return how long the silence after a turn lasts, as far as the labels go; inf: to the end.

    Beyond the clip there is silence for as long as the benchmark cares to play it.
    """
    end_s = turn.span.end_s
    nexts = [turn.next_speech_s] if turn.next_speech_s is not None else []
    nexts += [span.start_s for span in _long_unscored(recording) if span.start_s >= end_s]
    return min((at_s - end_s for at_s in nexts), default=inf)


def end_is_scored(recording: Recording, turn: Turn) -> bool:
    """Tell whether it can be said when this turn's end should be heard."""
    soon = turn.span.end_s + MIN_ROOM_S
    return not any(turn.span.end_s <= span.start_s < soon for span in _long_unscored(recording))


def scored(pause: Pause, trace: Trace) -> ScoredPause:
    """Return the pause with the part of the trace that falls into it."""
    start_s, end_s = pause.span
    first, last = np.searchsorted(trace.times_s, (start_s, end_s), side="right")
    return ScoredPause(pause, trace.times_s[first:last] - start_s, trace.values[first:last])


def resampled(pause: ScoredPause, step_s: float, longest_s: float) -> ScoredPause:
    """Return the scores as known at every `step_s` of silence, up to `longest_s` or the end.

    Before the first score it is 0.
    """
    length_s = min(pause.pause.span.length_s, longest_s)
    steps = np.arange(1, int(length_s / step_s + 1e-9) + 1).astype(np.float64) * step_s
    known = np.searchsorted(pause.silences_s, steps + 1e-9, side="right")
    scores = np.concatenate([[0.0], pause.scores])[known]
    return ScoredPause(pause.pause, steps, scores)


def _of_recording(recording: Recording) -> Iterator[Pause]:
    for n, turn in recording.scored_turns:
        for hold in turn.holds:
            if HOLD_S[0] - 1e-9 <= hold.length_s <= HOLD_S[1] + 1e-9:
                yield Pause(recording.id, recording.clip, n, "hold", hold)
        if end_is_scored(recording, turn):
            end_s = turn.span.end_s
            span = Span(end_s, end_s + room_s(recording, turn))
            yield Pause(recording.id, recording.clip, n, "end", span)


def _long_unscored(recording: Recording) -> list[Span]:
    return [span for span in recording.unscored if span.length_s >= _LONG_UNSCORED_S]
