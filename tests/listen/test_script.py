"""Scripts as people write them, and what is said of those that are written wrong."""

import pytest

from turnkit.errors import ConfigError
from turnkit.listen.script import Eager, End, Resume, Rewritten, Spoken, parse_script, script_of


def cues(script) -> list[tuple[str, float]]:
    """Put a script in short; words by themselves."""
    names = {Eager: "eager", Resume: "resume", End: "end", Rewritten: "text"}
    return [
        (cue.word.word if isinstance(cue, Spoken) else names[type(cue)], round(cue.at, 3))
        for cue in script
    ]


def test_a_line_says_a_turn_with_a_pause_that_is_taken_back():
    assert cues(script_of(["a table [0.8] for four", "yes"])) == [
        ("a", 1.1),
        ("table", 1.4),
        ("eager", 1.7),
        ("resume", 2.2),
        ("for", 2.5),
        ("four", 2.8),
        ("eager", 3.1),
        ("end", 3.5),
        ("yes", 4.6),
        ("eager", 4.9),
        ("end", 5.3),
    ]


def test_a_short_pause_is_only_a_pause():
    assert cues(script_of(["[0.1] one [0.2] two"]))[:2] == [("one", 1.2), ("two", 1.7)]


def test_steps_say_when_and_how_sure():
    script = parse_script("""
        [[turn]]
        at = 0.5
        steps = [
            { say = "Make that five.", seconds = 0.6 },
            { eager = "+0.2", confidence = 0.45 },
            { resume = "+0.5" },
            { text = "make that nine" },
            { say = "Please.", at = "+0.1" },
            { end = 9.5, trigger = "timeout", confidence = 0.3 },
        ]
    """)
    assert cues(script) == [
        ("Make", 0.7),
        ("that", 0.9),
        ("five.", 1.1),
        ("eager", 1.3),
        ("resume", 1.8),
        ("text", 1.8),
        ("Please.", 2.2),
        ("end", 9.5),
    ]
    assert script[3] == Eager(pytest.approx(1.3), 0.45)
    assert script[-1] == End(9.5, 0.3, "timeout")


def test_words_may_have_their_own_times():
    script = parse_script("""
        [[turn]]
        steps = [{ words = [["Yes,", 0.8, 1.0], ["please.", 1.2, 1.6, 0.5]] }, { end = "+0.5" }]
    """)
    words = [(cue.word.start, cue.word.end, cue.word.confidence) for cue in script[:2]]
    assert words == [(0.8, 1.0, 0.98), (1.2, 1.6, 0.5)]


SAY = '{ say = "yes" }'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[turn]", "demo.toml: not TOML: "),
        ("", "demo.toml: expected one or more [[turn]]"),
        ("turn = 7", "demo.toml: expected one or more [[turn]]"),
        ("title = 'x'\n[[turn]]\nsay='a'", "expected one or more [[turn]], and nothing else"),
        ("turn = [1]", "turn 1: is not a table"),
        ("[[turn]]", "turn 1: needs either say or steps"),
        ("[[turn]]\nsay = ' '", "turn 1: say = ' ' is not a text with words"),
        ("[[turn]]\nsay = '[1]'", "turn 1: says nothing but pauses"),
        ("[[turn]]\nsay = 'a'\nafer = 2", "turn 1: unknown 'afer'; did you mean after?"),
        ("[[turn]]\nsay = 'a'\nafter = 1\nat = 1", "has both at and after"),
        ("[[turn]]\nsay = 'a'\nafter = nan", "after = nan is not a number of seconds"),
        ("[[turn]]\nsay='a'\n[[turn]]\nsay='b'\nat=1", "turn 2: at = 1 is before 1.8"),
        ("[[turn]]\nsteps = []", "turn 1: steps is not a list of steps"),
        ("[[turn]]\nsteps = ['a']", "turn 1, step 1: is not one of say, words, text, eager"),
        (f"[[turn]]\nsteps = [{SAY}, {{eager=1, end=1}}]", "step 2: is not one of"),
        (f"[[turn]]\nsteps = [{SAY}, {{end='0.5'}}]", 'end = "0.5" is not a time: write 4.2 or'),
        (f"[[turn]]\nsteps = [{SAY}, {{end=1}}]", "step 2: end = 1 is before 1.1, where the last"),
        (f"[[turn]]\nsteps = [{SAY}, {{end=2}}, {SAY}]", "step 2: ends the turn, but steps follow"),
        (f"[[turn]]\nsteps = [{SAY}, {{end=2, trigger='me'}}]", "trigger 'me' is not model"),
        (f"[[turn]]\nsteps = [{SAY}, {{end=2, confidence=2}}]", "confidence = 2 is not a number"),
        (f"[[turn]]\nsteps = [{SAY}, {{resume=2}}]", "step 2: resume without an eager before it"),
        (f"[[turn]]\nsteps = [{SAY}, {{eager=2}}, {{eager=3}}]", "step 3: a second eager"),
        (f"[[turn]]\nsteps = [{SAY}, {{eager=2}}, {SAY}]", "step 3: say while an eager end stands"),
        ("[[turn]]\nsteps = [{eager=2}]", "step 1: eager before any words"),
        ("[[turn]]\nsteps = [{text='a'}]", "turn 1: has no words"),
        ("[[turn]]\nsteps = [{words=[]}]", "words is not a list such as"),
        ("[[turn]]\nsteps = [{words=[['a', 2, 1]]}]", "['a', 2, 1] is not [word, start, end]"),
        ("[[turn]]\nsteps = [{words=[['a', 0.1, 0.2]]}]", "a word's start = 0.1 is before 0.8"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, said):
    with pytest.raises(ConfigError) as caught:
        parse_script(text, "demo.toml")
    assert said in str(caught.value)


def test_a_script_of_a_book_is_too_long():
    with pytest.raises(ConfigError, match="at most 100000 words"):
        script_of(["word " * 100_001])
