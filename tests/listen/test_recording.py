"""Recordings played again: Flux's own, and turnkit's traces."""

import pytest
from msgspec.structs import replace

from turnkit.errors import ConfigError
from turnkit.listen.player import Player
from turnkit.listen.recording import Recorded, load_recording
from turnkit.listeners.trace import Trace
from turnkit.sources.flux_wire import (
    CloseStream,
    Configure,
    ConfigureSuccess,
    FluxWarning,
    ForceEndTurn,
    TurnInfo,
)
from turnkit.testing.ears import silence, told
from turnkit.testing.flux_rules import violations
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, Update


def anonymous(info: TurnInfo) -> TurnInfo:
    """Take away what a connection adds."""
    return replace(info, request_id="", sequence_id=0)


@pytest.mark.parametrize("name", ["yes", "not_so_sure", "vad"])
def test_flux_itself_is_played_message_by_message(shared, parameters, name):
    recorded = load_recording(shared / f"recordings/{name}.flux.json")
    player = Player(Recorded(recorded), parameters(), "r")
    messages = [player.connected(), *player.feed(silence(recorded[-1].audio_window_end + 0.04))]
    assert list(map(anonymous, messages[1:])) == list(map(anonymous, recorded))
    messages += player.feed(silence(2.0))
    assert violations(messages, eager=False, triggers=False) == []
    assert len(messages) == 1 + len(recorded) + 8  # updates go on


def test_what_the_client_asks_for_is_tolerated(shared, parameters):
    recorded = load_recording(shared / "recordings/yes.flux.json")
    player = Player(Recorded(recorded), parameters(), "r")
    messages = [player.connected(), *player.feed(silence(1.0))]
    messages += [*player.handle(ForceEndTurn()), *player.handle(Configure(keyterms=("a",)))]
    messages += player.feed(silence(1.0))
    assert [type(m) for m in messages if not isinstance(m, TurnInfo)][1:] == [
        FluxWarning,
        ConfigureSuccess,
    ]
    assert [m.sequence_id for m in messages] == list(range(len(messages)))
    assert ("EndOfTurn", 1.28, "Yes.") in told(messages)
    assert player.handle(CloseStream()) == []
    assert player.feed(silence(1.0)) == []


@pytest.fixture
def traced(tmp_path):
    """Write a trace of a call whose source had turns before."""
    path = tmp_path / "call.jsonl"
    trace = Trace(path)
    trace.note(0.5, Update(3, ""))
    trace.note(1.03, StartOfTurn(3, "a"))
    trace.note(1.5, EagerEndOfTurn(3, "a table"))
    trace.note(1.8, TurnResumed(3, "a table"))
    trace.note(2.4, EagerEndOfTurn(3, "a table please"))
    trace.note(2.8, EndOfTurn(3, "a table please", "model"))
    trace.note(3.5, StartOfTurn(4, "yes"))
    trace.close()
    return path


def test_a_trace_is_played_with_updates_in_between(traced, parameters):
    player = Player(Recorded(load_recording(traced)), parameters(eager_eot_threshold=0.4), "r")
    messages = [player.connected(), *player.feed(silence(5.0))]
    assert violations(messages) == []
    assert told(messages) == [
        ("StartOfTurn", 1.04, "a"),
        ("EagerEndOfTurn", 1.52, "a table"),
        ("TurnResumed", 1.76, "a table"),
        ("EagerEndOfTurn", 2.4, "a table please"),
        ("EndOfTurn", 2.8, "a table please"),
        ("StartOfTurn", 3.52, "yes"),
    ]
    assert messages[-1].turn_index == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{}", "is not a log of Flux messages"),
        ('{"turnkit": "trace", "version": 9}\n', "is a trace of version 9"),
        ('{"turnkit": "trace", "version": 1}\n{"at": 1}\n', "a line that is none of a trace"),
        (
            '{"turnkit": "trace", "version": 1}\n{"at": 1, "item": {"name": "X", "fields": {}}}\n',
            "a line that is none of a trace",
        ),
    ],
)
def test_a_file_that_is_no_recording_is_refused(tmp_path, content, said):
    path = tmp_path / "call"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError) as caught:
        load_recording(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
