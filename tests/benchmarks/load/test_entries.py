"""Who takes part in a load, and what is said of a mistake."""

from dataclasses import replace

import pytest

from benchmarks.load.entries import Entry, entries
from benchmarks.load.results import subject_of
from benchmarks.load.subjects import SUBJECTS
from turnkit.errors import ConfigError


def test_a_name_says_what_is_not_as_usual():
    turnkit = SUBJECTS["turnkit"]
    assert Entry(turnkit).name == "turnkit"
    assert Entry(turnkit, "ws", http2=True, workers=2).name == "turnkit-ws-http2-2w"
    assert subject_of("turnkit-ws-http2-2w") == "turnkit"


def test_who_cannot_do_what_is_asked_is_left_out():
    found = entries(["relay", "turnkit"], ["twilio", "ws"], [1, 2])
    assert [one.name for one in found] == [
        "relay",
        "turnkit",
        "turnkit-2w",
        "turnkit-ws",
        "turnkit-ws-2w",
    ]


def test_workers_are_told_to_the_program():
    (found,) = entries(["turnkit"], workers=[2])
    assert found.program.options == ("workers=2",)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((["nobody"],), "no subject 'nobody'; choose from relay, turnkit"),
        ((["turnkit"], ["fax"]), "no far end 'fax'; choose from twilio, ws"),
        ((["relay"], ["ws"]), "none of relay can be called at ws in 1 processes"),
    ],
)
def test_a_mistake_is_named(given, said):
    with pytest.raises(ConfigError, match=said):
        entries(*given)


def test_a_subject_without_its_environment_says_what_to_run(tmp_path, monkeypatch):
    gone = replace(SUBJECTS["pipecat"], python=str(tmp_path / "x"))
    monkeypatch.setitem(SUBJECTS, "pipecat", gone)
    with pytest.raises(ConfigError, match=r"pipecat is not installed.*turnkit bench --install"):
        entries(["pipecat"])
