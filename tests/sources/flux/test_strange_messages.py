"""Everything a server may say that it should not, and what the call has of it.

The letters and numbers are those of turnkit's list of faults. B17 and B18 are the turn machine's to
cope with; here they only have to be told as they come.
"""
# ruff: noqa: N802

import json
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from turnkit.errors import SourceLost
from turnkit.testing.spelling import say
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, Update

pytestmark = [pytest.mark.anyio, pytest.mark.network]

CONNECTED = {"type": "Connected", "request_id": "r", "sequence_id": 0}
AFTER = 10  # pieces of audio, 0.8 s


def info(event, transcript="", **fields):
    return {
        "type": "TurnInfo",
        "request_id": "r",
        "event": event,
        "turn_index": 0,
        "audio_window_start": 0.0,
        "audio_window_end": 0.24,
        "transcript": transcript,
        "words": [],
        "end_of_turn_confidence": 0.5,
    } | fields


START = info("StartOfTurn", "so")
EAGER = info("EagerEndOfTurn", "so be it")
RESUMED = info("TurnResumed", "so be it")
END = info("EndOfTurn", "so be it", trigger="model")
LAST = info("Update", "that was all", turn_index=99)

TOLD_START = StartOfTurn(0, "so")
TOLD_EAGER = EagerEndOfTurn(0, "so be it")
TOLD_END = EndOfTurn(0, "so be it")


def numbered(messages):
    number = 0
    for one in messages:
        if not isinstance(one, dict):
            yield one
        elif "sequence_id" in one:
            number = max(number, one["sequence_id"])
            yield json.dumps(one)
        else:
            number += 1
            yield json.dumps(one | {"sequence_id": number})


@asynccontextmanager
async def speaking(messages):
    """Be a server that says these messages after 0.8 s of audio, numbered unless they are."""

    async def script(websocket):
        await websocket.send(json.dumps(CONNECTED))
        for _ in range(AFTER):
            await websocket.recv()
        with suppress(ConnectionClosed):
            for message in numbered(messages):
                await websocket.send(message)
            while await websocket.recv() != '{"type":"CloseStream"}':
                continue

    async with serve(script, "127.0.0.1", 0, compression=None, ping_interval=None) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"


@pytest.fixture
def heard(call):
    """Return what is reported when a server says these messages, and the source."""

    async def say_all(*messages):
        async with speaking([*messages, LAST]) as url:
            called = await call(url, b"", 99, limit_s=2.0)
        assert called.error is None
        assert not called.source.outages
        events = [event for _, event in called.events]
        assert isinstance(events[-1], Update)  # the last message got through
        assert events[-1].transcript == "that was all"
        return events[:-1], called.source

    return say_all


