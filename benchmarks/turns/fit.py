"""Fit the embedded engine's numbers on labelled speech, and tell how good they are.

    python -m benchmarks.turns.fit [PACK] [--smart-turn FILE] [--write]

Prints cross-validated scores, without and with smart-turn, and with `--write` puts the numbers
fitted on everything into `turnkit/engine/model.toml`. The same pack gives the same numbers. Takes
a minute, or two with smart-turn.
"""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.turns.crossval import (
    Scores,
    by_clip,
    by_voice,
    cross_validated,
    fit_chosen,
    timer,
)
from benchmarks.turns.fitting import (
    CONVERSATION,
    PACE_WEIGHT,
    PROSODY,
    WITH_OPINION,
    Timing,
    counts,
)
from benchmarks.turns.manifest import load_pack
from benchmarks.turns.observed import SHIFTS_S, Observed, observe
from benchmarks.turns.sweep import OperatingPoint, OperatingPoints
from turnkit.engine.model import FILE, Prior, load_model
from turnkit.engine.smart_turn import AUTO, find_smart_turn, load_smart_turn

PACK = Path(__file__).resolve().parents[3] / "shared" / "audio"
JUDGED = CONVERSATION
"""The kind of recording scores are about: conversations, in which turns really change."""


def main(
    pack: Annotated[Path, typer.Argument(help="A folder with a manifest.json.")] = PACK,
    smart_turn: Annotated[str, typer.Option(help="The onnx file, or auto.")] = AUTO,
    write: Annotated[bool, typer.Option(help="Put the numbers into the engine.")] = False,  # noqa: FBT002
) -> None:
    """Fit, score and perhaps write."""
    file = find_smart_turn(smart_turn)
    opinion = load_smart_turn(file) if file else None
    observed = list(observe(load_pack(pack), opinion))
    lines = _report(observed, with_opinion=opinion is not None)
    print("\n".join(lines))
    prosody, timing = fit_chosen(observed, JUDGED, PROSODY)
    if opinion is not None:
        with_smart_turn, _ = fit_chosen(observed, JUDGED, WITH_OPINION)
    else:
        with_smart_turn = load_model().with_smart_turn
        lines.append("smart-turn was not at hand: its numbers are those of an earlier fit")
    text = _toml(lines, prosody, with_smart_turn, timing)
    if write:
        FILE.write_text(text)
    else:
        print(text)


def _report(observed: Sequence[Observed], *, with_opinion: bool) -> list[str]:
    holds, ends = counts(observed)
    clips = len({pause.recording.clip for pause in observed})
    lines = [
        f"Fitted on {clips} clips: {holds} holds, {ends} ends, each heard {len(SHIFTS_S)} times.",
        f"Scores on the {JUDGED} clips, left out of the fit; 95 % intervals over turns.",
        _row("", "cut off @300 ms", "@600 ms", "latency @5 %", "@10 %"),
        _points("silence timer", timer(observed, JUDGED)),
    ]
    kinds = [("prosody", PROSODY)] + ([("with smart-turn", WITH_OPINION)] if with_opinion else [])
    for name, names in kinds:
        for group, what in ((by_clip, "recording"), (by_voice, "voice")):
            found = cross_validated(observed, JUDGED, names, group)
            lines.append(_points(f"{name}, {what} unseen", found.points))
            lines.append(_calibration(found))
    return lines


def _row(name: str, *cells: str) -> str:
    return f"{name:36}" + "".join(f"{cell:20}" for cell in cells).rstrip()


def _points(name: str, points: OperatingPoints) -> str:
    return _row(
        name,
        _cell(points.cutoffs_at_300_ms, 100, "%"),
        _cell(points.cutoffs_at_600_ms, 100, "%"),
        _cell(points.latency_at_5_percent, 1000, "ms"),
        _cell(points.latency_at_10_percent, 1000, "ms"),
    )


def _cell(point: OperatingPoint, factor: int, unit: str) -> str:
    value, low, high = (
        round(factor * number)
        for number in (point.estimate.value, point.estimate.low, point.estimate.high)
    )
    return f"{value} {unit} ({low}-{high})"


def _calibration(found: Scores) -> str:
    brier, error = found.calibration.brier, found.calibration.expected_error
    return _row(
        "",
        f"Brier {brier.value:.3f}",
        f"calibration error {error.value:.3f}",
    )


def _toml(lines: Sequence[str], prosody: Prior, with_smart_turn: Prior, timing: Timing) -> str:
    head = [
        "The numbers behind end_of_turn_confidence: written, not edited.",
        f"python -m benchmarks.turns.fit --write, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        *lines,
    ]
    body = [
        "[holds]",
        f"mu = {timing.lengths.mu:.4f}",
        f"sigma = {timing.lengths.sigma:.4f}",
        f"mean_log = {timing.mean_log:.4f}",
        f"pace_weight = {PACE_WEIGHT}",
        *_section("prosody", prosody),
        *_section("with_smart_turn", with_smart_turn),
    ]
    return "\n".join([*(f"# {line}".rstrip() for line in head), "", *body, ""])


def _section(name: str, prior: Prior) -> list[str]:
    rows = [
        f"{cue} = {{ mean = {numbers.mean:.4f}, scale = {numbers.scale:.4f}, "
        f"weight = {numbers.weight:.4f} }}"
        for cue, numbers in prior.cues.items()
    ]
    numbers = [f"{field} = {getattr(prior, field):.4f}" for field in ("intercept", "least", "most")]
    return ["", f"[{name}]", *numbers, "", f"[{name}.cues]", *rows]


if __name__ == "__main__":
    typer.run(main)
