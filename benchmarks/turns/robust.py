"""Whether the embedded engine's skill outlasts a change of line, and whether its numbers agree.

    python -m benchmarks.turns.robust [PACK] [--smart-turn FILE]

Every recording is scored by numbers fitted without it, on recordings as they are: once as it is,
and once over each line of `lines`. Beside the scores stands how far the prior of the same pause
moves. Then the weights fitted without each voice. Takes two minutes, or ten with smart-turn.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.turns.crossval import Folds, by_clip, by_voice, folds, scored_by
from benchmarks.turns.fit import JUDGED, PACK
from benchmarks.turns.fitting import PROSODY, WITH_OPINION
from benchmarks.turns.lines import AS_RECORDED, lines, steadiest
from benchmarks.turns.manifest import Recording, load_pack
from benchmarks.turns.observed import Observed, observe
from turnkit.engine.model import OPINION
from turnkit.engine.smart_turn import find_smart_turn, load_smart_turn

_NOISE = "noise"
_ROOMS = 8
_SAME_S = 0.15  # two pauses that begin so close to each other are one
_ROW = "{:28}{:>10}{:>10}{:>14}{:>10}{:>8}{:>14}"

Heard = Mapping[str, Sequence[Observed]]


def main(
    pack: Annotated[Path, typer.Argument(help="A folder with a manifest.json.")] = PACK,
    smart_turn: Annotated[str | None, typer.Option(help="The onnx file, or auto.")] = None,
) -> None:
    """Score over every line."""
    file = find_smart_turn(smart_turn)
    heard = _over_lines(load_pack(pack), file)
    known = heard[AS_RECORDED]
    for names in (PROSODY, WITH_OPINION) if file else (PROSODY,):
        for group, what in ((by_clip, "recording"), (by_voice, "voice")):
            fitted = folds(known, JUDGED, names, group)
            print(f"\n{'with smart-turn' if OPINION in names else 'prosody'}, {what} unseen")
            print("\n".join(_scores(fitted, heard)))
        print("\nweights with each voice left out: least, median, most")
        print("\n".join(_weights(folds(known, JUDGED, names, by_voice), names)))


def _over_lines(recordings: Sequence[Recording], smart_turn: Path | None) -> Heard:
    """Hear everything as it is, and what is judged over every other line."""
    opinion = load_smart_turn(smart_turn) if smart_turn else None
    noises = [recording.read() for recording in recordings if recording.kind == _NOISE]
    judged = [recording for recording in recordings if recording.kind == JUDGED]
    return {
        name: tuple(observe(recordings if name == AS_RECORDED else judged, opinion, line))
        for name, line in lines(steadiest(noises, _ROOMS)).items()
    }


def _scores(fitted: Folds, heard: Heard) -> list[str]:
    rows = [_ROW.format("", "@300 ms", "@600 ms", "latency @5 %", "@10 %", "Brier", "prior moved")]
    for name, observed in heard.items():
        found = scored_by(fitted, observed)
        points = found.points
        rows.append(
            _ROW.format(
                name,
                f"{points.cutoffs_at_300_ms.estimate.value:.0%}",
                f"{points.cutoffs_at_600_ms.estimate.value:.0%}",
                f"{points.latency_at_5_percent.estimate.value * 1000:.0f} ms",
                f"{points.latency_at_10_percent.estimate.value * 1000:.0f} ms",
                f"{found.calibration.brier.value:.3f}",
                f"{_moved(fitted, heard[AS_RECORDED], observed):.2f}",
            )
        )
    return rows


def _moved(fitted: Folds, before: Sequence[Observed], after: Sequence[Observed]) -> float:
    """Return by how much the priors of the same pauses differ, on average."""
    began = {_place(pause): pause for pause in before}
    moved = []
    for pause in after:
        recording, shift, at_s = _place(pause)
        same = [
            one for one in began if one[:2] == (recording, shift) and abs(one[2] - at_s) < _SAME_S
        ]
        if same and fitted.without(pause.recording) is not None:
            nearest = began[min(same, key=lambda one: abs(one[2] - at_s))]
            moved.append(abs(_prior(fitted, pause) - _prior(fitted, nearest)))
    return float(np.mean(moved))


def _place(pause: Observed) -> tuple[str, int, float]:
    first = pause.moments[0]
    return pause.recording.id, pause.shift, first.at_s - first.silence_s


def _prior(fitted: Folds, pause: Observed) -> float:
    numbers = fitted.without(pause.recording)
    assert numbers is not None
    last = pause.moments[-1]
    log_odds = numbers[0].log_odds({**last.cues._asdict(), OPINION: last.opinion})
    return float(1 / (1 + np.exp(-log_odds)))


def _weights(fitted: Folds, names: Sequence[str]) -> list[str]:
    found = {
        name: [prior.cues[name].weight for prior, _ in fitted.fitted.values()] for name in names
    }
    return [
        f"{name:16}" + "".join(f"{value:8.2f}" for value in np.percentile(weights, (0, 50, 100)))
        for name, weights in found.items()
    ]


if __name__ == "__main__":
    typer.run(main)
