"""An engine whose every word is known, and real speech where it is at hand."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from turnkit.audio.frames import Samples
from turnkit.engine.engine import Engine
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.ears import CountingRecognizer, LoudnessVad

PLAIN = {"model": "flux-general-en", "encoding": "linear16", "sample_rate_hz": 16000}


@pytest.fixture
def connected() -> Callable[..., Engine]:
    """Open an engine and take its first message."""

    def opened(vocabulary: str = "one two three four five six", **asked: object) -> Engine:
        engine = Engine(
            ListenParameters(**PLAIN | asked),
            "request",
            vad=LoudnessVad(),
            recognizer=CountingRecognizer(vocabulary),
        )
        engine.connected()
        return engine

    return opened


@pytest.fixture
def clip(shared: Path) -> Callable[[str], Samples]:
    """Read a clip of the development audio pack."""

    def read(name: str) -> Samples:
        samples, rate_hz = soundfile.read(shared / "audio" / f"{name}.flac", dtype="int16")
        assert rate_hz == 16000
        return samples

    return read
