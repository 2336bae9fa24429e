"""What stops an agent that is speaking: acknowledgements and noise must not, interruptions must.

A scene is what the user's channel carries while the agent talks: quiet, and in it one sound. The
sounds are of six kinds:

- `backchannel`: labelled as such, in a call.
- `word`: one spoken word of up to 0.9 s, from clips that hold nothing else.
- `answer`: a whole turn of up to 0.9 s, such as "two people" or "express please".
- `noise`: a clip without speech.
- `echo`: the agent's own voice, as a loudspeaker and a microphone would return it.
- `interruption`: the first 4 s of a turn that says more.

The first three are short acknowledgements by their length: of 28 labelled backchannels all took
less than 0.8 s, with a median of 0.43 s. What they mean is for the conversation to find out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from benchmarks.turns import bootstrap
from benchmarks.turns.audio import at_level, quiet, room_level
from benchmarks.turns.bootstrap import Estimate
from benchmarks.turns.manifest import RATE_HZ, Recording, Span
from benchmarks.turns.runs import Floats
from turnkit.audio.frames import Samples

Kind: TypeAlias = Literal["backchannel", "word", "answer", "noise", "echo", "interruption"]

SHORT: Final[frozenset[Kind]] = frozenset({"backchannel", "word", "answer"})
"""The short acknowledgements, of which at most a fifth should stop the agent."""

LONGEST_SHORT_S: Final = 0.9
LEVELS_DB: Final = (0.0, -10.0)
"""How loud a sound is laid into a scene, against its recording."""
ECHO_DB: Final = (-20.0, -30.0)
ECHO_DELAYS_S: Final = (0.06, 0.18)
OFFSETS_S: Final = (1.2, 1.216, 1.232, 1.248)
"""When the sound begins: four places against frames and windows; two for what is no short one."""

_INTERRUPTION_S: Final = 4.0
_SHORTEST_INTERRUPTION_S: Final = 1.2
_AFTER_S: Final = 2.5  # the scene goes on: a late stop is a stop
_EDGE_S: Final = 0.05  # labels are good to that
_FADE_S: Final = 0.01
_ROOM: Final = 10.0  # RMS: a quiet room, -70 dBFS
_ECHO_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Scene:
    """Some seconds in which the agent speaks throughout."""

    sound: str
    """Where the sound is from: what a resample draws."""
    kind: Kind
    level_db: float
    user: Samples
    """What the user's channel carries, at 16 kHz."""
    agent: Samples
    """What the agent plays meanwhile: shape as the user's."""
    onset_s: float
    """When the sound begins."""
    length_s: float


Stops: TypeAlias = Callable[[Scene], float | None]
"""Plays a scene to an endpoint; returns when the agent was stopped, None if it was not."""


@dataclass(frozen=True, slots=True)
class Stop:
    """What became of a scene."""

    sound: str
    kind: Kind
    level_db: float
    length_s: float
    stopped_s: float | None
    """How long after the sound's onset the agent was stopped."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of a recording to be laid into scenes."""

    name: str
    kind: Kind
    samples: Samples


def sounds(recordings: Iterable[Recording]) -> Iterator[Sound]:
    """Cut all sounds out of labelled recordings. Raises ConfigError."""
    for recording in recordings:
        spans = list(_spans(recording))
        if not spans:
            continue
        samples = recording.read()
        for kind, span in spans:
            name = f"{recording.id}@{span.start_s:.2f}"
            yield Sound(name, kind, _cut(samples, span))


def agent_speech(recordings: Iterable[Recording]) -> Samples:
    """Return what the agents of the calls say, without their pauses. Raises ConfigError.

    It is the channel called `agent` of every recording of several channels; else all speech of
    single voices, so that there is something to talk over.
    """
    given = list(recordings)
    agents = [one for one in given if one.id.endswith(":agent")]
    voices = agents or [one for one in given if one.kind == "monologue"]
    pieces = [np.empty(0, np.int16)]
    for voice in voices:
        samples = voice.read()
        pieces += [_cut(samples, span) for span in voice.speech or ()]
    return np.concatenate(pieces)


def scenes(given: Iterable[Sound], agent: Samples) -> Iterator[Scene]:
    """Lay each sound over the agent's speech, at every level and offset; then the agent's echo."""
    for sound in given:
        for level_db in LEVELS_DB:
            for offset_s in OFFSETS_S if sound.kind in SHORT else OFFSETS_S[::2]:
                yield _scene(sound, level_db, offset_s, agent)
    for level_db in ECHO_DB:
        for delay_s in ECHO_DELAYS_S:
            yield from _echoes(agent, level_db, delay_s)


def judged(scene: Scene, stops: Stops) -> Stop:
    """Play one scene."""
    at_s = stops(scene)
    return Stop(
        scene.sound,
        scene.kind,
        scene.level_db,
        scene.length_s,
        None if at_s is None else at_s - scene.onset_s,
    )


