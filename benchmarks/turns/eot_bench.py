"""eot-bench's published data as a pack that `score` reads.

A row of `livekit/eot-bench-data` (github.com/livekit/eot-bench, README, "Scope") is one user turn:

    id, language
    audio           {"bytes": an encoded file} or {"array": floats, "sampling_rate": hz}
    silence_spans   [{"start": s, "end": s}, ...]: holds, and last the silence after the turn
    words           [{"text" or "word": ..., "start": s, "end": s}, ...]; may be missing

The rows are read from Parquet files, which is how Hugging Face stores them.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

from turnkit.errors import ConfigError

KIND: Final = "eot-bench"

_SHORTEST_SPAN_S: Final = 0.1  # shorter silences are none, there and here
_AT_THE_START_S: Final = 0.05  # a silence that begins there is before the turn, not in it


def rows(files: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    """Read the rows of Parquet files, one at a time. Raises ConfigError."""
    try:
        import pyarrow.parquet  # noqa: PLC0415  # 50 MB, for this alone
    except ImportError:
        raise ConfigError("Parquet files need pyarrow: pip install pyarrow") from None
    for file in files:
        try:
            parquet = pyarrow.parquet.ParquetFile(file)
            for batch in parquet.iter_batches(batch_size=16):
                yield from batch.to_pylist()
        except (OSError, pyarrow.ArrowException) as exc:
            raise ConfigError(f"{file} is no Parquet file of eot-bench: {exc}") from None


def write_pack(given: Iterable[Mapping[str, Any]], folder: Path) -> int:
    """Write rows as a pack; return how many. Raises ConfigError and OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for number, row in enumerate(given):
        try:
            clip = _clip(row, f"{number:05}.flac")
            samples, rate_hz = _audio(row["audio"])
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            soundfile.LibsndfileError,
        ) as exc:
            raise ConfigError(f"row {number} is none of eot-bench: {exc!r}") from None
        soundfile.write(folder / clip["file"], samples, rate_hz, subtype="PCM_16")
        clips.append({**clip, "duration_s": len(samples) / rate_hz, "sample_rate": rate_hz})
    manifest = {"format": "turnkit-audio-pack/1", "clips": clips}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return len(clips)


def _clip(row: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return the manifest's entry for a row, but for what its audio tells."""
    spans = [(float(span["start"]), float(span["end"])) for span in row["silence_spans"]]
    spans = [span for span in spans if span[1] - span[0] >= _SHORTEST_SPAN_S]
    if not spans:
        raise ValueError("no silence after the turn")
    start_s = 0.0
    if len(spans) > 1 and spans[0][0] < _AT_THE_START_S:
        start_s = spans.pop(0)[1]
    holds, end_s = spans[:-1], spans[-1][0]
    edges = [start_s, *(edge for hold in holds for edge in hold), end_s]
    speech = list(zip(edges[::2], edges[1::2], strict=True))
    turn = {
        "start": start_s,
        "end": end_s,
        "quality": "clear",
        "ipus": speech,
        "hold_spans": holds,
    }
    return {
        "id": str(row["id"]),
        "file": file,
        "channels": 1,
        "kind": KIND,
        "language": row["language"],
        "transcript": _transcript(row.get("words") or ()),
        "labels": {"method": "eot-bench", "segments": speech, "turns": [turn]},
    }


def _transcript(words: Iterable[Mapping[str, Any]]) -> str | None:
    said = [str(word.get("text") or word.get("word") or "") for word in words]
    return " ".join(filter(None, said)) or None


def _audio(audio: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any], int]:
    if audio.get("bytes"):
        samples, rate_hz = soundfile.read(io.BytesIO(audio["bytes"]), dtype="float32")
        return np.asarray(samples), int(rate_hz)
    return np.asarray(audio["array"], np.float32), int(audio["sampling_rate"])
