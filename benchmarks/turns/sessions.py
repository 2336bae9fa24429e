"""Recorded sessions of real Flux, and what the engine does on the same audio, event by event.

A session is two files: `NAME.flac`, the audio that was streamed, and `NAME.flux.json`, every
message as it came (`events[]`, each with `timestamp`, `event_type` and `data`). The recorder asked
for `eot_threshold` 0.7, `eot_timeout_ms` 3000 and no eager ends, and sent 3 s of silence at the
end. Those who recorded did not label when the speech ended: the end of its energy stands in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from benchmarks.turns.audio import quiet, room_level
from benchmarks.turns.hearings import Endpoint, events, trace_of
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.runs import Event, Trace
from turnkit.audio.files import read_audio
from turnkit.audio.frames import Samples
from turnkit.errors import ConfigError, WireError
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import ServerMessage, TurnInfo, Unknown, parse_server

ASKED: Final = ListenParameters(
    "flux-general-en", "linear16", RATE_HZ, eot_threshold=0.7, eot_timeout_ms=3000
)
SILENCE_S: Final = 3.0

NONE: Final = "-"
_SAME_S: Final = 2.0  # further apart two events are not about the same moment
_SUFFIX: Final = ".flux.json"
_FRAME_SAMPLES: Final = RATE_HZ // 100
_OVER_ROOM: Final = 8.0  # times the room's level is speech
_LEAST_RMS: Final = 100.0


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session."""

    name: str
    samples: Samples
    events: tuple[Event, ...]
    """Flux's; `delay_s` is from the audio's end to the message, on the recorder's clock."""
    trace: Trace

    @property
    def speech_end_s(self) -> float:
        """When the last sound well above the room's level ends."""
        whole = len(self.samples) - len(self.samples) % _FRAME_SAMPLES
        frames = self.samples[:whole].reshape(-1, _FRAME_SAMPLES).astype(np.float64)
        rms = np.sqrt((frames**2).mean(axis=1))
        loud = np.flatnonzero(rms > max(_OVER_ROOM * room_level(self.samples), _LEAST_RMS))
        return float(loud[-1] + 1) * _FRAME_SAMPLES / RATE_HZ if len(loud) else 0.0


@dataclass(frozen=True, slots=True)
class Pair:
    """The same event, by both; None: only one of them had it."""

    session: str
    name: str
    flux: Event | None
    ours: Event | None
    speech_end_s: float

    @property
    def at_s(self) -> float:
        """When the first of them came."""
        return min(event.at_s for event in (self.flux, self.ours) if event is not None)

    @property
    def later_s(self) -> float | None:
        """How much later ours is, in audio time."""
        return None if self.flux is None or self.ours is None else self.ours.at_s - self.flux.at_s


class _Logged(msgspec.Struct):
    timestamp: float
    data: msgspec.Raw


class _Log(msgspec.Struct):
    events: tuple[_Logged, ...]


def load_sessions(folder: Path) -> list[Session]:
    """Read every session of a folder. Raises ConfigError."""
    logs = sorted(folder.glob(f"*{_SUFFIX}"))
    if not logs:
        raise ConfigError(f"{folder} holds no recorded session; expected NAME{_SUFFIX} files")
    return [_session(log) for log in logs]


def compared(endpoint: Endpoint, sessions: Sequence[Session]) -> Iterator[Pair]:
    """Give each session's events beside what an endpoint says on its audio. Raises ConfigError."""
    for session in sessions:
        tail = quiet(round(SILENCE_S * RATE_HZ), 0.0)
        heard = endpoint.hear(np.concatenate([session.samples, tail]), ASKED)
        ours = events(heard, 0.0)
        pairs = [
            Pair(session.name, name, theirs, own, session.speech_end_s)
            for name in ("StartOfTurn", "EndOfTurn")
            for theirs, own in matched(
                *([e for e in said if e.name == name] for said in (session.events, ours))
            )
        ]
        yield from sorted(pairs, key=lambda pair: pair.at_s)


def matched(
    theirs: Sequence[Event], ours: Sequence[Event]
) -> Iterator[tuple[Event | None, Event | None]]:
    """Give events that are meant for each other together, the nearest first; others alone."""
    left, right = list(theirs), list(ours)
    distances = sorted(
        (abs(a.at_s - b.at_s), n, m) for n, a in enumerate(theirs) for m, b in enumerate(ours)
    )
    for distance_s, n, m in distances:
        if distance_s <= _SAME_S and theirs[n] in left and ours[m] in right:
            left.remove(theirs[n])
            right.remove(ours[m])
            yield theirs[n], ours[m]
    yield from ((event, None) for event in left)
    yield from ((None, event) for event in right)


def markdown(pairs: Sequence[Pair], name: str) -> str:
    """Write the comparison as a table."""
    titles = (
        "recording",
        "event",
        "Flux",
        name,
        f"{name} later by",
        "Flux, after the last sound",
        f"{name}, after the last sound",
        "words of Flux",
        f"words of {name}",
    )
    lines = [titles, ("---",) * len(titles), *map(_cells, pairs)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(pair: Pair) -> tuple[str, ...]:
    later_s = pair.later_s
    return (
        pair.session,
        f"`{pair.name}`",
        _told(pair.flux),
        _told(pair.ours),
        NONE if later_s is None else f"{later_s:+.2f} s",
        _after(pair, pair.flux),
        _after(pair, pair.ours),
        _words(pair.flux),
        _words(pair.ours),
    )


def _told(event: Event | None) -> str:
    return NONE if event is None else f"{event.at_s:.2f} s ({event.confidence:.2f})"


def _after(pair: Pair, event: Event | None) -> str:
    if event is None or pair.name != "EndOfTurn":
        return NONE
    return f"{event.at_s - pair.speech_end_s:+.2f} s"


def _words(event: Event | None) -> str:
    return NONE if event is None or not event.transcript else event.transcript.replace("|", " ")


def _session(log: Path) -> Session:
    name = log.name.removesuffix(_SUFFIX)
    try:
        logged = msgspec.json.decode(log.read_bytes(), type=_Log).events
        said = [(one.timestamp, parse_server(bytes(one.data))) for one in logged]
    except OSError as exc:
        raise ConfigError(f"{log} cannot be read: {exc.strerror}") from None
    except (msgspec.DecodeError, WireError) as exc:
        raise ConfigError(f"{log} is no recorded session: {exc}") from None
    messages: list[ServerMessage] = [m for _, m in said if not isinstance(m, Unknown)]
    return Session(
        name,
        read_audio(log.with_name(f"{name}.flac"), RATE_HZ),
        tuple(
            _event(at_s, message)
            for at_s, message in said
            if isinstance(message, TurnInfo) and message.event != "Update"
        ),
        trace_of(messages),
    )


def _event(at_s: float, info: TurnInfo) -> Event:
    return Event(
        info.event,
        info.turn_index,
        info.audio_window_end,
        info.transcript,
        info.end_of_turn_confidence,
        delay_s=at_s - info.audio_window_end,
        trigger=info.trigger,
    )
