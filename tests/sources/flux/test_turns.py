"""The turns of a call: one story, from however many connections."""

import random
from itertools import count

import pytest

from turnkit.engine.engine import Engine
from turnkit.sources.flux.turns import Turns
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import TurnInfo, Word
from turnkit.testing.ears import LoudnessVad
from turnkit.testing.spelling import Reader, Said, say
from turnkit.turn.events import EagerEndOfTurn, EndOfTurn, StartOfTurn, TurnResumed, Update


def info(event, text="", end=1.0, turn=0, trigger=None, times=True):
    """A message whose words are a second long and begin with the connection."""
    words = tuple(
        Word(word, 0.9, n * 1.0 if times else None, n + 1.0 if times else None)
        for n, word in enumerate(text.split())
    )
    return TurnInfo(
        request_id="r",
        event=event,
        turn_index=turn,
        audio_window_start=0.0,
        audio_window_end=end,
        transcript=text,
        words=words,
        end_of_turn_confidence=0.5,
        sequence_id=0,
        trigger=trigger,
    )


def start(text="so", end=1.0, **more):
    return info("StartOfTurn", text, end, **more)


def update(text="so", end=1.0, **more):
    return info("Update", text, end, **more)


def eager(text="so", end=1.0, **more):
    return info("EagerEndOfTurn", text, end, **more)


def resumed(text="so", end=1.0, **more):
    return info("TurnResumed", text, end, **more)


def end(text="so", end=1.0, trigger="model", **more):
    return info("EndOfTurn", text, end, trigger=trigger, **more)


def take(turns, *infos, sent_s=1000.0):
    return [event for one in infos for event in turns.take(one, sent_s)]


def told(*infos):
    return take(Turns(), *infos)


# One connection.


def test_a_turn_as_it_should_be():
    assert told(
        update("", 0.24),
        update("so", 0.48),
        start("so be", 0.72),
        eager("so be it", 1.0),
        update("so be it", 1.2),
        end("so be it", 1.4),
        update("", 1.6, turn=1),
    ) == [
        Update(0, ""),
        Update(0, "so"),
        StartOfTurn(0, "so be"),
        EagerEndOfTurn(0, "so be it"),
        Update(0, "so be it"),
        EndOfTurn(0, "so be it"),
        Update(1, ""),
    ]


@pytest.mark.parametrize(
    ("infos", "events"),
    [
        ([end("so")], [StartOfTurn(0, "so"), EndOfTurn(0, "so")]),
        ([end("")], []),
        ([eager("so")], [StartOfTurn(0, "so"), EagerEndOfTurn(0, "so")]),
        ([eager("")], [Update(0, "")]),
        ([resumed("so")], [StartOfTurn(0, "so")]),
        ([start(), resumed("so be")], [StartOfTurn(0, "so"), Update(0, "so be")]),
        ([start(), start("so be")], [StartOfTurn(0, "so"), Update(0, "so be")]),
        ([start(), eager(""), end("")], [StartOfTurn(0, "so"), Update(0), EndOfTurn(0, "")]),
        ([start(), end(), end()], [StartOfTurn(0, "so"), EndOfTurn(0, "so")]),
        ([start(), end(), start()], [StartOfTurn(0, "so"), EndOfTurn(0, "so")]),
        ([info("Whatever", "so")], [Update(0, "so")]),
        (
            [start(), eager(), eager()],
            [StartOfTurn(0, "so"), EagerEndOfTurn(0, "so")],
        ),
        (
            [eager(), eager("so be")],
            [
                StartOfTurn(0, "so"),
                EagerEndOfTurn(0, "so"),
                TurnResumed(0, "so be"),
                EagerEndOfTurn(0, "so be"),
            ],
        ),
        (
            [eager(), update("so be")],
            [StartOfTurn(0, "so"), EagerEndOfTurn(0, "so"), TurnResumed(0, "so be")],
        ),
        (
            [start(), update("so be"), update("", turn=1)],
            [
                StartOfTurn(0, "so"),
                Update(0, "so be"),
                EndOfTurn(0, "so be", "missed"),
                Update(1, ""),
            ],
        ),
        (
            [start(), end(), start("next", turn=7)],
            [StartOfTurn(0, "so"), EndOfTurn(0, "so"), StartOfTurn(1, "next")],
        ),
    ],
)
def test_disorder_becomes_order(infos, events):
    assert told(*infos) == events


