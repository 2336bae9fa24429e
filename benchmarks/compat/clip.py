"""A recording in which the engine announces a turn's end, takes that back, and announces again."""

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from turnkit.audio.files import read_audio
from turnkit.engine.engine import open_engine
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo

RATE_HZ = 16000
EVENTS = ["StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]

_SHARED = Path(__file__).resolve().parents[3] / "shared"
_TAIL_S = 3.0
_CANDIDATES = (
    *("mfa_hes", "mfa_youknow", "mfa_whatscalled", "mfa_creaky", "mfa_uhuh", "mfa_uhum"),
    *("mfa_internalsil", "mfa_laughter"),
)
_THRESHOLDS = ((0.3, 0.7), (0.5, 0.7), (0.3, 0.9), (0.6, 0.9))
"""The lower the first, the more ends are announced; the higher the second, the fewer come."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording, and what to ask for."""

    name: str
    audio: bytes
    """16 kHz linear16."""
    eager: float
    eot: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.audio) / 2 / RATE_HZ


def find_clip() -> Clip:
    """Return the first with which the engine, as it is now, tells of all `EVENTS` and no others.

    Raises FileNotFoundError.
    """
    folder = Path(os.environ.get("SHARED_FOLDER", _SHARED)) / "audio/disfluency"
    for name in _CANDIDATES:
        path = folder / f"{name}.flac"
        if not path.exists():
            continue
        samples = np.asarray(read_audio(path, RATE_HZ), np.int16)
        audio = samples.tobytes() + bytes(round(_TAIL_S * RATE_HZ) * 2)
        for eager, eot in _THRESHOLDS:
            clip = Clip(name, audio, eager, eot)
            if _events(clip) == EVENTS:
                return clip
    raise FileNotFoundError(
        f"no recording in {folder} in which the engine resumes a turn; "
        "set SHARED_FOLDER to the folder of recordings"
    )


def _events(clip: Clip) -> list[str]:
    asked = ListenParameters(
        "flux-general-en",
        "linear16",
        RATE_HZ,
        eager_eot_threshold=clip.eager,
        eot_threshold=clip.eot,
    )
    with closing(open_engine(asked, "clip")) as engine:
        told = engine.feed(clip.audio)
    return [m.event for m in told if isinstance(m, TurnInfo) and m.event != "Update"]
