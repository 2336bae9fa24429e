"""The policies that are compared: each a point on the way from "wait" to "guess early"."""

from dataclasses import dataclass

from benchmarks.policy.detector import Thresholds
from turnkit.config import Settings, Speculate

TOKEN_PRICE = 0.4
"""Dollars for a million tokens: what small hosted models cost, prompt and answer mixed. Assumed."""
CHARACTER_PRICE = 30.0
"""Dollars for a million characters: Aura-2's list price (deepgram.com/pricing)."""

DEFAULT = "llm+tts"


_FLUX = Thresholds()


@dataclass(frozen=True, slots=True)
class Policy:
    """What to guess, when, and for how long to keep a guess."""

    name: str
    speculate: Speculate = "llm+tts"
    thresholds: Thresholds = _FLUX
    hold_s: float = 0.0
    drafts: int = 4

    @property
    def settings(self) -> Settings:
        """The settings of a session under it; all others are the defaults."""
        return Settings.model_construct(
            speculate=self.speculate,
            eager_eot_threshold=self.thresholds.eager,
            eot_threshold=self.thresholds.eot,
            hold_s=self.hold_s,
            max_drafts_per_turn=self.drafts,
            price_per_million_tokens=TOKEN_PRICE,
            price_per_million_characters=CHARACTER_PRICE,
        )


def _policies() -> tuple[Policy, ...]:
    words = [Policy(f"llm@{eager}", "llm", Thresholds(eager)) for eager in (0.3, 0.4, 0.6)]
    sound = [Policy(f"llm+tts@{eager}", thresholds=Thresholds(eager)) for eager in (0.3, 0.4, 0.6)]
    late, soon = Thresholds(0.3, 0.8), Thresholds(0.3, 0.6)
    return (
        Policy("off", "off"),
        Policy("llm", "llm"),
        Policy(DEFAULT),
        *words,
        *sound,
        Policy("llm+tts/hold", hold_s=1.0),
        Policy("llm+tts@0.3/hold", thresholds=Thresholds(0.3), hold_s=1.0),
        Policy("llm+tts@0.3/once", thresholds=Thresholds(0.3), drafts=1),
        Policy("off/eot0.8", "off", Thresholds(None, 0.8)),
        Policy("llm+tts@0.3/eot0.8", thresholds=late),
        Policy("off/eot0.6", "off", Thresholds(None, 0.6)),
        Policy("llm+tts@0.3/eot0.6", thresholds=soon),
    )


POLICIES = _policies()
"""`@0.3` is Flux's eager_eot_threshold where it is not turnkit's default of 0.5, `eot0.8` its
eot_threshold where it is not 0.7. `hold` keeps a draft for a second when the user goes on, `once`
makes one draft a turn at the most."""

QUICK = POLICIES[:3]

RECORDED = tuple(p for p in POLICIES if p.thresholds.eot == 0.7)
"""For recordings, whose turns were ended at 0.7: when they would have ended later is unknown."""