def test_the_end_of_an_eager_turn_may_have_other_words():
    assert told(eager("so"), end("so be"))[-1] == EndOfTurn(0, "so be")


def test_a_server_that_lost_the_words_of_a_turn_it_is_told_to_end_is_helped_out():
    lost = told(start("so be"), update(""), end("", trigger="manual"))
    assert lost[-1] == EndOfTurn(0, "so be", "manual")


# The next connection.


def reconnected(*infos, at=None, base_s=0.0):
    """Lose the connection after these messages."""
    turns = Turns()
    take(turns, *infos)
    turns.connected(base_s if at is None else at)
    return turns


def test_an_open_turn_goes_on_as_if_nothing_had_happened():
    turns = reconnected(start("so", 0.72), update("so be", 0.96))
    assert take(
        turns,
        update("", 0.24),
        start("so", 0.64),
        update("so be", 0.96),  # said before
        update("so be it", 1.2),
        end("so be it", 2.0),
    ) == [Update(0, "so be it"), EndOfTurn(0, "so be it")]


def test_a_turn_that_ended_is_not_told_again():
    turns = reconnected(start(end=0.72), end(end=2.0), at=2.0)
    assert turns.keep_from_s == 2.0
    assert take(turns, update("", 0.24), start("next", 0.8), end("next", 2.0)) == [
        Update(1, ""),
        StartOfTurn(1, "next"),
        EndOfTurn(1, "next"),
    ]


def test_a_draft_is_kept_when_the_turn_ends_as_announced():
    turns = reconnected(eager("so be it", 1.0))
    assert take(turns, start("so", 0.4), eager("so be it", 1.0), end("so be it", 1.4)) == [
        EndOfTurn(0, "so be it")
    ]


def test_a_draft_is_kept_when_the_end_is_announced_later():
    turns = reconnected(eager("so be it", 1.0))
    assert take(turns, start("so", 0.4), update("so be it", 1.2), eager("so be it", 1.3)) == [
        Update(0, "so be it")
    ]


def test_a_draft_is_taken_back_when_the_turn_goes_on():
    turns = reconnected(eager("so be it", 1.0))
    assert take(turns, start("so", 0.4), update("so be it then", 1.2)) == [
        TurnResumed(0, "so be it then")
    ]


def test_what_was_taken_back_long_ago_is_not_taken_back_again():
    turns = reconnected(eager("so", 1.0), resumed("so", 1.4), eager("so be it", 2.4))
    again = [start("so", 0.5), eager("so", 1.0), resumed("so", 1.4), eager("so be it", 2.4)]
    assert take(turns, *again) == []
    assert take(turns, end("so be it", 2.8)) == [EndOfTurn(0, "so be it")]


def test_an_end_the_lost_connection_did_not_see_counts():
    turns = reconnected(start("so", 0.5), update("so be", 2.0))
    again = take(turns, start("so", 0.5), end("so", 1.4), start("be", 1.6, turn=1))
    assert again == [EndOfTurn(0, "so"), StartOfTurn(1, "be")]


def test_an_old_update_between_turns_is_no_news():
    turns = reconnected(update("", 0.96), at=0.4)
    assert take(turns, update("", 0.24), update("", 0.64)) == [Update(0, "")]


def test_numbers_rise_through_all_connections():
    turns = Turns()
    numbers = []
    for _ in range(3):
        numbers += [
            e.turn for e in take(turns, start(), end(), start("b", turn=1), end("b", turn=1))
        ]
        turns.connected(turns.keep_from_s)
    assert numbers == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_turn_lost_and_moved_on_from_is_ended_on_any_connection():
    turns = reconnected(start("so", 0.5))
    assert take(turns, start("so", 0.5), update("so be", 2.0), update("", 3.0, turn=1)) == [
        Update(0, "so be"),
        EndOfTurn(0, "so be", "missed"),
        Update(1, ""),
    ]


# What has to be kept.


def test_silence_need_not_be_kept_but_for_half_a_second():
    turns = Turns()
    take(turns, update("", 10.0))
    assert turns.keep_from_s == 9.5


def test_a_turn_is_kept_from_half_a_second_before_its_first_words():
    turns = Turns()
    take(turns, update("", 10.0), update("so", 10.24), start("so", 10.5), update("so be", 20.0))
    assert turns.keep_from_s == 9.5


