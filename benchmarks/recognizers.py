"""What words cost, and how good they are: stalls, CPU, memory, latency, wrong words.

    python -m benchmarks.recognizers [--recognizer NAME[:MODEL]] [folder with manifest.json]

Calls are live ones: the engine of `--source local`, fed at the pace of real time, in this process;
recognizers are in processes of their own, as under `turnkit serve`. A stall is how late a ticker of
1 ms is on the event loop, less the time its thread was ready and no core was free, because that is
the doing of whatever else runs here; the whole is given too. That and CPU are read from /proc, so
without Linux there is no CPU, and stalls are whole.
"""

import argparse
import json
import logging
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import numpy as np
import soundfile
import structlog

from turnkit import plug
from turnkit.audio.frames import AudioFormat, Samples
from turnkit.audio.vad import open_vad
from turnkit.config import Settings
from turnkit.engine.engine import Engine
from turnkit.recognizers.base import RATE_HZ, Recognizer
from turnkit.recognizers.offer import offering
from turnkit.recognizers.pool import Recognizers
from turnkit.sources import local
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import CloseStream, TurnInfo

PACK = Path(__file__).resolve().parents[2] / "shared" / "audio"
LIVE_S = 12.0
CHUNK_S = 0.02
FRAME_SAMPLES = 1280
SPOKEN = ("libri_1088_134315_0000", "jfk", "mfa_cold_corpus", "mfa_acoustic_corpus")
CLEAR = re.compile(r"jfk|libri|google_brook|ps_goforward|ps_cards|dialogflow")
AUDIO = AudioFormat(RATE_HZ)
ASKED = ListenParameters("flux-general-en", "linear16", RATE_HZ)


@dataclass(slots=True)
class Live:
    """What was seen while calls went on."""

    late_s: list[float] = field(default_factory=list)
    waited_s: list[float] = field(default_factory=list)
    """For a core, of that."""
    here_s: float = 0.0
    there_s: float = 0.0
    memory_mb: float = 0.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recognizer", default="pocketsphinx")
    parser.add_argument("pack", nargs="?", type=Path, default=PACK)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    pack = Pack(asked.pack)
    words = Settings.model_construct(recognizer=asked.recognizer, recognizer_workers=1)
    nobody = Settings.model_construct(recognizer="none")
    silence = np.zeros(round(LIVE_S * RATE_HZ), np.int16)
    speech = [pack.spoken(name) for name in SPOKEN]
    rows: list[tuple[str, str]] = []
    rows += _live("no calls", nobody, [])
    rows += _live("4 calls speaking, with words", words, speech)
    rows += _live("4 calls silent, with words", words, [silence] * 4)
    rows += _live("20 calls speaking, without words", nobody, (speech * 5)[:20])
    rows += _latency(words, pack)
    rows += _wrong(words, pack)
    for name, figure in rows:
        print(f"{name:58} {figure}")


class Pack:
    """The clips of the development audio pack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        listed = json.loads((folder / "manifest.json").read_text())["clips"]
        self.clips = {clip["id"]: clip for clip in listed}

    def read(self, name: str) -> Samples:
        """Return a clip's samples."""
        samples, _ = soundfile.read(
            self._folder / self.clips[name]["file"], dtype="int16", always_2d=True
        )
        return samples[:, 0]

    def spoken(self, name: str) -> Samples:
        """Return as much of somebody speaking as a live call takes."""
        return np.resize(self.read(name), round(LIVE_S * RATE_HZ))


# Live calls.


def _live(name: str, settings: Settings, voices: list[Samples]) -> list[tuple[str, str]]:
    seen = anyio.run(_calls, settings, voices)
    late = np.array(seen.late_s) * 1000
    own = np.maximum(late - np.array(seen.waited_s) * 1000, 0)
    stall = f"max {own.max():.1f} ms, p99 {np.percentile(own, 99):.1f} ms"
    rows = [(f"{name}: stall", f"{stall}; with waiting for a core {late.max():.1f} ms")]
    if not voices:
        return rows  # how late things are here anyway
    audio_s = LIVE_S * len(voices)
    rows.append((f"{name}: CPU per call, server", f"{seen.here_s / audio_s:.1%} of a core"))
    if seen.memory_mb:
        there = f"{seen.there_s / audio_s:.1%} of a core"
        rows.append((f"{name}: CPU per call, recognizer", there))
        memory = f"{seen.memory_mb:.0f} MB, {seen.memory_mb / len(voices):.0f} MB a call"
        rows.append((f"{name}: memory of the recognizers", memory))
    return rows


async def _calls(settings: Settings, voices: list[Samples]) -> Live:
    seen = Live()
    with _pool(settings) as recognizers:
        sources = []
        with offering(recognizers):
            sources = [local.create(None, settings, AUDIO) for _ in voices]
        async with anyio.create_task_group() as tasks:
            for source in sources:
                tasks.start_soon(source.run, lambda _event: None)
            await _until_ready(recognizers, len(voices))
            began = time.process_time(), _cpu_s(recognizers.pids)
            async with anyio.create_task_group() as live:
                live.start_soon(_tick, seen, live.cancel_scope)
                for source, voice in zip(sources, voices, strict=True):
                    live.start_soon(_speak, source, voice)
            seen.here_s = time.process_time() - began[0]
            seen.there_s = _cpu_s(recognizers.pids) - began[1]
            seen.memory_mb = recognizers.load.memory_mb
            tasks.cancel_scope.cancel()
    return seen


