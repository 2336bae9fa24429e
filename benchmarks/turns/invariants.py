"""Flux's rules, held against what the engine says of every clip at every setting.

The validator is `turnkit.testing.flux_rules`, which finds nothing in recordings of real Flux. The
engine works each clip through once; its detector and recognizer then answer from memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from benchmarks.turns.audio import material
from benchmarks.turns.hearings import forced_ends
from benchmarks.turns.local import BEST, LocalEndpoint
from benchmarks.turns.manifest import RATE_HZ, Recording
from turnkit.sources.flux_query import ListenParameters
from turnkit.testing.flux_rules import Violation, violations

EOT_THRESHOLDS: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
EAGER_EOT_THRESHOLDS: Final = (None, 0.3, 0.5, 0.7, 0.9)
EOT_TIMEOUTS_MS: Final = (500, 5000)


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that was broken, and how to see it again."""

    recording: str
    asked: ListenParameters
    forced: bool
    violation: Violation

    def __str__(self) -> str:
        asked = self.asked
        return (
            f"{self.recording} at eot_threshold {asked.eot_threshold}, eager_eot_threshold "
            f"{asked.eager_eot_threshold}, eot_timeout_ms {asked.eot_timeout_ms}"
            f"{', with ForceEndTurn' if self.forced else ''}: {self.violation}"
        )


def settings() -> list[ListenParameters]:
    """Return every combination Flux allows."""
    return [
        ListenParameters(
            "flux-general-en",
            "linear16",
            RATE_HZ,
            eager_eot_threshold=eager,
            eot_threshold=eot,
            eot_timeout_ms=timeout_ms,
        )
        for eot, eager, timeout_ms in product(EOT_THRESHOLDS, EAGER_EOT_THRESHOLDS, EOT_TIMEOUTS_MS)
        if eager is None or eager <= eot
    ]


def breaches(
    recording: Recording, over: Iterable[ListenParameters], recognizer: str = BEST
) -> Iterator[Breach]:
    """Give every rule that is broken on one recording, at each setting, with and without force."""
    endpoint, played = LocalEndpoint(recognizer), material(recording)
    forced = forced_ends(recording, played.lead_s) or [played.lead_s + recording.duration_s / 2]
    for asked in over:
        for ends_at_s in ((), forced):
            heard = endpoint.hear(played.samples, asked, ends_at_s)
            found = violations(heard.messages, eager=asked.eager_eot_threshold is not None)
            yield from (Breach(recording.id, asked, bool(ends_at_s), one) for one in found)


def all_breaches(task: tuple[Recording, Sequence[ListenParameters], str]) -> list[Breach]:
    """Return them for one recording; for other processes."""
    recording, over, recognizer = task
    return list(breaches(recording, over, recognizer))
