"""What is said over the agent: held back until it is a turn, or was an acknowledgement."""

import pytest

from turnkit.engine.barge_in import Interjection, Moment

FRAME_S = 0.08


def moment(transcript="...", speech_s=0.16, silence_s=0.0, **more):
    known = {"confidence": 0.0, "agent_audible": True} | more
    return Moment(transcript=transcript, speech_s=speech_s, silence_s=silence_s, **known)


def frames(interjection, seconds, transcript="...", **more):
    """What it says of so long a stretch, frame by frame, up to the first that is not "wait"."""
    said = []
    for _ in range(round(seconds / FRAME_S)):
        said.append(interjection.hear(moment(transcript, **more)))
        if said[-1] != "wait":
            break
    return said


@pytest.fixture
def interjection():
    return Interjection(0.9, FRAME_S)


def test_while_the_agent_is_silent_speech_opens_a_turn_at_once(interjection):
    assert interjection.hear(moment(agent_audible=False)) == "open"


def test_without_a_time_to_wait_it_always_does():
    assert Interjection(0.0, FRAME_S).hear(moment()) == "open"


def test_nothing_said_opens_nothing_and_waits_for_nothing(interjection):
    assert interjection.hear(moment("")) == "open"
    assert interjection.spoken_s == 0.0


def test_over_the_agent_it_takes_its_time(interjection):
    said = frames(interjection, 2.0)
    assert said == ["wait"] * 10 + ["open"]
    assert interjection.spoken_s == pytest.approx(0.96)


def test_what_ends_before_was_an_acknowledgement(interjection):
    frames(interjection, 0.4)
    assert frames(interjection, 0.4, silence_s=0.3) == ["wait"] * 5
    assert interjection.hear(moment("yeah", silence_s=0.56)) == "acknowledged"
    assert interjection.spoken_s == pytest.approx(0.48)


def test_the_next_one_soon_after_needs_half_of_the_last_less(interjection):
    frames(interjection, 0.48)
    interjection.hear(moment(silence_s=0.6))
    assert frames(interjection, 2.0) == ["wait"] * 6 + ["open"]
    assert interjection.spoken_s == pytest.approx(0.64)  # and half of 0.56 s


def test_two_acknowledgements_in_a_row_are_no_turn(interjection):
    for _ in range(2):
        frames(interjection, 0.48)
        assert interjection.hear(moment(silence_s=0.6)) == "acknowledged"


def test_the_next_one_long_after_begins_anew(interjection):
    frames(interjection, 0.48)
    interjection.hear(moment(silence_s=0.6))
    frames(interjection, 2.0, "")
    for _ in range(25):
        interjection.hear(moment(""))
    assert frames(interjection, 2.0) == ["wait"] * 10 + ["open"]


def test_after_a_turn_the_next_one_begins_anew(interjection):
    frames(interjection, 2.0)
    assert frames(interjection, 2.0) == ["wait"] * 10 + ["open"]


def test_pauses_between_words_do_not_count_and_do_not_end_it(interjection):
    frames(interjection, 0.4)
    frames(interjection, 0.4, silence_s=0.4)
    assert frames(interjection, 2.0)[-1] == "open"
    assert interjection.spoken_s == pytest.approx(0.96)


def test_two_words_of_content_open_a_turn_when_they_are_certain(interjection):
    assert interjection.hear(moment("no wait", confidence=0.9)) == "open"


@pytest.mark.parametrize(
    ("transcript", "confidence"),
    [("no wait", 0.65), ("mm-hm yeah right", 0.9), ("okay wait", 0.9), ("[speech]", 0.9)],
)
def test_guesses_and_words_of_attention_do_not(interjection, transcript, confidence):
    assert interjection.hear(moment(transcript, confidence=confidence)) == "wait"


def test_an_answer_that_begins_while_the_question_ends_is_a_turn(interjection):
    frames(interjection, 0.24)
    assert interjection.hear(moment(agent_audible=False)) == "open"


def test_our_own_voice_is_neither(interjection):
    assert interjection.hear(moment(echo_share=0.84)) == "wait"
    assert interjection.hear(moment(echo_share=0.85)) == "echo"
