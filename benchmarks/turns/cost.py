"""What the embedded engine costs: processor time for each second of audio, and for one frame."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.turns.hearings import chunks
from benchmarks.turns.manifest import RATE_HZ
from turnkit import config, plug
from turnkit.audio.frames import Samples
from turnkit.engine.engine import open_engine
from turnkit.recognizers.pool import Recognizers
from turnkit.sources.flux_query import ListenParameters

_CHUNK_S = 0.08
_ASKED = ListenParameters("flux-general-en", "linear16", RATE_HZ, eager_eot_threshold=0.5)


@dataclass(frozen=True, slots=True)
class Cost:
    """What hearing some audio took."""

    audio_s: float
    cpu_s: float
    frame_p99_s: float
    """Of the time for 80 ms of audio, on the wall clock."""
    frame_worst_s: float

    @property
    def share(self) -> float:
        """Processor time for a second of audio."""
        return self.cpu_s / self.audio_s


def cost(recordings: Iterable[Samples], *, recognizer: str) -> Cost:
    """Measure the engine on recordings, one after the other. Reads the clocks."""
    recognizers = Recognizers(plug.open_speech_model(config.load(recognizer=recognizer)))
    audio_s, frames = 0.0, list[float]()
    cpu_s = 0.0
    for samples in recordings:
        engine = open_engine(_ASKED, "cost", recognizers=recognizers)
        began_s = time.process_time()
        for _, chunk in chunks(samples, _CHUNK_S, RATE_HZ):
            frame_s = time.perf_counter()
            engine.feed(chunk)
            frames.append(time.perf_counter() - frame_s)
        cpu_s += time.process_time() - began_s
        audio_s += len(samples) / RATE_HZ
    p99_s, worst_s = np.percentile(frames, [99, 100])
    return Cost(audio_s, cpu_s, float(p99_s), float(worst_s))
