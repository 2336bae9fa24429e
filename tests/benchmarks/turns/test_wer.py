"""Words: spelled alike, counted per recording."""

from dataclasses import replace

import pytest

from benchmarks.turns.runs import Event, Run
from benchmarks.turns.wer import spelled, word_error_rate, word_score


@pytest.fixture
def said(recording, turn):
    def make(reference, *finals, left="", language="en", name="clip"):
        given = replace(recording(turn(1, 4), name=name), transcript=reference, language=language)
        events = tuple(Event("EndOfTurn", n, 2.0 + n, text) for n, text in enumerate(finals))
        return Run(given, events, open_transcript=left)

    return make


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Yes. I'd like 2, please!", "yes i'd like 2 please"),
        ("[laughter] montreal [laughter]", "montreal"),
        ("<hes-montreal> <cutoff-forced> forced", "montreal forced"),
        ("hi / i'd like it", "hi i'd like it"),
        ("well-known", "well known"),
    ],
)
def test_spelling(text, same):
    assert spelled(text) == same


def test_all_turns_together_are_compared_and_what_was_left_open(said):
    score = word_score(said("go forward ten meters", "Go forward.", left="ten metres"))
    assert (score.words, score.errors, score.heard) == (4, 1, 4)


def test_missing_and_surplus_words_are_errors(said):
    score = word_score(said("a b c", "a x y z"))
    assert score.errors == 3


@pytest.mark.parametrize("without", [{"reference": None}, {"language": "de"}, {"reference": "[x]"}])
def test_without_an_english_transcript_there_is_nothing_to_compare(said, without):
    given = {"reference": "ten", **without}
    reference = given.pop("reference")
    assert word_score(said(reference, "ten", **given)) is None


def test_the_rate_weighs_words_and_not_recordings(said):
    scores = [
        word_score(said("a b c d", "a b c d", name="long")),
        word_score(said("e", "f", name="short")),
    ]
    assert word_error_rate(scores).value == pytest.approx(1 / 5)


def test_an_endpoint_that_says_no_words_has_no_rate(said):
    figure = word_error_rate([word_score(said("go on", "[speech]"))])
    assert figure.count == 0
