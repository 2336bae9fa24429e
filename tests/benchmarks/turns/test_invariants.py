"""What the engine says keeps to Flux's rules, on every clip at every setting.

A part of them here; all by `python -m benchmarks.turns invariants`.
"""

import json

import pytest

from benchmarks.turns.invariants import breaches, settings
from benchmarks.turns.manifest import load_pack
from turnkit.sources.flux_wire import Unknown, parse_server
from turnkit.testing.flux_rules import violations

SOME = (
    "ps_cards_002",
    "google_brooklyn_padded",
    "mfa_uhuh",
    "mfa_whisper",
    "digit_3_george_0",
    "esc10_person_sneeze_1-29680-A",
    "auditok_german_proverb",
)


def test_the_settings_are_all_that_flux_allows():
    pairs = {(asked.eot_threshold, asked.eager_eot_threshold) for asked in settings()}
    assert (0.5, 0.7) not in pairs
    assert {(0.5, None), (0.5, 0.5), (0.9, 0.9), (1.0, 0.3)} <= pairs
    assert len(settings()) == 2 * len(pairs)


@pytest.mark.parametrize(("first", "name"), list(enumerate(SOME)))
def test_no_rule_is_broken_on_a_clip_whatever_the_setting(shared, first, name):
    (recording,) = [r for r in load_pack(shared / "audio") if r.id == name]
    some = settings()[first :: len(SOME)]  # each setting on one of the clips
    assert list(map(str, breaches(recording, some, "none"))) == []


def test_no_rule_is_broken_with_words(shared):
    pytest.importorskip("pocketsphinx", reason="extra `local`")
    (recording,) = [r for r in load_pack(shared / "audio") if r.id == "ps_cards_002"]
    assert list(map(str, breaches(recording, settings()[::16]))) == []


def test_the_validator_finds_nothing_in_real_flux(shared):
    for log in (shared / "recordings").glob("*.flux.json"):
        logged = json.loads(log.read_text())["events"]
        said = [parse_server(json.dumps(event["data"])) for event in logged]
        messages = [message for message in said if not isinstance(message, Unknown)]
        assert violations(messages, eager=False, triggers=False) == []