NONSENSE = {
    "B1 empty": "",
    "B1 no JSON": "{oops",
    "B1 no object": "[1]",
    "B1 not UTF-8": b"\xff\xfe\xfd",
    "B2 a number for a name": '{"type":7}',
    "B2 missing fields": '{"type":"TurnInfo"}',
    "B2 NaN": json.dumps(info("Update", end_of_turn_confidence=float("nan"), sequence_id=1)),
    "B2 1e400": json.dumps(info("Update", sequence_id=1)).replace("0.24", "1e400"),
    "B2 lone surrogate": json.dumps(info("Update", "\ud800", sequence_id=1)),
    "B2 100,000 brackets": '{"type":"TurnInfo","words":' + "[" * 100_000,
    "B19 a transcript of a megabyte": json.dumps(info("Update", "a" * 900_000, sequence_id=1)),
    "B21 binary": bytes(range(256)),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_B1_B2_B19_B21_nonsense_is_dropped_and_counted(heard, name):
    with capture_logs() as logs:
        events, source = await heard(START, NONSENSE[name], END)
    assert events == [TOLD_START, TOLD_END]
    assert source.malformed == 1
    (line,) = [line for line in logs if line["event"] == "flux.malformed"]
    assert "aaa" not in str(line)


async def test_B1_a_server_that_speaks_nonsense_only_is_left(call):
    async with speaking(["nonsense"] * 11) as url:
        called = await call(url, b"", 99)
    assert isinstance(called.error, SourceLost)
    assert "not Flux's" in str(called.error)
    assert len(called.source.outages) == 4  # the fifth time is the last


async def test_B3_an_unknown_type_is_ignored_and_counted_once(heard):
    events, source = await heard(START, {"type": "Metadata"}, {"type": "Metadata"}, END)
    assert events == [TOLD_START, TOLD_END]
    assert source.unknown["type Metadata"] == 2


async def test_B4_an_unknown_event_is_an_update(heard):
    events, source = await heard(START, info("TurnPondered", "so be"), END)
    assert events == [TOLD_START, Update(0, "so be"), TOLD_END]
    assert source.unknown["event TurnPondered"] == 1


ORDERS = {
    "B5 a number again": (
        [START, info("EndOfTurn", "no", sequence_id=1), END],
        [TOLD_START, TOLD_END],
        ["sequence repeats"],
    ),
    "B6 a number left out": (
        [START, END | {"sequence_id": 5}],
        [TOLD_START, TOLD_END],
        ["sequence gap"],
    ),
    "B7 resumed without eager": (
        [START, RESUMED, END],
        [TOLD_START, Update(0, "so be it"), TOLD_END],
        ["nothing to resume"],
    ),
    "B7 resumed after the end": ([START, END, RESUMED], [TOLD_START, TOLD_END], ["stale turn"]),
    "B8 eager without words": (
        [START, info("EagerEndOfTurn", ""), END],
        [TOLD_START, Update(0, ""), TOLD_END],
        ["eager without words"],
    ),
    "B9 eager twice": (
        [START, EAGER, EAGER, END],
        [TOLD_START, TOLD_EAGER, TOLD_END],
        ["second eager"],
    ),
    "B9 eager twice, with other words": (
        [START, info("EagerEndOfTurn", "so be"), EAGER, END],
        [
            TOLD_START,
            EagerEndOfTurn(0, "so be"),
            TurnResumed(0, "so be it"),
            TOLD_EAGER,
            TOLD_END,
        ],
        ["second eager"],
    ),
    "B10 an end with other words": (
        [START, info("EagerEndOfTurn", "so be"), END],
        [TOLD_START, EagerEndOfTurn(0, "so be"), TOLD_END],
        ["changed end"],
    ),
    "B11 two ends": ([START, END, END], [TOLD_START, TOLD_END], ["stale turn"]),
    "B12 an end without a start": (
        [END],
        [StartOfTurn(0, "so be it"), TOLD_END],
        ["no start"],
    ),
    "B12 an update opens no turn": (
        [info("Update", "so"), START, END],
        [Update(0, "so"), TOLD_START, TOLD_END],
        [],
    ),
    "B13 a second start": (
        [START, info("StartOfTurn", "so be"), END],
        [TOLD_START, Update(0, "so be"), TOLD_END],
        ["second start"],
    ),
    "B13 the start of another turn": (
        [START, info("StartOfTurn", "next", turn_index=1), info("EndOfTurn", "next", turn_index=1)],
        [
            TOLD_START,
            EndOfTurn(0, "so", "missed"),
            StartOfTurn(1, "next"),
            EndOfTurn(1, "next"),
        ],
        ["turn jumps"],
    ),
    "B14 numbers that jump": (
        [START, END, info("StartOfTurn", "next", turn_index=7)],
        [TOLD_START, TOLD_END, StartOfTurn(1, "next"), EndOfTurn(1, "next", "missed")],
        ["turn jumps"],
    ),
    "B15 late news of a turn": (
        [START, END, info("StartOfTurn", "next", turn_index=1), EAGER],
        [TOLD_START, TOLD_END, StartOfTurn(1, "next"), EndOfTurn(1, "next", "missed")],
        ["stale turn"],
    ),
    "B16 an end without words": (
        [START, info("EndOfTurn", "")],
        [TOLD_START, EndOfTurn(0, "")],
        ["end without words"],
    ),
    "B17 eager and end at once": ([START, EAGER, END], [TOLD_START, TOLD_EAGER, TOLD_END], []),
    "B20 a window beyond the audio": (
        [START, info("Update", "so", audio_window_end=500.0), END],
        [TOLD_START, Update(0, "so"), TOLD_END],
        ["window beyond", "window back"],
    ),
    "B24 no probability": (
        [START, info("Update", "so", end_of_turn_confidence=1.5), END],
        [TOLD_START, Update(0, "so"), TOLD_END],
        ["no probability"],
    ),
}


@pytest.mark.parametrize("name", ORDERS)
async def test_B5_to_B24_disorder_is_counted_and_breaks_nothing(heard, name):
    messages, events, breaches = ORDERS[name]
    told, source = await heard(*messages)
    assert told == events
    assert [kind for kind in source.breaches if kind != "turn jumps"] == [
        kind for kind in breaches if kind != "turn jumps"
    ]
    assert source.breaches["turn jumps"] >= ("turn jumps" in breaches)


async def test_each_kind_of_breach_is_logged_once(heard):
    with capture_logs() as logs:
        _, source = await heard(START, RESUMED, RESUMED, RESUMED, END)
    lines = [line["kind"] for line in logs if line["event"] == "flux.breach"]
    assert lines.count("nothing to resume") == 1
    assert source.breaches["nothing to resume"] == 3


async def test_B18_fifty_flaps_are_told_as_they_come(heard):
    events, source = await heard(START, *[EAGER, RESUMED] * 50, EAGER, END)
    flap = [TOLD_EAGER, TurnResumed(0, "so be it")]
    assert events == [TOLD_START, *flap * 50, TOLD_EAGER, TOLD_END]
    assert not source.breaches.keys() - {"turn jumps"}


async def test_B22_what_comes_after_close_stream_is_told_until_the_close(call):
    async def script(websocket):
        await websocket.send(json.dumps(CONNECTED))
        async for message in websocket:
            if isinstance(message, str):
                break
        await websocket.send(json.dumps(info("Update", "one more", sequence_id=1)))

    async with serve(script, "127.0.0.1", 0, compression=None) as running:
        port = running.sockets[0].getsockname()[1]
        called = await call(f"ws://127.0.0.1:{port}", say("yes"), 99, limit_s=1.0)
    assert [event for _, event in called.events] == [Update(0, "one more")]


async def test_B23_a_warning_changes_nothing(heard):
    warning = {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN", "description": "no"}
    events, _ = await heard(START, warning, END)
    assert events == [TOLD_START, TOLD_END]


async def test_B23_but_a_turn_the_server_does_not_know_of_is_ended_here(call):
    async def script(websocket):
        await websocket.send(json.dumps(CONNECTED))
        await websocket.recv()
        await websocket.send(json.dumps(START | {"sequence_id": 1}))
        while await websocket.recv() != '{"type":"ForceEndTurn"}':
            continue
        warning = {"type": "Warning", "code": "FORCE_END_TURN_NO_ACTIVE_TURN"}
        await websocket.send(json.dumps(warning))
        while await websocket.recv() != '{"type":"CloseStream"}':
            continue

    def introduce(connection, request, response):
        response.headers["x-turnkit"] = "test"

    options = {"compression": None, "process_response": introduce}
    async with serve(script, "127.0.0.1", 0, **options) as running:
        port = running.sockets[0].getsockname()[1]
        does = [(0.5, lambda source: source.end_turn())]
        called = await call(f"ws://127.0.0.1:{port}", b"", 1, does=does)
    assert called.told == [TOLD_START, EndOfTurn(0, "so", "manual")]
    assert called.ended_at == {0: 0.5}
