"""The join of local turns and remote words: its decisions one by one, then in any order at all."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turnkit.sources.aigateway import join as joining
from turnkit.sources.aigateway.join import Join
from turnkit.sources.aigateway.results_wire import Alternative, Channel, Results, ResultWord
from turnkit.sources.aigateway.stretches import DUPLICATE, LATE, STALE
from turnkit.sources.flux_wire import Connected, TurnInfo, Word
from turnkit.testing.flux_rules import violations

TICK_S = 0.08
CONNECTED = Connected(request_id="aigateway", sequence_id=0)


def result(start, end, text="", *, final=False, at=None, **more):
    """A result on a stretch, its words spread over it, or at the seconds given."""
    texts = text.split()
    step = (end - start) / max(1, len(texts))
    begins = at or [start + n * step for n in range(len(texts))]
    words = tuple(
        ResultWord(word, begin, begin + min(step, 0.25), 0.9)
        for word, begin in zip(texts, begins, strict=True)
    )
    channel = Channel((Alternative(text, words),))
    return Results(channel, is_final=final, start=start, duration=end - start, **more)


class Played:
    """A join, and everything it said."""

    def __init__(self, **options):
        self.join = Join(**options)
        self.said = []
        self.at_s = 0.0
        self.sent_s = None

    def until(self, at_s):
        while self.at_s < at_s - 1e-6:
            self.at_s = round(self.at_s + TICK_S, 6)
            sent_s = self.at_s if self.sent_s is None else self.sent_s
            self.said += self.join.hear(self.at_s, sent_s)
        return self

    def local(self, event, spoken_s=None, trigger="model"):
        info = TurnInfo(
            request_id="ears",
            event=event,
            turn_index=0,
            audio_window_start=0.0,
            audio_window_end=self.at_s,
            transcript="...",
            words=() if spoken_s is None else (Word("...", 0.0, 0.0, spoken_s),),
            end_of_turn_confidence=0.5,
            sequence_id=1,
            trigger=trigger if event == "EndOfTurn" else None,
        )
        self.said += self.join.local(info)
        return self

    def takes(self, *results):
        for one in results:
            self.said += self.join.take(one, self.at_s if self.sent_s is None else self.sent_s)
        return self

    @property
    def told(self):
        """What happened, without updates."""
        return [(i.event, i.transcript) for i in self.said if i.event != "Update"]

    @property
    def wrong(self):
        """Which of Flux's rules were broken, but for the one that cannot be kept."""
        found = violations([CONNECTED, *self.said])
        wordless = {n for n, m in enumerate(self.said, 1) if m.event == "EndOfTurn"}
        empty = {n for n in wordless if not self.said[n - 1].transcript}
        return [v for v in found if not (v.rule == "I17" and v.position in empty)]


@pytest.fixture
def spoken():
    """A turn that began at 1.04 s, whose speech ended at 2.0 s, and that pauses."""
    played = Played().until(1.04).local("StartOfTurn").until(2.48)
    return played.local("EagerEndOfTurn", 2.2)


def test_speech_begins_a_turn_before_there_are_words():
    played = Played().until(1.04).local("StartOfTurn")
    assert played.told == [("StartOfTurn", "...")]
    played.until(1.6).takes(result(0, 1.6, "a", at=[1.1]))
    assert played.said[-1].event == "Update"
    assert played.said[-1].transcript == "a"


def test_with_start_words_a_turn_begins_with_its_first_word():
    played = Played(start="words").until(1.04).local("StartOfTurn").until(1.6)
    assert played.told == []
    assert played.takes(result(0, 1.6, "a", at=[1.1])).told == [("StartOfTurn", "a")]


def test_an_end_is_announced_when_the_words_up_to_the_pause_are_there(spoken):
    spoken.takes(result(0, 1.5, "a table", at=[1.1, 1.3]))
    assert spoken.told[1:] == []  # what was said from 1.5 to 2.2 s may be more
    spoken.takes(result(0, 2.3, "a table for", at=[1.1, 1.3, 1.8]))
    assert spoken.told[1:] == [("EagerEndOfTurn", "a table for")]


def test_an_end_without_words_is_not_announced(spoken):
    assert spoken.takes(result(0, 2.4)).told[1:] == []


def test_words_that_change_take_an_announced_end_back_first(spoken):
    spoken.takes(result(0, 2.3, "a cable", at=[1.1, 1.5]))
    spoken.takes(result(0, 2.4, "A table.", at=[1.1, 1.5], final=True))
    assert spoken.told[1:] == [
        ("EagerEndOfTurn", "a cable"),
        ("TurnResumed", "A table."),
        ("EagerEndOfTurn", "A table."),
    ]