def stopped(given: Sequence[Stop]) -> dict[str, Estimate]:
    """Return the share of scenes that stop the agent: of short sounds together, and by kind."""
    groups = {"short acknowledgements": [one for one in given if one.kind in SHORT]}
    groups["  under 0.5 s"] = [s for s in given if s.kind in SHORT and s.length_s < 0.5]
    groups["  0.5 to 0.9 s"] = [s for s in given if s.kind in SHORT and s.length_s >= 0.5]
    for kind in dict.fromkeys(one.kind for one in given):
        groups[kind] = [one for one in given if one.kind == kind]
    return {
        name: bootstrap.mean(
            [one.stopped_s is not None for one in group], [one.sound for one in group]
        )
        for name, group in groups.items()
    }


def reactions(given: Sequence[Stop]) -> tuple[Estimate, Estimate]:
    """Return the median and the 95th percentile of the time to stop for an interruption."""
    found = [s for s in given if s.kind == "interruption" and s.stopped_s is not None]
    times, units = [s.stopped_s or 0.0 for s in found], [s.sound for s in found]
    return bootstrap.quantile(times, units, 50), bootstrap.quantile(times, units, 95)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run of all scenes came to."""

    recognizer: str
    barge_in_s: float
    """How long one had to speak over the agent."""
    stopped: dict[str, Estimate]
    """The share of scenes that stop the agent, by what is in them."""
    stopped_after_p50_s: Estimate
    """How long after their onset interruptions stop it."""
    stopped_after_p95_s: Estimate


def figures(given: Sequence[Stop], recognizer: str, barge_in_s: float) -> Figures:
    """Return all there is to say of these scenes."""
    return Figures(recognizer, barge_in_s, stopped(given), *reactions(given))


def _spans(recording: Recording) -> Iterator[tuple[Kind, Span]]:
    """Give what can be cut out of a recording."""
    whole = Span(0.0, recording.duration_s)
    for span in recording.backchannels:
        yield "backchannel", span
    if recording.speech == ():
        yield "noise", whole
    if recording.kind == "digits" and recording.duration_s <= LONGEST_SHORT_S:
        yield "word", whole
    for _, turn in recording.scored_turns:
        if turn.span.length_s <= LONGEST_SHORT_S:
            yield "answer", turn.span
        elif turn.span.length_s >= _SHORTEST_INTERRUPTION_S:
            end_s = min(turn.span.end_s, turn.span.start_s + _INTERRUPTION_S)
            yield "interruption", Span(turn.span.start_s, end_s)


def _cut(samples: Samples, span: Span) -> Samples:
    """Return that part, a little wider, without clicks at its edges."""
    first = max(0, round((span.start_s - _EDGE_S) * RATE_HZ))
    last = min(len(samples), round((span.end_s + _EDGE_S) * RATE_HZ))
    part = samples[first:last].astype(np.float64)
    fade: Floats = np.minimum(1.0, np.arange(1, len(part) + 1) / (_FADE_S * RATE_HZ))
    return np.rint(part * fade * fade[::-1]).astype(np.int16)


def _scene(sound: Sound, level_db: float, offset_s: float, agent: Samples) -> Scene:
    length_s = len(sound.samples) / RATE_HZ
    count = round((offset_s + length_s + _AFTER_S) * RATE_HZ)
    user = quiet(count, min(_ROOM, room_level(sound.samples) + 1.0))
    first = round(offset_s * RATE_HZ)
    user[first : first + len(sound.samples)] = _added(
        user[first : first + len(sound.samples)], at_level(sound.samples, level_db)
    )
    margin_s = 0.0 if sound.kind in {"noise", "word"} else _EDGE_S
    return Scene(
        sound.name,
        sound.kind,
        level_db,
        user,
        np.resize(agent, count) if len(agent) else np.zeros(count, np.int16),
        onset_s=offset_s + margin_s,
        length_s=length_s - 2 * margin_s,
    )


def _echoes(agent: Samples, level_db: float, delay_s: float) -> Iterator[Scene]:
    step, delay = round(_ECHO_S * RATE_HZ), round(delay_s * RATE_HZ)
    for start in range(0, len(agent) - step, step):
        played = agent[start : start + step]
        returned = np.concatenate([np.zeros(delay, np.int16), played])[:step]
        yield Scene(
            f"echo@{start / RATE_HZ:.0f}",
            "echo",
            level_db,
            _added(quiet(step, _ROOM), at_level(returned, level_db)),
            played,
            onset_s=delay_s,
            length_s=_ECHO_S,
        )


def _added(one: Samples, other: Samples) -> Samples:
    both = one.astype(np.int32) + other.astype(np.int32)
    return np.clip(both, -32767, 32767).astype(np.int16)
