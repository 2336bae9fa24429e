"""The embedded engine as an endpoint: in this process, in audio time, faster than real time."""

from collections.abc import Sequence
from functools import partial
from hashlib import blake2b
from typing import Final

import numpy as np

from benchmarks.turns.hearings import Hearing, Told, chunks
from benchmarks.turns.manifest import RATE_HZ
from benchmarks.turns.memory import OpinionMemory, RecognizerMemory, VadMemory
from benchmarks.turns.runs import Trace
from turnkit import config, plug
from turnkit.audio.frames import Samples
from turnkit.audio.vad import open_vad
from turnkit.engine.engine import Engine
from turnkit.engine.model import load_model
from turnkit.engine.pause import Pauses
from turnkit.engine.smart_turn import find_smart_turn, load_smart_turn
from turnkit.recognizers.base import OpenRecognizer
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, ForceEndTurn, ServerMessage

BEST: Final = "auto"
"""The recognizer of what is installed."""

_CHUNK_S = 0.08  # the engine's own frame, so that its confidence is read after each


def open_words(recognizer: str) -> OpenRecognizer:
    """Load a recognizer of this name, with its model, into this process. Raises ConfigError."""
    return plug.open_speech_model(config.load(recognizer=recognizer)).load()


class LocalEndpoint:
    """The engine. Remembers the last audio it heard, and only that.

    Args:
        recognizer: who hears words, as for `turnkit listen --set recognizer=...`.
        smart_turn: a second opinion on every pause: an onnx file, or `auto`.
    """

    def __init__(self, recognizer: str = BEST, smart_turn: str | None = None) -> None:
        self.name = "turnkit" if recognizer == BEST else f"turnkit, recognizer {recognizer}"
        file = find_smart_turn(smart_turn)
        self._opinion = OpinionMemory(load_smart_turn(file)) if file is not None else None
        self.name += " with smart-turn" if file is not None else ""
        self._open_words = open_words(recognizer)
        self._heard = b""
        self._memories: tuple[VadMemory, RecognizerMemory] | None = None

    def hear(
        self, samples: Samples, asked: ListenParameters, ends_at_s: Sequence[float] = ()
    ) -> Hearing:
        """Play 16 kHz audio to it; return what it says."""
        engine = self._engine(samples, asked)
        messages: list[ServerMessage] = [engine.connected()]
        times_s, values = [], []
        waiting = list(ends_at_s)
        for at_s, chunk in chunks(samples, _CHUNK_S, RATE_HZ):
            messages += engine.feed(chunk)
            times_s.append(at_s)
            values.append(engine.end_of_turn_confidence)
            while waiting and waiting[0] <= at_s:
                waiting.pop(0)
                messages += engine.handle(ForceEndTurn())
        messages += engine.handle(CloseStream())
        trace = Trace(np.array(times_s, np.float64), np.array(values, np.float64))
        return Hearing(tuple(map(Told, messages)), trace)

    def _engine(self, samples: Samples, asked: ListenParameters) -> Engine:
        heard = blake2b(samples.tobytes()).digest()
        if self._memories is None or heard != self._heard:
            make = partial(self._open_words, asked.keyterms)
            self._memories = VadMemory(open_vad()), RecognizerMemory(make)
            self._heard = heard
        vad, recognizer = self._memories
        return Engine(
            asked,
            "benchmark",
            vad=vad.replay(),
            recognizer=recognizer.replay(),
            pauses=Pauses(load_model(), self._opinion),
        )
