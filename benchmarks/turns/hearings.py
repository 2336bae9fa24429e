"""Endpoints, and what they say of a recording, put into events and a trace.

A recording is heard twice. Once as asked, which gives the events. Once with turns that never end by
themselves (`eot_threshold` 1.0, which Flux documents for that) and are ended by `ForceEndTurn` long
after their end was labelled: only so does the confidence go on through every pause, whatever the
threshold, and can every policy be tried on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from benchmarks.turns.audio import material
from benchmarks.turns.manifest import Recording
from benchmarks.turns.runs import Event, Run, Trace
from benchmarks.turns.spans import room_s
from turnkit.audio.frames import Samples
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import ServerMessage, TurnInfo

LONGEST_PAUSE_S = 4.0
"""After so much of an end the turn is ended by force: no policy waits longer than 3.5 s."""

_BEFORE_NEXT_S = 0.1
_NEVER = 1.0
_LONGEST_TIMEOUT_MS = 60000


@dataclass(frozen=True, slots=True)
class Told:
    """One message of an endpoint."""

    message: ServerMessage
    delay_s: float | None = None
    """How long after the audio it speaks of had been sent it came; None: not in real time."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What an endpoint said of one stream of audio; instants count from its start."""

    told: tuple[Told, ...]
    trace: Trace

    @property
    def messages(self) -> list[ServerMessage]:
        """What it said, without when."""
        return [told.message for told in self.told]


class Endpoint(Protocol):
    """Something that speaks Flux's language."""

    @property
    def name(self) -> str:
        """What to call it in reports."""

    def hear(
        self, samples: Samples, asked: ListenParameters, ends_at_s: Sequence[float] = ()
    ) -> Hearing:
        """Play 16 kHz audio to it; return what it says.

        Args:
            samples: the whole stream, shape (n,).
            asked: the parameters of the connection.
            ends_at_s: when to send `ForceEndTurn`, rising.

        Raises:
            ConfigError: it cannot be had, or refuses what is asked.
        """


def run(
    endpoint: Endpoint,
    recording: Recording,
    asked: ListenParameters,
    *,
    shift: int = 0,
    traced: bool = True,
) -> Run:
    """Play a recording to an endpoint, once or twice. Raises ConfigError."""
    played = material(recording, shift)
    heard = endpoint.hear(played.samples, asked)
    trace = None
    if traced and recording.scored_turns:
        again = endpoint.hear(played.samples, endless(asked), forced_ends(recording, played.lead_s))
        trace = Trace(again.trace.times_s - played.lead_s, again.trace.values)
    return Run(
        recording, events(heard, played.lead_s), trace, open_transcript=_left_open(heard.messages)
    )


def endless(asked: ListenParameters) -> ListenParameters:
    """Return the parameters with which no turn ends by itself."""
    return replace(
        asked,
        eager_eot_threshold=None,
        eot_threshold=_NEVER,
        eot_timeout_ms=_LONGEST_TIMEOUT_MS,
    )


def forced_ends(recording: Recording, lead_s: float) -> list[float]:
    """Return when to end each turn by force: well after its end, and before the next begins."""
    return [
        lead_s
        + turn.span.end_s
        + min(LONGEST_PAUSE_S, max(0.0, room_s(recording, turn) - _BEFORE_NEXT_S))
        for turn in recording.turns
    ]


def events(heard: Hearing, lead_s: float) -> tuple[Event, ...]:
    """Return the turn events, updates left out, on the recording's own clock."""
    return tuple(
        Event(
            name=info.event,
            turn=info.turn_index,
            at_s=info.audio_window_end - lead_s,
            transcript=info.transcript,
            confidence=info.end_of_turn_confidence,
            delay_s=told.delay_s,
            trigger=info.trigger,
        )
        for told in heard.told
        if isinstance(info := told.message, TurnInfo) and info.event != "Update"
    )


def trace_of(messages: Sequence[ServerMessage]) -> Trace:
    """Return what the messages themselves say of the confidence: one value every 0.24 s or less."""
    infos = [message for message in messages if isinstance(message, TurnInfo)]
    return Trace(
        np.array([info.audio_window_end for info in infos], np.float64),
        np.array([info.end_of_turn_confidence for info in infos], np.float64),
    )


def chunks(samples: Samples, chunk_s: float, rate_hz: int) -> Iterator[tuple[float, bytes]]:
    """Cut audio into chunks of linear16; give each with the instant at which it ends."""
    step = round(chunk_s * rate_hz)
    for start in range(0, len(samples), step):
        chunk = samples[start : start + step]
        yield (start + len(chunk)) / rate_hz, chunk.astype("<i2").tobytes()


def _left_open(messages: Sequence[ServerMessage]) -> str:
    infos = [message for message in messages if isinstance(message, TurnInfo)]
    return infos[-1].transcript if infos and infos[-1].event != "EndOfTurn" else ""
