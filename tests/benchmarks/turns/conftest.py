"""Recordings and runs made by hand, so that every answer is known."""

from pathlib import Path

import pytest

from benchmarks.turns.manifest import Recording, Span, Turn
from benchmarks.turns.runs import Event, Run


def make_turn(start, end, *, holds=(), quality="clear", next_speech=None):
    return Turn(
        span=Span(start, end),
        quality=quality,
        speaker=None,
        speech=(Span(start, end),),
        holds=tuple(Span(*hold) for hold in holds),
        next_speech_s=next_speech,
    )


def make_recording(*turns, name="clip", duration=20.0, unscored=(), speech=None):
    return Recording(
        id=name,
        clip=name.partition(":")[0],
        kind="utterance",
        language="en",
        file=Path(f"{name}.flac"),
        channel=0,
        duration_s=duration,
        transcript=None,
        turns=turns,
        speech=tuple(turn.span for turn in turns) if speech is None else speech,
        others=(),
        backchannels=(),
        unscored=tuple(Span(*span) for span in unscored),
    )


def make_run(recording, *events):
    """Make a run of (name, flux turn, instant) or (name, flux turn, instant, transcript)."""
    return Run(recording, tuple(Event(*event) for event in events))


@pytest.fixture(scope="session")
def turn():
    return make_turn


@pytest.fixture(scope="session")
def recording():
    return make_recording


@pytest.fixture(scope="session")
def run():
    return make_run
