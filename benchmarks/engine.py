"""How quick and how right the embedded engine is, on the development audio pack.

    python -m benchmarks.engine [folder with manifest.json]

Times are audio time, so they are the same on every machine; CPU is this machine's. Flux's defaults
(eot_threshold 0.7), with eager ends at 0.5. Prints a table and, with `--json`, what is behind it.
"""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from turnkit.audio.frames import Samples
from turnkit.audio.vad import open_vad
from turnkit.engine.engine import Engine
from turnkit.engine.words import Pocketsphinx, Recognizer, SpeechMark
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo

PACK = Path(__file__).resolve().parents[2] / "shared" / "audio"
RATE_HZ = 16000
CHUNK_BYTES = 2560
LEADS_S = (0.48, 0.488, 0.496, 0.504)  # shifts a clip against the frames and the VAD's windows
TAIL_S = 3.0
ASKED = ListenParameters("flux-general-en", "linear16", RATE_HZ, eager_eot_threshold=0.5)


@dataclass(frozen=True, slots=True)
class Turn:
    """A labelled turn of a clip, in seconds from the clip's start."""

    kind: str
    start_s: float
    end_s: float
    holds: tuple[tuple[float, float], ...]


def main(arguments: list[str]) -> None:
    """Measure and print."""
    folders = [Path(given) for given in arguments if given != "--json"]
    pack = folders[0] if folders else PACK
    clips = json.loads((pack / "manifest.json").read_text())["clips"]
    figures = _measure(pack, clips)
    if "--json" in arguments:
        print(json.dumps(figures, indent=2))
        return
    for name, figure in figures.items():
        print(f"{name:58} {figure}")


def _measure(pack: Path, clips: list[dict]) -> dict[str, str]:
    sphinx, mark = Pocketsphinx(), SpeechMark()
    seconds: dict[str, list[float]] = defaultdict(list)
    pauses = cut = 0
    for samples, turns in _spoken(pack, clips):
        for lead_s in LEADS_S[: 1 if len(samples) > 60 * RATE_HZ else None]:
            events = _listened(samples, lead_s, sphinx)
            for turn in turns:
                _note(turn, events, seconds)
                long = [hold for hold in turn.holds if 0.2 <= hold[1] - hold[0] <= 5]
                pauses += len(long)
                cut += sum(any(_within(hold, events)) for hold in long)
    noise = [_read(pack, clip) for clip in clips if clip["kind"] == "noise"]
    opened = sum(bool(_listened(clip, lead_s, mark)) for clip in noise for lead_s in LEADS_S)
    return {
        "StartOfTurn after the onset, utterances": _quantiles(seconds["start utterance"]),
        "StartOfTurn after the onset, disfluent speech": _quantiles(seconds["start disfluency"]),
        "EndOfTurn after the end, utterances": _quantiles(seconds["end utterance"]),
        "EndOfTurn after the end, dialogue": _quantiles(seconds["end dialogue"]),
        "EagerEndOfTurn before its EndOfTurn": _quantiles(seconds["lead"]),
        "turns that were never heard": f"{len(seconds['missed'])} of {len(seconds['turns'])}",
        "pauses of 0.2 to 5 s cut off by an EndOfTurn": f"{cut} of {pauses}",
        "noise clips that open a turn": f"{opened / len(LEADS_S):.1f} of {len(noise)}",
        "CPU per second of speech, with words": _cost(pack, clips, sphinx),
        "CPU per second of speech, without": _cost(pack, clips, mark),
        "CPU per second of digital silence": _cost_of([np.zeros(60 * RATE_HZ, np.int16)], mark),
    }


