"""What the last words tell."""

import pytest

from turnkit.engine.wording import dictating, log_odds


@pytest.mark.parametrize("said", ["I would like to", "because the", "Well, um,", "it's"])
def test_words_that_want_more_are_no_end(said):
    assert log_odds(said.split()) < -1


@pytest.mark.parametrize("said", ["a table for two", "Yes.", "tomorrow please"])
def test_other_words_are_rather_an_end(said):
    assert 0 < log_odds(said.split()) < 2


def test_no_words_tell_nothing():
    assert log_odds([]) == 0.0


@pytest.mark.parametrize(
    "said", ["it is five five", "my card is four oh", "b as in bravo c d", "that's 555", "5 5"]
)
def test_digits_and_letters_in_a_row_are_dictated(said):
    assert dictating(said.split())


@pytest.mark.parametrize("said", ["", "half past five", "a table for 2", "so am i", "at 10"])
def test_a_number_in_a_sentence_is_not(said):
    assert not dictating(said.split())
