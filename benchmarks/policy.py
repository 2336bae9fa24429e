"""What each way of speculating costs and gains: virtual time, exact, the same on every machine.

    python -m benchmarks.policy [--turns 300] [--json FILE]

One user, from a seed: eager ends come 150 to 400 ms before the end (Deepgram's and Telnyx's
figures for Flux), a third of them is taken back. One answer of two sentences. The latency is that
from EndOfTurn to the first sound; before EndOfTurn it is the source's, and the same for all.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles

import structlog
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from turnkit.config import Settings, Speculate
from turnkit.ledger import Ledger
from turnkit.testing import ExactVoice, ScriptedAgent, breaches, play, run_virtual
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, UserEvent

PROFILES = {"fast": (0.15, 0.08), "usual": (0.45, 0.15), "slow": (1.2, 0.4)}
"""Seconds to the model's first words, and from a clause to the voice's first sound."""

POLICIES: dict[str, tuple[Speculate, float]] = {
    "off": ("off", 0.0),
    "llm": ("llm", 0.0),
    "llm+tts": ("llm+tts", 0.0),
    "llm+tts+hold": ("llm+tts", 1.0),
}
ANSWER = "I can do that for you. Is there anything else?"


@dataclass(frozen=True, slots=True)
class Row:
    """One policy with one profile. Times in milliseconds."""

    profile: str
    policy: str
    latency_p50_ms: int
    latency_p95_ms: int
    head_start_ms: int
    """Gained by a turn, on average."""
    drafts_per_turn: float
    wasted_characters_share: float
    broken_promises: int


def user(turns: int, seed: int = 1) -> list[tuple[float, UserEvent]]:
    """Return one user's turns, each leaving time for the answer."""
    random, script, at = Random(seed), list[tuple[float, UserEvent]](), 0.0
    for turn in range(turns):
        words = f"turn {turn}"
        script.append((at := at + random.uniform(6, 9), StartOfTurn(turn, words)))
        at += random.uniform(0.8, 3.0)
        if random.random() < 1 / 3:
            script.append((at, EagerEndOfTurn(turn, words)))
            at += random.uniform(0.1, 0.6)
            words += random.choice(["", " and more"])  # noise, or words
            script.append((at, TurnResumed(turn, words)))
            at += random.uniform(0.3, 1.5)
        script.append((at, EagerEndOfTurn(turn, words)))
        at += random.uniform(0.15, 0.4)
        script.append((at, EndOfTurn(turn, words)))
    return script


def measure(profile: str, policy: str, script: list[tuple[float, UserEvent]]) -> Row:
    """Play the whole conversation under one policy."""
    llm_s, tts_s = PROFILES[profile]
    speculate, hold_s = POLICIES[policy]
    settings = Settings.model_construct(speculate=speculate, hold_s=hold_s)
    agent = ScriptedAgent(lambda _: [ANSWER], thinking_s=llm_s)
    heard = run_virtual(
        lambda: play(*script, agent=agent, voice=ExactVoice(tts_s), settings=settings)
    )
    ledger = Ledger()
    for at, item in heard.tape:
        ledger.note(at, item)
    latencies = [r.response_s * 1000 for r in ledger.turns.values() if r.response_s is not None]
    totals, turns = ledger.totals, len(ledger.turns)
    return Row(
        profile,
        policy,
        round(median(latencies)),
        round(quantiles(latencies, n=20)[-1]),
        round(totals.head_start_s / turns * 1000),
        round(totals.drafts / turns, 2),
        round(totals.wasted_characters / totals.characters, 3),
        len(breaches(heard)),
    )


def main() -> None:
    """Measure every policy with every profile and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    script = user(options.turns)
    pairs = [(profile, policy) for profile in PROFILES for policy in POLICIES]
    rows = [measure(*pair, script) for pair in track(pairs, "playing", transient=True)]
    title = "EndOfTurn to first sound in ms, drafts a turn, share of characters wasted"
    table = Table(title=f"{title}; {options.turns} turns", box=box.SIMPLE)
    for name in ("model", "speculate"):
        table.add_column(name, no_wrap=True)
    for name in ("p50", "p95", "gained", "drafts", "wasted", "broken"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        profile, policy, *figures = asdict(row).values()
        table.add_row(profile, policy, *map(str, figures))
    Console().print(table)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


if __name__ == "__main__":
    main()