def _spoken(pack: Path, clips: list[dict]) -> Iterator[tuple[Samples, list[Turn]]]:
    """Give every labelled clip with one voice, and each channel of those with one voice each."""
    for clip in clips:
        turns = clip["labels"].get("turns")
        if not turns or (clip["kind"] == "dialogue" and clip["channels"] == 1):
            continue
        for channel in range(clip["channels"]):
            voice = clip.get("channel_names", [None])[channel]
            own = [turn for turn in turns if turn.get("speaker") == voice]
            clear = [turn for turn in own if turn["quality"] == "clear"]
            yield (
                _read(pack, clip, channel),
                [
                    Turn(
                        clip["kind"],
                        turn["start"],
                        turn["end"],
                        tuple(tuple(hold) for hold in turn["hold_spans"]),
                    )
                    for turn in clear
                ],
            )


def _read(pack: Path, clip: dict, channel: int = 0) -> Samples:
    samples, _ = soundfile.read(pack / clip["file"], dtype="int16", always_2d=True)
    return samples[:, channel]


def _listened(samples: Samples, lead_s: float, ears: Recognizer) -> list[tuple[str, float]]:
    """Return all but the updates: what, and when on the clip's own clock."""
    return [
        (message.event, message.audio_window_end - lead_s)
        for message in _engine_on(samples, lead_s, ears)
        if message.event != "Update"
    ]


def _engine_on(samples: Samples, lead_s: float, ears: Recognizer) -> Iterator[TurnInfo]:
    ears.drop()
    engine = Engine(ASKED, "benchmark", vad=open_vad(), recognizer=ears)
    lead, tail = (np.zeros(round(s * RATE_HZ), np.int16) for s in (lead_s, TAIL_S))
    pcm = np.concatenate([lead, samples, tail]).tobytes()
    for start in range(0, len(pcm), CHUNK_BYTES):
        for message in engine.feed(pcm[start : start + CHUNK_BYTES]):
            assert isinstance(message, TurnInfo)
            yield message


def _note(turn: Turn, events: list[tuple[str, float]], seconds: dict[str, list[float]]) -> None:
    """Add what one turn's events say."""
    seconds["turns"].append(1)
    slack_s = 0.1
    near = [(event, at) for event, at in events if turn.start_s - slack_s <= at]
    starts = [at for event, at in near if event == "StartOfTurn" and at <= turn.end_s + 0.5]
    ends = [at for event, at in near if event == "EndOfTurn" and at >= turn.end_s - 0.05]
    if not starts:
        seconds["missed"].append(1)
        return
    seconds[f"start {turn.kind}"].append(starts[0] - turn.start_s)
    if not ends or ends[0] > turn.end_s + 6:
        return  # cut off before, or the user went on
    seconds[f"end {turn.kind}"].append(ends[0] - turn.end_s)
    eager = [at for event, at in near if event == "EagerEndOfTurn" and at < ends[0]]
    if eager:
        seconds["lead"].append(ends[0] - eager[-1])


def _within(span: tuple[float, float], events: list[tuple[str, float]]) -> Iterator[bool]:
    return (event == "EndOfTurn" and span[0] < at < span[1] for event, at in events)


def _cost(pack: Path, clips: list[dict], ears: Recognizer) -> str:
    names = {"jfk", "nasa_spacewalk", "mfa_cold_corpus", "libri_1088_134315_0000"}
    return _cost_of([_read(pack, clip) for clip in clips if clip["id"] in names], ears)


def _cost_of(recordings: list[Samples], ears: Recognizer) -> str:
    began_s = time.process_time()
    audio_s = sum(message.audio_window_end for r in recordings for message in _last(r, ears))
    return f"{(time.process_time() - began_s) / audio_s * 1000:.0f} ms"


def _last(samples: Samples, ears: Recognizer) -> list[TurnInfo]:
    return list(_engine_on(samples, 0.0, ears))[-1:]


def _quantiles(values: list[float]) -> str:
    p50, p95 = np.percentile(values, [50, 95])
    return f"p50 {p50:.2f} s, p95 {p95:.2f} s, n {len(values)}"


if __name__ == "__main__":
    main(sys.argv[1:])