def test_an_end_comes_at_once_if_its_words_are_final(spoken):
    spoken.takes(result(0, 2.3, "a table", at=[1.1, 1.5], final=True)).until(2.96)
    spoken.local("EndOfTurn", 2.2)
    assert spoken.told[-1] == ("EndOfTurn", "a table")
    assert spoken.said[-1].audio_window_end == 2.96
    assert spoken.said[-1].trigger == "model"


def test_an_end_comes_with_words_that_have_stayed_the_same(spoken):
    spoken.takes(result(0, 2.3, "a table", at=[1.1, 1.5])).until(2.96).local("EndOfTurn", 2.2)
    assert spoken.told[-1] == ("EndOfTurn", "a table")


def test_an_end_waits_for_late_words_and_not_for_ever(spoken):
    spoken.takes(result(0, 1.5, "a", at=[1.1])).until(2.96).local("EndOfTurn", 2.2)
    assert spoken.told[-1][0] == "StartOfTurn"
    spoken.until(4.4)
    assert spoken.told[-1][0] == "StartOfTurn"
    assert spoken.until(4.56).told[-1] == ("EndOfTurn", "a")
    assert spoken.join.overdue == 1


def test_words_that_come_while_an_end_waits_end_it(spoken):
    spoken.until(2.96).local("EndOfTurn", 2.2).until(3.2)
    spoken.takes(result(0, 2.4, "a table", at=[1.1, 1.5], final=True))
    assert spoken.told[-1] == ("EndOfTurn", "a table")


def test_what_is_said_while_an_end_waits_is_the_next_turn(spoken):
    spoken.until(2.96).local("EndOfTurn", 2.2).until(3.2).local("StartOfTurn").until(3.44)
    assert spoken.told == [("StartOfTurn", "...")]
    spoken.takes(result(0, 2.4, "a table", at=[1.1, 1.5], final=True))
    assert spoken.told[1:] == [("EndOfTurn", "a table"), ("StartOfTurn", "...")]
    spoken.until(3.6).takes(result(2.4, 3.6, "tonight", at=[3.1], final=True)).until(4.0)
    assert spoken.local("EndOfTurn", 3.6).told[-1] == ("EndOfTurn", "tonight")


def test_a_result_on_two_turns_is_divided_between_them(spoken):
    spoken.until(2.96).local("EndOfTurn", 2.2).until(3.2).local("StartOfTurn").until(4.0)
    spoken.takes(result(0, 4.0, "a table tonight", at=[1.1, 1.5, 3.1])).local("EndOfTurn", 3.6)
    spoken.until(6.0)
    assert spoken.told[1:] == [
        ("EndOfTurn", "a table"),
        ("StartOfTurn", "tonight"),
        ("EndOfTurn", "tonight"),
    ]


def test_an_end_waits_while_the_service_has_not_got_the_audio(spoken):
    spoken.takes(result(0, 1.5, "a", at=[1.1])).until(2.96)
    spoken.join.disconnected()
    spoken.sent_s = 0.0
    spoken.local("EndOfTurn", 2.2).until(6.0)
    assert spoken.told[-1][0] == "StartOfTurn"
    spoken.join.connected(1.5)
    spoken.sent_s = 4.0
    spoken.takes(result(0, 1.0, "table", at=[0.1], final=True))  # its clock starts at 1.5 s
    assert spoken.told[-1] == ("EndOfTurn", "a table")


def test_noise_ends_without_words_as_soon_as_the_service_has_found_none(spoken):
    spoken.takes(result(0, 2.4, final=True)).until(2.96).local("EndOfTurn", 2.2)
    assert spoken.told[-1] == ("EndOfTurn", "")
    assert spoken.join.wordless == 1


def test_noise_begins_no_turn_where_words_begin_them():
    played = Played(start="words").until(1.04).local("StartOfTurn").until(2.0)
    played.local("EndOfTurn", 1.4).until(9.0)
    assert played.told == []
    assert played.join.wordless == 1
    assert played.wrong == []


def test_words_our_ears_did_not_hear_make_a_turn_of_their_own():
    played = Played().until(2.0).takes(result(0, 1.9, "hello", at=[1.2], final=True)).until(3.4)
    assert played.told == [("StartOfTurn", "hello")]
    assert played.until(4.0).told[1:] == [("EndOfTurn", "hello")]
    assert [info.trigger for info in played.said if info.trigger] == ["silence"]