def test_nothing_is_kept_of_a_turn_that_ended():
    turns = Turns()
    take(turns, start(end=10.0), end(end=11.0), update("", 11.24, turn=1))
    assert turns.keep_from_s == 11.0


def test_a_server_cannot_have_heard_what_was_not_sent():
    turns = Turns()
    take(turns, update("", 500.0), sent_s=3.0)
    assert (turns.heard_s, turns.keep_from_s) == (3.0, 2.5)


# A turn that was longer than what is sent again.

LONG = [start("a", 1.0), update("a b c d", 4.2)]


def test_a_long_turn_is_taken_up_where_a_word_begins():
    turns = Turns()
    take(turns, *LONG)
    assert turns.resume_at_s(0.0) == 0.0
    assert turns.resume_at_s(1.5) == 2.0
    assert turns.resume_at_s(3.5) == 3.5  # no word begins after that


def test_the_words_before_are_kept():
    turns = reconnected(*LONG, at=2.0)
    assert take(turns, start("c", 0.9), update("c d", 2.0), update("c d e", 3.0)) == [
        Update(0, "a b c d e")
    ]
    assert take(turns, end("c d e", 4.0)) == [EndOfTurn(0, "a b c d e")]
    assert take(turns, start("f", 5.0, turn=1)) == [StartOfTurn(1, "f")]


def test_without_times_it_is_taken_up_where_the_server_stopped():
    turns = Turns()
    take(turns, start("a", 1.0, times=False), update("a b", 4.2, times=False))
    assert turns.resume_at_s(1.5) == 4.2
    turns.connected(4.2)
    assert take(turns, start("c", 0.9, times=False)) == [Update(0, "a b c")]


# Ends that are made here.


def test_a_turn_is_ended_with_its_newest_words():
    turns = Turns()
    take(turns, start("so", 1.0), update("so be it", 3.0))
    assert turns.end("manual") == [EndOfTurn(0, "so be it", "manual")]
    assert turns.end("manual") == []


@pytest.mark.parametrize("times", [True, False])
def test_the_servers_own_end_is_then_no_news(times):
    turns = Turns()
    take(turns, start("so be it", 3.0, times=times))
    turns.end("manual")
    assert (
        take(turns, update("so be it", 3.2, times=times), end("so be it", 4.0, times=times)) == []
    )
    assert take(turns, start("next", 5.0, turn=1)) == [StartOfTurn(1, "next")]


@pytest.mark.parametrize("times", [True, False])
def test_words_after_it_begin_the_next_turn(times):
    turns = Turns()
    take(turns, start("so be", 2.0, times=times))
    turns.end("manual")
    assert take(
        turns,
        update("so be", 2.2, times=times),
        update("so be it", 3.0, times=times),
        eager("so be it then", 4.0, times=times),
        end("so be it then", 5.0, times=times),
    ) == [
        StartOfTurn(1, "it"),
        EagerEndOfTurn(1, "it then"),
        EndOfTurn(1, "it then"),
    ]


def test_ended_twice_a_turn_is_cut_twice():
    turns = Turns()
    take(turns, start("so be", 2.0, times=False))
    turns.end("manual")
    take(turns, update("so be it", 3.0, times=False))
    assert turns.end("manual") == [EndOfTurn(1, "it", "manual")]
    assert take(turns, end("so be it then", 4.0, times=False)) == [
        StartOfTurn(2, "then"),
        EndOfTurn(2, "then"),
    ]


def test_ended_while_the_server_tells_it_again():
    turns = reconnected(start("so be", 2.0))
    assert turns.end("manual") == [EndOfTurn(0, "so be", "manual")]
    assert take(turns, start("so", 1.0), update("so be", 2.0), end("so be it", 3.0)) == [
        StartOfTurn(1, "it"),
        EndOfTurn(1, "it"),
    ]


def test_ended_without_a_server():
    turns = Turns()
    take(turns, start("so be", 2.2))
    turns.end("manual")
    assert turns.keep_from_s == 2.0  # the end of the last word
    turns.connected(2.0)
    assert take(turns, start("it", 1.0), end("it", 2.0)) == [
        StartOfTurn(1, "it"),
        EndOfTurn(1, "it"),
    ]


