"""Where a reply is cut while it is still being written, and what of it is said aloud."""

# ruff: noqa: RUF001  # the punctuation of other scripts is meant

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnkit.tts import clauses
from turnkit.tts.clauses import LIMIT_CHARS, ClauseCutter, speakable

LIMITS = st.sampled_from([10, 25, 60, LIMIT_CHARS])
PROSE = st.text("ab N.o.,;:!?-–—…。 \n\"')1*[](/@") | st.text()


def cut(text, limit=LIMIT_CHARS):
    cutter = ClauseCutter(limit)
    return cutter.feed(text) + cutter.flush()


def cut_by_character(text, limit=LIMIT_CHARS):
    cutter = ClauseCutter(limit)
    return [piece for char in text for piece in cutter.feed(char)] + cutter.flush()


@given(PROSE, LIMITS)
def test_all_pieces_joined_are_all_the_text(text, limit):
    assert "".join(cut(text, limit)) == text


@given(PROSE, LIMITS)
def test_how_the_text_arrives_changes_no_piece(text, limit):
    assert cut_by_character(text, limit) == cut(text, limit)


@given(PROSE, LIMITS)
def test_no_piece_is_empty_or_over_the_limit(text, limit):
    assert all(0 < len(piece) <= limit for piece in cut(text, limit))


@pytest.mark.parametrize(
    "text",
    [
        "Really?",
        "Of course!",
        "Call me.",
        "Of course,",
        "However,",
        "One moment;",
        "I think —",
        "Well then…",
    ],
)
def test_the_first_piece_leaves_with_its_mark(text):
    assert ClauseCutter().feed(text) == [text]


@pytest.mark.parametrize("text", ["So,", "No;", "Oh —", "\n", "!", "* ", '"?'])
def test_too_little_to_say_waits_for_more(text):
    assert ClauseCutter().feed(text) == []


@pytest.mark.parametrize("text", ["It costs 1,", "Room B2.", "The menu:", "It is 3.", "I mean -"])
def test_a_mark_that_may_be_part_of_a_word_waits_for_what_follows(text):
    cutter = ClauseCutter()
    assert cutter.feed(text) == []
    assert cutter.feed(" B") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "It costs $1,000.50 at 10:30 or 3.5 each",
        "Dr. Smith and Mrs. Jones of Acme Inc. agree",
        "Use e.g. the door at 9 a.m. or 5 p.m. sharp",
        "Ask J. R. Smith about room No. 5 upstairs",
        "Go to https://example.com/a?b=c,d;e!f:g now",
        "See www.example.com?q=a,b or example.com/x;y now",
        "Write to joe.bloggs@example.com?subject=hi today",
        "Use Node.js and v1.2.3 on a well-kept host",
        "Open 9–5 from 2019—2020 on",
        "1. Open the door",
    ],
)
def test_what_belongs_together_is_not_cut(text):
    assert cut_by_character(text) == [text]


@pytest.mark.parametrize(
    "pieces",
    [
        ["Of course,", " I can do that, if you like."],
        ["Really?", " Yes!", " I am sure."],
        ["No.", " I cannot."],
        ["Well...", " let me see."],
        ['He said "no."', " So we left."],
        ["(It is late.)", " Good night."],
        ["Is it example.com?", " Or joe@example.com,", " perhaps?"],
        ["Do this:", "\n1. Open it.", "\n2. Close it."],
        ["- one\n", "- two\n", "- three"],
        ["I think -", " maybe -", " yes"],
        ["你好，我是前台。", "有什么可以帮您？"],
        ["In 2019.", " Then 1,", " 2,", " 3."],
    ],
)
def test_a_reply_is_cut_where_a_speaker_would_pause(pieces):
    text = "".join(pieces)
    joined = cut(text)
    assert "".join(joined) == text
    assert joined[0] == pieces[0]
    borders = {sum(map(len, pieces[:n])) for n in range(len(pieces) + 1)}
    assert {sum(map(len, joined[:n])) for n in range(len(joined) + 1)} <= borders


def test_later_pieces_are_sentences_unless_they_grow_long():
    first = "Of course, "
    short = "on Monday, on Tuesday. "
    long = "on any day of the week that suits you and your whole family, or on Sunday."
    assert cut(first + short + long) == [
        "Of course,",
        " on Monday, on Tuesday.",
        " on any day of the week that suits you and your whole family,",
        " or on Sunday.",
    ]


def test_text_without_marks_is_cut_at_a_space():
    assert cut("one two three four five six", limit=10) == [
        "one two ",
        "three ",
        "four five ",
        "six",
    ]


def test_text_without_spaces_is_cut_at_the_limit():
    assert cut("x" * 450) == ["x" * 200, "x" * 200, "x" * 50]


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Bold**, *italic*, __both__ and `code`", "Bold, italic, both and code"),
        ("[our site](https://example.com) and ![a cat](cat.png)", "our site and a cat"),
        (" shop](https://example.com/a) is open", "shop is open"),
        ("- one\n* two\n• three\n> four\n## Five", "one two three four Five"),
        ("1. First", "1. First"),
        ("2 * 3 is 6, 2*3 too; snake_case", "2 * 3 is 6, 2*3 too; snake_case"),
        ("```python\nx = 1\n```", "x = 1"),
        ("See you 👋🏽 soon ☀️", "See you soon"),
        ("” he said.", "he said."),
        ("! Yes", "Yes"),
        (".5 of it, -5 degrees", ".5 of it, -5 degrees"),
        ("It is 10% off, $5 & up", "It is 10% off, $5 & up"),
        ("你好！", "你好！"),
    ],
)
def test_only_what_is_meant_for_the_ear_is_spoken(written, spoken):
    assert speakable(written) == spoken


@pytest.mark.parametrize("written", ["", " \n", "!?", '"', "---", "**", "🙂", "...", "](url)"])
def test_what_holds_no_word_is_not_spoken(written):
    assert speakable(written) == ""


@given(st.text())
def test_whatever_is_written_something_can_be_spoken_or_nothing(text):
    assert speakable(text) == speakable(text).strip()


def test_what_ends_like_a_clause_could_be_one():
    cutter = ClauseCutter()
    assert not cutter.could_end
    cutter.feed("One moment")
    assert not cutter.could_end
    cutter.feed(". ")
    cutter.feed("It costs 3.")
    assert cutter.could_end


@given(st.from_regex(clauses._PLAIN, fullmatch=True))
def test_plain_words_are_said_as_they_are(text):
    said = text
    for pattern, replacement in clauses._MARKUP:
        said = pattern.sub(replacement, said)
    assert speakable(text) == said.strip()