def test_such_a_turn_ends_at_once_if_the_service_heard_the_pause():
    heard = result(0, 1.9, "hello", at=[1.2], final=True, speech_final=True)
    assert Played().until(2.0).takes(heard).told == [
        ("StartOfTurn", "hello"),
        ("EndOfTurn", "hello"),
    ]


def test_words_that_come_after_the_end_begin_the_next_turn(spoken):
    spoken.until(2.96).takes(result(0, 1.5, "a", at=[1.1])).local("EndOfTurn", 2.2).until(4.56)
    spoken.takes(result(0, 2.4, "a table", at=[1.1, 1.5], final=True)).until(6.4)
    assert spoken.told[-3:] == [
        ("EndOfTurn", "a"),
        ("StartOfTurn", "table"),
        ("EndOfTurn", "table"),
    ]
    assert spoken.join.stretches.odd[LATE] == 0
    assert spoken.wrong == []


def test_a_correction_after_the_end_is_counted_and_not_told(spoken):
    spoken.takes(result(0, 2.3, "a cable", at=[1.1, 1.5])).until(2.96).local("EndOfTurn", 2.2)
    spoken.takes(result(0, 2.5, "A table.", at=[1.12, 1.51], final=True)).until(6.0)
    assert spoken.told[-1] == ("EndOfTurn", "a cable")
    assert spoken.join.stretches.odd[LATE] == 1


def test_the_last_word_is_not_told_again_if_it_moves(spoken):
    spoken.takes(result(0, 2.3, "a table", at=[1.1, 1.5])).until(2.96).local("EndOfTurn", 2.2)
    spoken.takes(result(0, 2.5, "A table.", at=[1.1, 1.7], final=True)).until(6.0)
    assert spoken.told[-1] == ("EndOfTurn", "a table")
    assert spoken.join.stretches.odd[LATE] == 0


def test_a_word_said_twice_is_two_words(spoken):
    spoken.takes(result(0, 1.8, "no", at=[1.1])).until(2.96).local("EndOfTurn", 2.2).until(4.56)
    spoken.takes(result(0, 2.4, "no no", at=[1.1, 1.36], final=True)).until(6.4)
    assert spoken.told[-3:] == [("EndOfTurn", "no"), ("StartOfTurn", "no"), ("EndOfTurn", "no")]


def test_a_final_result_that_comes_twice_is_counted_and_changes_nothing(spoken):
    one = result(0, 2.3, "a table", at=[1.1, 1.5], final=True)
    spoken.takes(one, one)
    assert spoken.told[-1] == ("EagerEndOfTurn", "a table")
    assert spoken.join.stretches.odd[DUPLICATE] == 1


def test_a_guess_that_is_older_than_the_one_before_is_ignored(spoken):
    spoken.takes(result(0, 2.3, "a table", at=[1.1, 1.5]), result(0, 1.4, "a", at=[1.1]))
    assert spoken.told[-1] == ("EagerEndOfTurn", "a table")
    assert spoken.join.stretches.odd[STALE] == 1


def test_what_a_final_result_says_of_a_stretch_another_has_settled_is_counted(spoken):
    spoken.takes(result(0, 1.6, "a", at=[1.1], final=True))
    spoken.takes(result(1.0, 2.3, "big table", at=[1.3, 1.8], final=True))
    assert spoken.told[-1] == ("EagerEndOfTurn", "a table")
    assert spoken.join.stretches.odd[LATE] == 1


def test_final_results_are_put_in_order(spoken):
    spoken.takes(result(1.4, 2.3, "table", at=[1.5], final=True))
    spoken.takes(result(0, 1.4, "a", at=[1.1], final=True))
    assert spoken.told[-1] == ("EagerEndOfTurn", "a table")


def test_a_word_that_a_final_result_was_cut_off_in_is_in_the_next_one(spoken):
    spoken.takes(result(0, 1.6, "a", at=[1.1], final=True))
    spoken.takes(result(1.6, 2.4, "table", at=[1.3], final=True))
    assert spoken.told[-1] == ("EagerEndOfTurn", "a table")
    assert spoken.join.stretches.odd[LATE] == 0


def test_a_turn_is_ended_by_order_with_the_words_up_to_then():
    played = Played().until(1.04).local("StartOfTurn").until(2.0)
    played.takes(result(0, 1.9, "a table", at=[1.1, 1.5]))
    played.said += played.join.end()
    assert played.told[-1][0] == "StartOfTurn"
    assert played.until(2.48).told[-1] == ("EndOfTurn", "a table")
    assert [i.trigger for i in played.said if i.trigger] == ["manual"]