# A beginning that is heard here.


def test_a_turn_begun_here_is_the_one_the_server_finds():
    turns = reconnected(update("", 1.0), at=0.5)
    assert turns.begin(2.0) == [StartOfTurn(0)]
    assert turns.begin(2.5) == []
    assert take(turns, start("so", 2.0), end("so", 3.0)) == [Update(0, "so"), EndOfTurn(0, "so")]


def test_a_turn_the_server_does_not_find_is_missed():
    turns = reconnected(update("", 1.0), at=0.5)
    turns.begin(2.0)
    take(turns, update("", 2.0))
    assert turns.unconfirmed_s == 0.5
    assert turns.end("watchdog") == [EndOfTurn(0, "", "watchdog")]
    assert turns.unconfirmed_s == 0.0


def test_a_turn_the_server_knows_of_is_not_missed():
    turns = reconnected(start("so", 1.0))
    assert turns.unconfirmed_s < 0
    take(turns, start("so", 0.9), update("so", 9.0))
    assert turns.unconfirmed_s == 0.0


def test_progress_is_words_and_news_but_not_updates():
    turns = Turns()
    seen = []
    for one in [
        start("so", 1.0),
        update("so", 2.0),
        update("so be", 3.0),
        update("", 4.0),
        update("so be", 5.0),
        eager("so be", 6.0),
        resumed("so be", 7.0),
    ]:
        take(turns, one)
        seen.append(turns.progress_s)
    assert seen == [1.0, 1.0, 3.0, 3.0, 3.0, 6.0, 7.0]


# Any call, broken anywhere: the same story.

PARAMETERS = ListenParameters("flux-general-en", "linear16", 16000, eager_eot_threshold=0.5)
FRAME = 2560


def engine():
    opened = Engine(PARAMETERS, "r", vad=LoudnessVad(), recognizer=Reader())
    opened.connected()
    return opened


def understood(audio, breaks):
    """Have an engine hear the audio, lose it after so many frames each time; return the story."""
    turns, story, place, frame = Turns(), [], 0, 0
    current = engine()
    breaks = list(breaks)
    while place < len(audio):
        lost = bool(breaks) and frame == breaks[0]
        messages = current.feed(audio[place : place + FRAME])
        place += FRAME
        frame += 1
        if lost:  # what it had to say was not heard
            breaks.pop(0)
            current = engine()
            place = int(turns.keep_from_s * 16000) * 2 // FRAME * FRAME
            turns.connected(place / 32000)
            continue
        for message in messages:
            story += turns.take(message, place / 32000)
    return [event for event in story if not isinstance(event, Update)]


def random_call(chance):
    words = [f"w{n}" for n in range(60)]
    turns = [
        Said(" ".join(words[chance.randrange(60)] for _ in range(chance.randint(1, 6))), pause_s)
        for pause_s in (chance.choice([0.3, 0.6, 0.7, 1.2, 1.5, 3.0]) for _ in range(6))
    ]
    return say(*turns, Said("the end", 1.5))


@pytest.mark.parametrize("seed", range(60))
def test_any_call_broken_anywhere_tells_the_same_story(seed):
    chance = random.Random(seed)
    audio = random_call(chance)
    unbroken = understood(audio, [])
    frames = len(audio) // FRAME
    for _ in range(3):
        breaks = sorted(chance.randrange(frames) for _ in range(chance.randint(1, 4)))
        rising = [at + 1 for at in breaks]
        assert understood(audio, rising) == unbroken, rising


def test_every_story_is_well_formed():
    for seed in range(20):
        chance = random.Random(1000 + seed)
        story = understood(random_call(chance), sorted(chance.sample(range(200), 5)))
        assert_well_formed(story)


def assert_well_formed(story):
    """Hold a story against what turnkit promises of any source."""
    numbers, state = count(), None
    for event in story:
        match event:
            case StartOfTurn(turn):
                assert state is None
                assert turn == next(numbers)
                state = turn, None
            case EagerEndOfTurn(turn, text):
                assert state == (turn, None)
                state = turn, text
            case TurnResumed(turn):
                assert state is not None
                assert state[0] == turn
                assert state[1] is not None
                state = turn, None
            case EndOfTurn(turn, text):
                assert state is not None
                assert state[0] == turn
                assert state[1] in (None, text)
                state = None
