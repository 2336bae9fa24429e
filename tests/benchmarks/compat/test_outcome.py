"""How what clients of others report is judged; running them takes minutes and a network."""

import pytest

from benchmarks.compat.__main__ import CLIENTS, Outcome
from benchmarks.compat.clip import EVENTS
from turnkit.listen.visits import Visit
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo


@pytest.fixture
def visit() -> Visit:
    """A visit that was told all events."""
    made = Visit(ListenParameters("flux-general-en", "linear16", 16000))
    for n, event in enumerate(EVENTS):
        text = "a" if n < 3 else "a b"
        made.answered(TurnInfo("r", event, 0, 0.0, n * 0.24, text, (), 0.5, n + 1))
    return made


def judged(name: str, visit: Visit, reported: list[tuple[str, str]]) -> Outcome:
    client = next(client for client in CLIENTS if client.name == name)
    return Outcome(client, reported, visit)


def test_a_client_that_reports_all_is_right(visit):
    outcome = judged("deepgram-sdk", visit, [("Connected", ""), *visit.events])
    assert (outcome.is_right, outcome.texts_agree) == (True, True)


def test_a_client_that_misses_something_is_not(visit):
    missing = [event for event in visit.events if event[0] != "TurnResumed"]
    assert not judged("pipecat", visit, missing).is_right
    other = [*visit.events[:-1], ("EndOfTurn", "a c")]
    assert not judged("pipecat", visit, other).texts_agree


def test_livekits_own_words_are_translated(visit):
    reported = [
        ("start_of_speech", ""),
        ("interim_transcript", "a"),
        ("preflight_transcript", "a"),
        ("interim_transcript", "a"),
        ("interim_transcript", "a b"),
        ("preflight_transcript", "a b"),
        ("interim_transcript", "a b"),
        ("recognition_usage", ""),
        ("final_transcript", "a b"),
        ("end_of_speech", ""),
    ]
    outcome = judged("livekit", visit, reported)
    assert (outcome.is_right, outcome.texts_agree) == (True, True)
