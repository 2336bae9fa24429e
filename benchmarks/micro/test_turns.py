"""What an event costs on its way from Flux's wire to commands, notes and the trace."""

import json
from itertools import chain, repeat

import msgspec
import pytest

from turnkit.ledger import Ledger
from turnkit.listeners.trace import Trace
from turnkit.sources.flux_wire import TurnInfo, Word, encode, parse_server, to_event
from turnkit.turn.commands import ReleaseReply, StartReply
from turnkit.turn.events import (
    EagerEndOfTurn,
    EndOfTurn,
    PlayoutFinished,
    PlayoutStarted,
    StartOfTurn,
)
from turnkit.turn.machine import TurnMachine

_TEXT = "I would like to book a table for four, tonight at eight, if you have one by the window."
_TURN_S = 5.0
_EVENTS = 5


@pytest.fixture
def message():
    """Return a TurnInfo of eighteen words, as Flux sends it."""
    words = tuple(
        Word(word, 0.98, start=0.25 * place, end=0.25 * place + 0.2)
        for place, word in enumerate(_TEXT.split())
    )
    info = TurnInfo(
        request_id="277cf8d3-27b0-439b-a04e-707598e13489",
        event="Update",
        turn_index=3,
        audio_window_start=12.4,
        audio_window_end=16.8,
        transcript=_TEXT,
        words=words,
        end_of_turn_confidence=0.0625,
        sequence_id=117,
    )
    return encode(info)


def test_reference(benchmark, message):
    """Decode and encode that message with the standard library: what all else is a ratio of."""
    benchmark(lambda: json.dumps(json.loads(message)))


def test_turninfo_decode(benchmark, message):
    benchmark(lambda: to_event(parse_server(message)))


def test_turninfo_encode(benchmark, message):
    info = parse_server(message)
    assert benchmark(lambda: encode(info)) == message


def test_machine_event(benchmark):
    """Take one event in: an even share of a whole turn, draft and answer included."""
    machine, turns = TurnMachine(), chain.from_iterable(map(_turn, range(10**9)))

    def feed():
        for _ in range(_EVENTS):
            machine.feed(*next(turns))

    benchmark.extra_info["divide_by"] = _EVENTS
    benchmark(feed)


def _turn(number):
    at = number * _TURN_S
    words = f"turn {number}"
    yield StartOfTurn(number, words), at
    yield EagerEndOfTurn(number, words), at + 1.0
    yield EndOfTurn(number, words), at + 1.2
    yield PlayoutStarted(number + 1), at + 1.3
    yield PlayoutFinished(number + 1), at + 3.0


def test_machine_confirmation(benchmark):
    """From an EndOfTurn whose draft stands to the order that lets it be heard."""

    def ready():
        machine = TurnMachine()
        machine.feed(StartOfTurn(0, "yes"), 0.0)
        assert isinstance(machine.feed(EagerEndOfTurn(0, "yes"), 1.0)[0], StartReply)
        return (machine,), {}

    commands = benchmark.pedantic(
        lambda machine: machine.feed(EndOfTurn(0, "yes"), 1.2), setup=ready, rounds=3000
    )
    assert [type(command) for command in commands] == [ReleaseReply]


def test_trace_write(benchmark, tmp_path):
    trace = Trace(tmp_path / "call.jsonl")
    notes = repeat(EndOfTurn(3, _TEXT))
    benchmark(lambda: trace.note(16.8, next(notes)))
    trace.close()


def test_ledger_note(benchmark):
    ledger, item = Ledger(), EndOfTurn(3, _TEXT)
    benchmark(lambda: ledger.note(16.8, item))


def test_notes_for_the_page(benchmark):
    """What the page is told of an event, in wire form."""
    from turnkit.transports import client_wire  # noqa: PLC0415  # beside its one use

    item = EndOfTurn(3, _TEXT)
    assert msgspec.json.decode(benchmark(lambda: client_wire.note(16800, item)))