async def _until_ready(recognizers: Recognizers, streams: int) -> None:
    """Wait until all streams are open, and no decoder is being opened any more."""
    memory_mb = -1.0
    while recognizers.load.streams < streams * bool(recognizers.pids):  # noqa: ASYNC110
        await anyio.sleep(0.5)
    while memory_mb != recognizers.load.memory_mb:
        memory_mb = recognizers.load.memory_mb
        await anyio.sleep(4.0)


async def _tick(seen: Live, scope: anyio.CancelScope) -> None:
    ends_at = time.perf_counter() + LIVE_S
    while (now := time.perf_counter()) < ends_at:
        waited_s = _waited_s()
        await anyio.sleep(0.001)
        seen.late_s.append(time.perf_counter() - now - 0.001)
        seen.waited_s.append(_waited_s() - waited_s)
    scope.cancel()


def _waited_s() -> float:
    """Return how long this thread has been ready to run, and had no core."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


async def _speak(source: local.LocalSource, voice: Samples) -> None:
    began_at = anyio.current_time()
    step = round(CHUNK_S * RATE_HZ)
    for number, start in enumerate(range(0, len(voice), step)):
        await anyio.sleep_until(began_at + number * CHUNK_S)
        source.hear(voice[start : start + step].tobytes())


@contextmanager
def _pool(settings: Settings) -> Iterator[Recognizers]:
    recognizers = Recognizers(plug.open_speech_model(settings), 1)
    try:
        yield recognizers
    finally:
        recognizers.close()


def _cpu_s(pids: tuple[int, ...]) -> float:
    return sum(_cpu_of(pid) for pid in pids)


def _cpu_of(pid: int) -> float:
    try:
        numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


# One recognizer.


def _latency(settings: Settings, pack: Pack) -> list[tuple[str, str]]:
    cold_at = time.perf_counter()
    with _pool(settings) as recognizers:
        recognizers.open(settings.keyterms)
        cold_s = time.perf_counter() - cold_at
        warm_at = time.perf_counter()
        ear = recognizers.open(settings.keyterms)
        warm_s = time.perf_counter() - warm_at
        firsts, ends = [], []
        for name, clip in pack.clips.items():
            if clip["kind"] == "utterance" and clip["labels"].get("turns") and CLEAR.match(name):
                first_s, end_s = _heard(ear, pack.read(name))
                ends.append(end_s)
                if first_s is not None:
                    firsts.append(first_s - clip["labels"]["turns"][0]["start"])
    rows = [
        ("opened, with the process", f"{cold_s:.2f} s"),
        ("opened, the process being there", f"{warm_s * 1000:.1f} ms"),
        ("finishing a stretch", _quantiles(ends, 1000, "ms")),
    ]
    return [*rows, ("first word after the onset", _quantiles(firsts, 1, "s"))] if firsts else rows


def _heard(ear: Recognizer, samples: Samples) -> tuple[float | None, float]:
    """Speak a clip in real time; return when the first word came, and how long the end took."""
    began_at = time.perf_counter()
    first_s = None
    for start in range(0, len(samples), FRAME_SAMPLES):
        until = began_at + (start + FRAME_SAMPLES) / RATE_HZ
        time.sleep(max(0.0, until - time.perf_counter()))
        ear.feed(samples[start : start + FRAME_SAMPLES])
        if first_s is None and ear.words:
            first_s = time.perf_counter() - began_at
    ended_at = time.perf_counter()
    while ear.finish() is None:
        pass
    return first_s, time.perf_counter() - ended_at


def _wrong(settings: Settings, pack: Pack) -> list[tuple[str, str]]:
    recognizers = Recognizers(plug.open_speech_model(settings))
    wrong = {"commands and read sentences": [0, 0], "other speech": [0, 0]}
    for name, clip in pack.clips.items():
        if clip["kind"] not in ("utterance", "monologue") or not clip["transcript"]:
            continue
        if clip.get("language") != "en":
            continue
        ear = recognizers.open(settings.keyterms)  # another caller
        said, heard = _words(clip["transcript"]), _words(_transcript(pack.read(name), ear))
        ear.close()
        kind = wrong["commands and read sentences" if CLEAR.match(name) else "other speech"]
        kind[0] += _distance(said, heard)
        kind[1] += len(said)
    return [
        (f"wrong words, {kind}", f"{errors / count:.0%} of {count}")
        for kind, (errors, count) in wrong.items()
    ]


def _transcript(samples: Samples, ear: Recognizer) -> str:
    """Return what the engine makes of a clip, all turns together."""
    engine = Engine(ASKED, "benchmark", vad=open_vad(), recognizer=ear)
    lead, tail = (np.zeros(round(s * RATE_HZ), np.int16) for s in (0.48, 3.0))
    told = engine.feed(np.concatenate([lead, samples, tail]).tobytes())
    told += engine.handle(CloseStream())
    turns = {info.turn_index: info.transcript for info in told if isinstance(info, TurnInfo)}
    return " ".join(turns.values())


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z' ]", " ", text.lower()).split()


def _distance(said: list[str], heard: list[str]) -> int:
    """Return how many words have to be changed, added or left out (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for number, word in enumerate(said, 1):
        before, row = row, [number]
        for place, other in enumerate(heard, 1):
            change = before[place - 1] + (word != other)
            row.append(min(before[place] + 1, row[-1] + 1, change))
    return row[-1]


def _quantiles(values: list[float], factor: float, unit: str) -> str:
    p50, p95, most = np.percentile(values, [50, 95, 100]) * factor
    return f"p50 {p50:.2f}, p95 {p95:.2f}, max {most:.2f} {unit}, n {len(values)}"


if __name__ == "__main__":
    main()