def test_the_close_of_the_stream_ends_a_turn_that_only_waits_for_words(spoken):
    spoken.until(2.96).local("EndOfTurn", 2.2)
    assert [info.event for info in spoken.join.close()] == ["EndOfTurn"]


def test_the_close_of_the_stream_forgets_noise_where_words_begin_a_turn():
    played = Played(start="words").until(1.04).local("StartOfTurn").until(1.6)
    assert played.local("EndOfTurn", 1.4).join.close() == []
    assert played.join.wordless == 1


def test_of_too_many_ends_that_wait_the_last_two_are_one():
    played = Played()
    played.sent_s = 0.0
    for turn in range(12):
        played.until(1.0 + 2 * turn).local("StartOfTurn").until(2.0 + 2 * turn)
        played.local("EndOfTurn", 1.9 + 2 * turn)
    assert [info.event for info in played.join.close()].count("EndOfTurn") == 8


def test_an_order_to_end_a_turn_that_only_waits_makes_it_wait_less(spoken):
    spoken.until(2.96).local("EndOfTurn", 2.2).until(3.04)
    spoken.said += spoken.join.end()
    assert spoken.until(4.08).told[-1] == ("EndOfTurn", "")
    assert [info.trigger for info in spoken.said if info.trigger] == ["manual"]


def test_the_close_of_the_stream_does_not_end_a_turn_that_goes_on(spoken):
    assert spoken.join.close() == []


def test_results_without_times_are_put_together_by_their_order():
    def untimed(text, *, final=False):
        return Results(Channel((Alternative(text),)), is_final=final)

    played = Played().until(1.04).local("StartOfTurn").until(2.0).takes(untimed("a"))
    played.takes(untimed("a table")).until(2.4).takes(untimed("A table", final=True))
    played.takes(untimed("for")).until(3.2).takes(untimed("for two.", final=True)).until(3.6)
    played.local("EndOfTurn", 2.6)
    assert played.told[-1] == ("EndOfTurn", "A table for two.")
    assert all(word.start is None for word in played.said[-1].words)
    assert played.wrong == []


def test_without_times_the_rest_of_a_stretch_begins_the_next_turn():
    def untimed(text, *, final=False):
        return Results(Channel((Alternative(text),)), is_final=final)

    played = Played().until(1.04).local("StartOfTurn").until(2.0).takes(untimed("a table"))
    played.until(2.4).local("EndOfTurn", 1.6)
    played.takes(untimed("A table for two", final=True)).until(5.6)
    ends = [text for event, text in played.told if event == "EndOfTurn"]
    assert ends == ["a table", "for two"]


def test_a_turn_has_no_more_words_than_it_may(monkeypatch):
    monkeypatch.setattr(joining, "MAX_WORDS", 3)
    played = Played().until(1.04).local("StartOfTurn").until(4.0)
    played.takes(result(0, 3.9, "a b c", at=[1.1, 1.5, 1.9]))
    assert played.told[1:] == [("EndOfTurn", "a b c"), ("StartOfTurn", "...")]
    assert played.wrong == []


# In any order.

SLOT_S = 0.32
SPAN_S = 0.25


