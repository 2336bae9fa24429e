"""The contract: real Flux keeps it, and each way to break it has a name."""

import json

import pytest

from turnkit.sources.flux.contract import BREACHES, Contract
from turnkit.sources.flux_wire import TurnInfo, parse_server


def info(event, transcript="", turn=0, end=0.08, confidence=0.5, trigger=None):
    return TurnInfo(
        request_id="r",
        event=event,
        turn_index=turn,
        audio_window_start=0.0,
        audio_window_end=end,
        transcript=transcript,
        words=(),
        end_of_turn_confidence=confidence,
        sequence_id=0,
        trigger=trigger,
    )


START = info("StartOfTurn", "so")
EAGER = info("EagerEndOfTurn", "so be it")
RESUMED = info("TurnResumed", "so be it")
END = info("EndOfTurn", "so be it", trigger="model")
UPDATE = info("Update", "so")


def breaches(*infos, sent_s=60.0):
    """What is wrong with each message of a connection."""
    contract = Contract()
    return [contract.check(one, sent_s) for one in infos]


def numbered(*sequence_ids):
    contract = Contract()
    return [contract.number(sequence_id) for sequence_id in sequence_ids]


@pytest.mark.parametrize("name", ["yes", "not_so_sure", "vad"])
def test_real_flux_keeps_it(shared, name):
    recording = json.loads((shared / "recordings" / f"{name}.flux.json").read_text())
    contract = Contract()
    for event in recording["events"]:
        message = parse_server(json.dumps(event["data"]))
        assert contract.number(message.sequence_id) is None
        if isinstance(message, TurnInfo):
            assert contract.check(message, message.audio_window_end) == []


def test_drafts_and_forced_ends_with_other_words_are_in_order():
    later = info("EndOfTurn", "so be it then", trigger="manual")
    assert breaches(UPDATE, START, UPDATE, EAGER, RESUMED, EAGER, UPDATE, later) == [[]] * 8


@pytest.mark.parametrize(
    ("infos", "last"),
    [
        ([END], ["no start"]),
        ([EAGER], ["no start"]),
        ([RESUMED], ["no start", "nothing to resume"]),
        ([START, START], ["second start"]),
        ([START, RESUMED], ["nothing to resume"]),
        ([START, EAGER, RESUMED, RESUMED], ["nothing to resume"]),
        ([START, EAGER, EAGER], ["second eager"]),
        ([START, info("EagerEndOfTurn")], ["eager without words"]),
        ([START, EAGER, info("EndOfTurn", "so be")], ["changed end"]),
        ([START, info("EndOfTurn", "")], ["end without words"]),
        ([START, END, END], ["stale turn"]),
        ([START, END, UPDATE], ["stale turn"]),
        ([START, END, info("Update", turn=1)], []),
        ([START, info("Update", turn=1)], ["turn jumps"]),
        ([START, END, info("StartOfTurn", "so", turn=5)], ["turn jumps"]),
        ([info("Update", end=0.4), UPDATE], ["window back"]),
        ([info("Update", end=0.4), info("Update", end=0.3999999)], []),
        ([info("Update", end=60.1)], ["window beyond"]),
        ([info("Update", confidence=1.01)], ["no probability"]),
        ([info("Update", confidence=-0.01)], ["no probability"]),
        ([info("Rejoiced", "so")], []),
    ],
)
def test_each_way_to_break_it_is_named(infos, last):
    assert breaches(*infos)[-1] == last
    assert set(last) <= BREACHES.keys()


@pytest.mark.parametrize(
    ("sequence_ids", "last"),
    [
        ([0, 1, 2], None),
        ([0, 1, 1], "sequence repeats"),
        ([0, 1, 2, 1], "sequence repeats"),
        ([0, 1, 3], "sequence gap"),
        ([0, 1, 3, 2], "sequence repeats"),
        ([0, 1, 3, 4], None),
        ([0, 1, None, 2], None),
        ([0, 0, 0], None),  # it does not number them
        ([5, 6], None),
    ],
)
def test_numbers_rise_by_one(sequence_ids, last):
    assert numbered(*sequence_ids)[-1] == last
