"""Words and sounds that say whose they are, and still do after mu-law and resampling."""

import numpy as np
import pytest

from benchmarks.load import codes
from benchmarks.load.codes import LAST_PART, STALE, Code
from turnkit.audio.resample import Resampler


@pytest.mark.parametrize("code", [Code(0, 0, 0), Code(4095, 511, 7), Code(1234, 56, 3)])
@pytest.mark.parametrize(("encoding", "rate_hz"), [("mulaw", 8000), ("linear16", 24000)])
def test_a_frame_tells_its_code(code, encoding, rate_hz):
    frame = codes.frame(code, encoding, rate_hz)
    assert len(frame) == round(rate_hz * 0.02) * (2 if encoding == "linear16" else 1)
    assert codes.decode(codes.key(frame, encoding, rate_hz), encoding) == code


def test_a_frame_tells_its_code_at_another_rate():
    code = Code(321, 45, 2)
    samples = np.frombuffer(codes.frame(code, "linear16", 24000) * 20, np.int16)
    lower = Resampler(24000, 8000)
    audio = lower.feed(samples).tobytes() + lower.flush().tobytes()
    tenth = audio[10 * 320 : 11 * 320]
    assert codes.decode(codes.key(tenth, "linear16", 8000), "linear16") == code


def test_other_sound_has_no_code():
    assert codes.decode(b"\x7f" * 8, "linear16") is None
    assert codes.decode(b"\x00", "mulaw") is None


@pytest.mark.parametrize("mode", ["brisk", "slow", "stale"])
def test_a_transcript_says_what_is_asked(mode):
    assert codes.asked(codes.words(17, 3, mode)) == (17, 3, mode)


def test_the_words_that_were_final_count():
    assert codes.asked(codes.words(17, 3, "stale then brisk")) == (17, 3, "brisk")
    assert codes.asked("good morning") is None


def test_an_answer_says_whose_it_is_in_each_sentence():
    sentences = ["".join(tokens) for tokens in codes.answer(17, 3, "brisk", ".", 9)]
    assert [codes.said(one) for one in sentences] == [
        Code(17, 3, min(part, LAST_PART)) for part in range(9)
    ]


def test_the_first_sentence_has_five_tokens():
    assert len(codes.answer(17, 3, "brisk", ".", 1)[0]) == 5


def test_an_answer_that_nobody_should_hear_says_so():
    (tokens,) = codes.answer(17, 3, "stale", ".", 1)
    assert codes.said("".join(tokens)) == Code(17, 3, STALE)
