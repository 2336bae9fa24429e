"""What faults make of a conversation: each alone, and when they strike."""

from random import Random

import pytest

from turnkit.listen.breaches import BREACHES
from turnkit.listen.fault_specs import parse_fault
from turnkit.listen.faults import Hang, Refuse
from turnkit.listen.trouble import Babble, BreakOff, HangUp, Pause, PlayDead, Say, Trouble
from turnkit.sources.flux_wire import encode, parse_server
from turnkit.testing.flux_rules import violations


def played(story, *specs: str, connection: int = 0, seed: int = 0):
    """Return the steps for each message of a story."""
    faults = [parse_fault(spec) for spec in specs]
    trouble = Trouble(faults, connection, Random(seed).random)
    return [trouble.tell(message) for message in story]


def said(steps) -> list[int]:
    """Return which messages are said, by their `sequence_id`."""
    return [step.message.sequence_id for some in steps for step in some if isinstance(step, Say)]


def test_without_faults_everything_is_said_as_it_is(story):
    assert played(story) == [[Say(message)] for message in story]


@pytest.mark.parametrize(
    ("spec", "step"),
    [
        ("drop@message=3", BreakOff()),
        ("half-open@message=3", PlayDead()),
        ("1011@message=3", HangUp(1011)),
        ("close:1008/DATA-0000@message=3", HangUp(1008, "DATA-0000")),
    ],
)
def test_a_connection_ends_in_place_of_the_message(story, spec, step):
    assert played(story, spec)[:4] == [*([Say(message)] for message in story[:3]), [step]]


def test_an_error_is_numbered_like_the_message_it_replaces(story):
    error, end = played(story, "error@message=3")[3]
    assert (error.message.sequence_id, error.message.code) == (3, "INTERNAL_SERVER_ERROR")
    assert end == HangUp(None)


@pytest.mark.parametrize(
    ("spec", "numbers"),
    [
        ("skip@message=3", [0, 1, 2, 4, 5, 6, 7, 8]),
        ("twice@message=3", [0, 1, 2, 3, 3, 4, 5, 6, 7, 8]),
        ("late@message=3", [0, 1, 2, 4, 3, 5, 6, 7, 8]),
        ("late@message=8", [0, 1, 2, 3, 4, 5, 6, 7]),
        ("stall@message=3", [0, 1, 2]),
        ("skip@1s", [0, 1, 2, 3, 4, 6, 7, 8]),
        ("skip@EagerEndOfTurn", [0, 1, 2, 4, 6, 7, 8]),
        ("skip@EagerEndOfTurn#2", [0, 1, 2, 3, 4, 6, 7, 8]),
        ("skip@Connected", [1, 2, 3, 4, 5, 6, 7, 8]),
        ("skip@connection=0", []),
        ("skip@connection=1", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("skip@p=0", [0, 1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_messages_are_lost_doubled_or_late(story, spec, numbers):
    assert said(played(story, spec)) == numbers


def test_a_stall_holds_up_what_follows(story):
    steps = played(story, "stall:2s@message=3")
    assert steps[3] == [Pause(2.0), Say(story[3])]
    assert said(steps) == list(range(9))


def test_jitter_is_up_to_so_much_and_never_reorders(story):
    steps = played(story, "jitter:100ms")
    pauses = [step.for_s for some in steps for step in some if isinstance(step, Pause)]
    assert len(set(pauses)) == len(story)
    assert all(0 <= pause <= 0.1 for pause in pauses)
    assert said(steps) == list(range(9))


def test_garbage_is_said_besides(story):
    steps = played(story, "garbage")
    assert all(isinstance(some[0], Babble) for some in steps)
    assert said(steps) == list(range(9))


def test_the_same_seed_brings_the_same_trouble_and_another_one_other(story):
    specs = ("twice:p=0.3", "garbage:p=0.3", "jitter:p=0.5")
    assert played(story, *specs, seed=1) == played(story, *specs, seed=1)
    assert played(story, *specs, seed=1) != played(story, *specs, seed=2)


@pytest.mark.parametrize("kind", BREACHES)
def test_each_breach_is_one_and_can_be_sent(story, kind):
    steps = played(story, kind)
    messages = [step.message for some in steps for step in some]
    assert violations(messages)
    if kind != "huge":
        assert [parse_server(encode(message)) for message in messages] == messages


def test_a_breach_waits_for_a_message_that_allows_it_and_comes_once(story):
    steps = played(story, "second-end@message=1")
    assert [len(some) for some in steps] == [1, 1, 1, 1, 1, 1, 2, 1, 1]
    assert said(steps) == list(range(10))  # what is more is numbered too


def test_after_a_jump_is_counted_on(story):
    assert said(played(story, "sequence-gap@message=3")) == [0, 1, 2, 8, 9, 10, 11, 12, 13]
    turns = [some[0].message.turn_index for some in played(story, "index-jump@message=3")[1:]]
    assert turns == [0, 0, 5, 5, 5, 5, 6, 6]


def test_a_forgetful_server_says_no_more_words(story):
    messages = [some[0].message for some in played(story, "forgetful")][1:]
    assert [(m.event, m.transcript, m.turn_index) for m in messages[1:]] == [
        ("StartOfTurn", "yes", 0),
        *[("Update", "", 0)] * 6,
    ]


def test_an_unending_server_detects_by_other_parameters(parameters):
    asked = parameters(eager_eot_threshold=0.4)
    wanted = Trouble([parse_fault("unending@connection=1")], 1, Random(0).random).wanted(asked)
    assert (wanted.eager_eot_threshold, wanted.eot_threshold) == (None, 1.0)
    other = Trouble([parse_fault("unending@connection=1")], 0, Random(0).random)
    assert other.wanted(asked) == asked


def test_the_door_is_closed_to_whom_it_concerns():
    faults = [parse_fault("429@connection=1"), parse_fault("hang@connection=2")]
    at_the_door = [Trouble(faults, n, Random(0).random).at_the_door() for n in range(3)]
    assert at_the_door == [None, Refuse(1, 429), Hang(2)]


def test_a_refused_configure_has_a_number_of_its_own(story):
    trouble = Trouble([parse_fault("configure-failure")], 0, Random(0).random)
    trouble.tell(story[0])
    assert trouble.refuses_configure()
    (failure,) = trouble.refusal("no")
    assert (failure.message.sequence_id, failure.message.request_id) == (1, "r")
    (after,) = trouble.tell(story[1])
    assert after.message.sequence_id == 2
