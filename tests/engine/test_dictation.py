"""A number dictated with natural gaps is one turn, if the engine was told or hears the digits."""

import numpy as np
import pytest
import soundfile

from turnkit.audio.vad import open_vad
from turnkit.engine.engine import Engine
from turnkit.engine.model import load_model
from turnkit.engine.pause import Pauses
from turnkit.recognizers.none import SpeechMark
from turnkit.sources.base import DICTATION
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import Configure, Thresholds, Word
from turnkit.testing.ears import told
from turnkit.testing.flux_rules import violations

RATE_HZ = 16000
GAPS_S = (0.15, 0.9)


class DigitEars(SpeechMark):
    """Makes out a digit for each stretch of speech, as a recognizer with a grammar would."""

    trusted = True

    def finish(self):
        """Return one word."""
        (mark,) = super().finish()
        return (Word("seven", confidence=1.0, start=mark.start, end=mark.end),)


@pytest.fixture(scope="module")
def number(shared):
    """Join 15 digits of one voice, with drawn gaps; return the audio and when the last one ends."""

    def joined(voice, seed):
        random = np.random.default_rng(seed)
        parts = [np.zeros(RATE_HZ // 2, np.int16)]
        for digit in random.integers(0, 10, 15):
            file = shared / "audio" / "digits" / f"digit_{digit}_{voice}_0.flac"
            samples, _ = soundfile.read(file, dtype="int16")
            gap = round(random.uniform(*GAPS_S) * RATE_HZ)
            parts += [samples, np.zeros(gap, np.int16)]
        audio = np.concatenate([*parts[:-1], np.zeros(6 * RATE_HZ, np.int16)])
        return audio.tobytes(), len(audio) / RATE_HZ - 6

    return joined


def ends(audio, recognizer, *orders):
    engine = Engine(
        ListenParameters("flux-general-en", "linear16", RATE_HZ, eager_eot_threshold=0.5),
        "request",
        vad=open_vad(),
        recognizer=recognizer,
        pauses=Pauses(load_model()),
    )
    said = [engine.connected()]
    for order in orders:
        said += engine.handle(order)
    said += engine.feed(audio)
    assert violations(said) == []
    return [at for event, at, _ in told(said) if event == "EndOfTurn"]


PATIENCE = Configure(
    Thresholds(DICTATION.eager_eot_threshold, DICTATION.eot_threshold, DICTATION.eot_timeout_ms)
)


@pytest.mark.parametrize("voice", ["jackson", "george"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_number_of_15_digits_is_one_turn_where_one_is_expected(number, voice, seed):
    audio, spoken_s = number(voice, seed)
    (end,) = ends(audio, SpeechMark(), PATIENCE)
    assert spoken_s < end < spoken_s + 4


def test_patience_is_only_for_numbers(number):
    audio, _ = number("jackson", 1)
    assert ends(audio, SpeechMark())[-1] < ends(audio, SpeechMark(), PATIENCE)[-1] - 0.5


@pytest.mark.parametrize("voice", ["jackson", "george"])
def test_digits_that_are_made_out_are_patience_enough(number, voice):
    audio, spoken_s = number(voice, 1)
    *early, last = ends(audio, DigitEars())
    assert len(early) <= 1  # the first digit may be an answer
    assert spoken_s < last < spoken_s + 3
