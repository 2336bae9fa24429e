"""Recorded Flux against an endpoint, event by event."""

import json

import numpy as np
import pytest

from benchmarks.turns.hearings import Hearing, Told, trace_of
from benchmarks.turns.runs import Event
from benchmarks.turns.sessions import ASKED, compared, load_sessions, markdown, matched
from turnkit.errors import ConfigError
from turnkit.sources.flux_wire import Connected, TurnInfo


class Script:
    name = "script"

    def __init__(self, *said):
        infos = [TurnInfo("id", e, 0, 0.0, at_s, words, (), 0.7, 1) for e, at_s, words in said]
        self._messages = [Connected("id", 0), *infos]
        self.heard = []

    def hear(self, samples, asked, ends_at_s=()):
        self.heard.append((len(samples) / 16000, asked))
        return Hearing(tuple(map(Told, self._messages)), trace_of(self._messages))


def at(*instants):
    return [Event("EndOfTurn", n, at_s) for n, at_s in enumerate(instants)]


@pytest.mark.parametrize(
    ("theirs", "ours", "pairs"),
    [
        ([1.0], [1.5], {(1.0, 1.5)}),
        ([10.0], [5.0, 9.8], {(10.0, 9.8), (None, 5.0)}),
        ([1.0, 2.0], [1.9], {(1.0, None), (2.0, 1.9)}),
        ([1.0], [9.0], {(1.0, None), (None, 9.0)}),
        ([], [], set()),
    ],
)
def test_events_are_paired_with_the_nearest_one_that_can_be_meant(theirs, ours, pairs):
    found = matched(at(*theirs), at(*ours))
    assert {tuple(e and e.at_s for e in pair) for pair in found} == pairs


def test_a_session_is_what_flux_said_and_when(shared):
    yes = {session.name: session for session in load_sessions(shared / "recordings")}["yes"]
    assert [(e.name, e.at_s, e.transcript) for e in yes.events] == [
        ("StartOfTurn", 0.96, "Yes."),
        ("EndOfTurn", 1.28, "Yes."),
    ]
    assert yes.events[1].delay_s == pytest.approx(0.353, abs=0.001)
    assert yes.trace.times_s[0] == 0.24
    assert 1.2 < yes.speech_end_s < 1.5


def test_an_endpoint_hears_the_same_audio_with_the_same_parameters(shared):
    (yes,) = [s for s in load_sessions(shared / "recordings") if s.name == "yes"]
    script = Script(("StartOfTurn", 0.88, "..."), ("EndOfTurn", 2.16, "yes | no"))
    start, end = compared(script, [yes])
    assert (start.later_s, end.later_s) == (pytest.approx(-0.08), pytest.approx(0.88))
    ((seconds, asked),) = script.heard
    assert seconds == pytest.approx(len(yes.samples) / 16000 + 3)
    assert (asked.eot_threshold, asked.eot_timeout_ms, asked.eager_eot_threshold) == (
        0.7,
        3000,
        None,
    )


def test_the_table_has_a_line_for_every_event(shared):
    (yes,) = [s for s in load_sessions(shared / "recordings") if s.name == "yes"]
    script = Script(("StartOfTurn", 0.88, "..."), ("EndOfTurn", 9.0, "yes | no"))
    lines = markdown(list(compared(script, [yes])), "ours").splitlines()
    assert [line.count("|") for line in lines] == [10] * 5
    assert lines[2].startswith("| yes | `StartOfTurn` | 0.96 s (0.08) | 0.88 s (0.70) | -0.08 s |")
    assert "| 1.28 s (0.70) | - | - |" in lines[3]
    assert lines[4].endswith("| yes   no |")


def test_a_folder_without_sessions_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="holds no recorded session"):
        load_sessions(tmp_path)


def test_a_log_that_is_none_is_an_error(tmp_path):
    (tmp_path / "a.flux.json").write_text(json.dumps({"events": [{"timestamp": "now"}]}))
    with pytest.raises(ConfigError, match=r"a.flux.json is no recorded session"):
        load_sessions(tmp_path)


def test_the_recordings_were_made_as_is_assumed(shared):
    for session in load_sessions(shared / "recordings"):
        ends = [e for e in session.events if e.name == "EndOfTurn"]
        assert all(e.confidence >= ASKED.eot_threshold for e in ends)
        assert not [e for e in session.events if e.name == "EagerEndOfTurn"]
        assert np.all(np.diff(session.trace.times_s) >= 0)
