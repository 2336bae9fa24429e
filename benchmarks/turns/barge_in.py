"""The embedded engine in scenes in which the agent speaks, many at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.turns.acknowledgements import Scene, Stop, judged
from benchmarks.turns.local import BEST, open_words
from benchmarks.turns.manifest import RATE_HZ
from turnkit.audio.frames import FRAME_S
from turnkit.audio.vad import open_vad
from turnkit.engine.engine import Engine
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo

ASKED: Final = ListenParameters("flux-general-en", "linear16", RATE_HZ, eager_eot_threshold=0.5)

_BATCH = 24  # scenes for a process at a time


class EngineStops:
    """Plays scenes to the engine, which is told what the agent plays; a StartOfTurn stops it.

    Args:
        barge_in_s: how long somebody must speak over the agent for it to be a turn; 0: at once.
        recognizer: who hears words.
    """

    def __init__(self, barge_in_s: float, recognizer: str = BEST) -> None:
        self._barge_in_s = barge_in_s
        self._recognizer = open_words(recognizer)(())

    def __call__(self, scene: Scene) -> float | None:
        """Return when the agent is stopped, if it is."""
        self._recognizer.drop()
        engine = Engine(
            ASKED,
            "scene",
            vad=open_vad(),
            recognizer=self._recognizer,
            barge_in_s=self._barge_in_s,
        )
        step = round(FRAME_S * RATE_HZ)
        for start in range(0, len(scene.user) - step + 1, step):
            engine.played(scene.agent[start : start + step].astype("<i2").tobytes())
            for message in engine.feed(scene.user[start : start + step].astype("<i2").tobytes()):
                if isinstance(message, TurnInfo) and message.event == "StartOfTurn":
                    return message.audio_window_end
        return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some scenes for one process."""

    scenes: Sequence[Scene]
    barge_in_s: float
    recognizer: str


def batches(scenes: Sequence[Scene], barge_in_s: float, recognizer: str) -> list[Batch]:
    """Divide the scenes."""
    return [
        Batch(scenes[start : start + _BATCH], barge_in_s, recognizer)
        for start in range(0, len(scenes), _BATCH)
    ]


def judge(batch: Batch) -> list[Stop]:
    """Play the scenes of a batch."""
    stops = EngineStops(batch.barge_in_s, batch.recognizer)
    return [judged(scene, stops) for scene in batch.scenes]