class World:
    """A call of numbered words, ears and a service that say what they like about it, in any order.

    Slot n of the call's time holds the word w<n>, or none. What the service says is true, but for
    guesses, which may have other words.
    """

    def __init__(self, start, silent):
        self.played = Played(start=start)
        self.silent = silent
        self.base_s = 0.0
        self.from_slot = 0  # where the stretch begins that is not final
        self.to_slot = 0
        self.pending, self.delivered = [], []
        self.finals = set()
        self.phase = "silent"

    def words(self, first, last):
        return [n for n in range(first, last) if n not in self.silent]

    def say(self, first, last, *, final=False, wrong=()):
        slots = self.words(first, last)
        text = " ".join(f"x{n}" if n in wrong else f"w{n}" for n in slots)
        base = self.base_s
        words = tuple(
            ResultWord(word, n * SLOT_S - base, n * SLOT_S + SPAN_S - base)
            for word, n in zip(text.split(), slots, strict=True)
        )
        start = max(0.0, first * SLOT_S - base)
        return Results(
            Channel((Alternative(text, words),)),
            is_final=final,
            start=start,
            duration=max(0.0, last * SLOT_S - base - start),
        )

    @property
    def now_slot(self):
        return int((self.played.at_s + 1e-6) / SLOT_S)

    def step(self, kind, number):
        getattr(self, f"do_{kind}")(number)

    def do_tick(self, number):
        self.played.until(self.played.at_s + TICK_S * (1 + number % 12))

    def do_ears(self, number):
        nexts = {
            "silent": ["StartOfTurn"],
            "speaking": ["EagerEndOfTurn", "EndOfTurn"],
            "paused": ["TurnResumed", "EndOfTurn"],
        }[self.phase]
        event = nexts[number % len(nexts)]
        self.phase = {
            "StartOfTurn": "speaking",
            "TurnResumed": "speaking",
            "EagerEndOfTurn": "paused",
            "EndOfTurn": "silent",
        }[event]
        self.played.local(event, max(0.0, self.played.at_s - 0.1 * (number % 20)))

    def do_guess(self, number):
        wrong = {n for n in range(self.from_slot, self.now_slot) if (n + number) % 5 == 0}
        self.played.takes(self.say(self.from_slot, self.now_slot, wrong=wrong))

    def do_true_guess(self, number):
        if not self.pending:  # nothing overtakes a final result
            self.played.takes(self.say(self.from_slot, self.now_slot))

    def do_true_older_guess(self, number):
        if not self.pending:
            self.do_older_guess(number)

    def do_next(self, number):
        self.do_deliver(0)

    def do_older_guess(self, number):
        last = max(self.from_slot, self.now_slot - 1 - number % 3)
        self.played.takes(self.say(self.from_slot, last))

    def do_final(self, number):
        first, last = self.from_slot, self.now_slot
        if last > first:
            self.pending.append((first, last))
            self.from_slot = last

    def do_deliver(self, number):
        if self.pending:
            first, last = self.pending.pop(number % len(self.pending))
            self.delivered.append((first, last))
            self.finals.update(self.words(first, last))
            self.played.takes(self.say(first, last, final=True))

    def do_again(self, number):
        if self.delivered:
            self.played.takes(self.say(*self.delivered[number % len(self.delivered)], final=True))

    def do_end(self, number):
        self.played.said += self.played.join.end()

    def do_pause_seen(self, number):
        self.played.said += self.played.join.paused()

    def do_reconnect(self, number):
        if self.pending:
            return  # on one connection they come in the end
        join = self.played.join
        join.disconnected()
        self.base_s = join.keep_from_s(self.played.at_s)
        join.connected(self.base_s)
        self.from_slot = int(self.base_s / SLOT_S + 0.999)
        self.delivered = []

    @property
    def told(self):
        """The true words in turns that ended, and in the one that is open."""
        ended = [i.transcript for i in self.played.said if i.event == "EndOfTurn"]
        left = " ".join(word.word for word in self.played.join.stretches.words)
        return Counter(re.findall(r"w\d+", " ".join([*ended, left])))


KINDS = [
    *("tick", "tick", "tick", "ears", "ears", "guess", "guess", "older_guess", "final", "final"),
    *("deliver", "deliver", "again", "end", "pause_seen", "reconnect"),
]
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 60)), min_size=5, max_size=120)
SILENT = st.sets(st.integers(0, 60), max_size=25)


@settings(max_examples=100, deadline=None)
@given(start=st.sampled_from(["speech", "words"]), silent=SILENT, steps=STEPS)
def test_no_order_of_ears_and_words_breaks_a_rule_or_doubles_or_loses_a_word(start, silent, steps):
    world = World(start, silent)
    for kind, number in steps:
        world.step(kind, number)
    assert world.played.wrong == []
    told = world.told
    assert [word for word, times in told.items() if times > 1] == []
    lost = {f"w{n}" for n in world.finals} - told.keys()
    assert len(lost) <= world.played.join.stretches.odd[LATE]


TRUE_KINDS = [
    *("tick", "tick", "tick", "ears", "ears", "true_guess", "true_guess", "true_older_guess"),
    *("final", "final", "next", "next", "again", "end", "pause_seen"),
]


@settings(max_examples=100, deadline=None)
@given(
    start=st.sampled_from(["speech", "words"]),
    silent=SILENT,
    steps=st.lists(
        st.tuples(st.sampled_from(TRUE_KINDS), st.integers(0, 60)), min_size=5, max_size=120
    ),
)
def test_a_service_that_corrects_nothing_and_keeps_order_loses_nothing(start, silent, steps):
    world = World(start, silent)
    for kind, number in steps:
        world.step(kind, number)
    assert world.played.wrong == []
    told = world.told
    assert {f"w{n}" for n in world.finals} <= told.keys()
    assert [word for word, times in told.items() if times > 1] == []
    assert world.played.join.stretches.odd[LATE] == 0
