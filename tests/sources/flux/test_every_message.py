"""One call, broken in every way at every message: what is understood stays the same.

The caller says three turns; the end of the second is announced once too early. For each message in
turn the call is made anew, and where that message was to be sent, something goes wrong. Then the
same for each piece of audio. Run with `-s` to see how late the turns end because of it.
"""

import sys

import anyio
import pytest

from turnkit.testing.flux_faults import (
    Close,
    Drop,
    DropAt,
    Fail,
    Hang,
    Late,
    Refuse,
    Skip,
    Stall,
    Twice,
)
from turnkit.testing.flux_server import flux_server
from turnkit.testing.spelling import Said, say
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed

pytestmark = [pytest.mark.anyio, pytest.mark.network]

AUDIO = say("book a table", Said("for four", 0.7), "at eight please", "yes")
STORY = [
    StartOfTurn(0, "..."),
    EagerEndOfTurn(0, "book a table"),
    EndOfTurn(0, "book a table"),
    StartOfTurn(1, "..."),
    EagerEndOfTurn(1, "for four"),
    TurnResumed(1, "for four"),
    EagerEndOfTurn(1, "for four at eight please"),
    EndOfTurn(1, "for four at eight please"),
    StartOfTurn(2, "..."),
    EagerEndOfTurn(2, "yes"),
    EndOfTurn(2, "yes"),
]
WORDS = {event.turn: event.transcript for event in STORY if isinstance(event, EndOfTurn)}
UNBROKEN = {0: 2.0, 1: 5.36, 2: 7.12}  # when the turns end
MESSAGES = 36  # before the last turn's end, Connected included
PIECES = 88

# A turn's audio is sent again from half a second before its first words, 1.25 times as fast as it
# came. So what had been said of it by then costs up to 4/5 of its length: 2.7 s for 3.4 s.
AGAIN_S = 2.7
SILENCE_S = 3.0
"""How long a connection that says nothing is believed."""

BREAKS = {
    "broken off": (lambda n: [Drop(0, n)], AGAIN_S),
    "closed 1011": (lambda n: [Close(0, n)], AGAIN_S),
    "closed 1000": (lambda n: [Close(0, n, 1000)], AGAIN_S),
    "Error": (lambda n: [Fail(0, n)], AGAIN_S),
    "silent": (lambda n: [Stall(0, n)], SILENCE_S + AGAIN_S),
    "broken off, 503 twice": (lambda n: [Drop(0, n), Refuse(1), Refuse(2)], 0.7 + AGAIN_S),
    "broken off, 429 for 2 s": (
        lambda n: [Drop(0, n), Refuse(1, status=429, retry_after="2")],
        2.0 + AGAIN_S,
    ),
    "broken off, no handshake": (lambda n: [Drop(0, n), Hang(1)], 3.2 + AGAIN_S),
    "broken off thrice": (
        lambda n: [Drop(0, n), Drop(1, n // 2 + 1), Drop(2, n // 2 + 1)],
        3 * AGAIN_S,
    ),
}


async def all_calls(call, faults_at, count):
    """Make a call for each place, all at once; return what came of them."""
    results = {}

    async def one(n):
        async with flux_server(*faults_at(n)) as server:
            results[n] = await call(server.url, AUDIO, 3)

    async with anyio.create_task_group() as tasks:
        for n in range(count):
            tasks.start_soon(one, n)
    return [results[n] for n in range(count)]


def lateness(called):
    """Return by how much the turns of a call ended late, at worst."""
    return max(round(called.ended_at[turn] - at, 3) for turn, at in UNBROKEN.items())


def show(name, calls):
    late = [lateness(called) for called in calls]
    worst, mean = max(late), sum(late) / len(late)
    row = f"{name:28} {len(calls):3} calls  worst {worst:5.2f} s  mean {mean:5.2f} s"
    sys.stdout.write(f"\n{row}")


async def test_without_faults_this_is_the_story(call):
    (called,) = await all_calls(call, lambda n: [], 1)
    assert called.told == STORY
    assert called.ended_at == UNBROKEN
    assert not called.source.breaches


@pytest.mark.parametrize("name", BREAKS)
async def test_the_story_is_the_same_wherever_the_connection_breaks(call, name):
    faults_at, bound_s = BREAKS[name]
    calls = await all_calls(call, faults_at, MESSAGES)
    assert [n for n, called in enumerate(calls) if called.told != STORY or called.error] == []
    show(name, calls)
    assert max(map(lateness, calls)) <= bound_s


async def test_the_story_is_the_same_whichever_piece_of_audio_is_the_last(call):
    calls = await all_calls(call, lambda n: [DropAt(0, n)], PIECES)
    assert [n for n, called in enumerate(calls) if called.told != STORY or called.error] == []
    show("broken off in the audio", calls)
    assert max(map(lateness, calls)) <= AGAIN_S


async def test_a_message_that_comes_twice_changes_nothing(call):
    calls = await all_calls(call, lambda n: [Twice(0, n)], MESSAGES)
    assert [n for n, called in enumerate(calls) if called.told != STORY] == []
    assert max(map(lateness, calls)) == 0.0
    assert all(called.source.breaches["sequence repeats"] for called in calls[1:])


@pytest.mark.parametrize("fault", [Skip, Late])
async def test_a_message_that_is_lost_costs_no_words(call, fault):
    calls = await all_calls(call, lambda n: [fault(0, n)], MESSAGES)
    assert [n for n, called in enumerate(calls) if called.turns != WORDS] == []
    show(f"{fault.__name__} message", calls)
    assert max(map(lateness, calls[1:])) <= 0.24  # until the next message
    assert max(map(lateness, calls)) <= SILENCE_S + AGAIN_S
    for called in calls:
        starts = [event.turn for event in called.told if isinstance(event, StartOfTurn)]
        assert starts == [end.turn for end in called.ends] == [0, 1, 2]
