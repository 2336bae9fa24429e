"""The words of a turn: from stretches of speech, with the pauses between them."""

import pytest

from turnkit.audio.frames import samples_of
from turnkit.audio.vad import WINDOW_SAMPLES
from turnkit.engine.activity import Activity
from turnkit.engine.transcript import Transcript
from turnkit.testing.ears import CountingRecognizer, silence, speech

FRAME_BYTES = 2560


class Listener:
    """A transcript and the activity beside it, as the engine runs them."""

    def __init__(self, vocabulary="one two three four"):
        self.transcript = Transcript(CountingRecognizer(vocabulary))
        self._activity = Activity()
        self._waiting = b""

    def hear(self, pcm):
        """Take in audio frame by frame; return the text after each."""
        texts = []
        for start in range(0, len(pcm), FRAME_BYTES):
            samples = samples_of(pcm[start : start + FRAME_BYTES])
            self._waiting += samples.tobytes()
            while len(self._waiting) >= 2 * WINDOW_SAMPLES:
                self._activity.hear(float(any(self._waiting[: 2 * WINDOW_SAMPLES])))
                self._waiting = self._waiting[2 * WINDOW_SAMPLES :]
            self.transcript.hear(samples, self._activity)
            texts.append(self.text)
        return texts

    @property
    def text(self):
        return " ".join(word.word for word in self.transcript.words)


@pytest.fixture
def listener():
    return Listener()


def test_without_speech_there_are_no_words(listener):
    assert set(listener.hear(silence(2.0))) == {""}
    assert listener.transcript.settled


def test_words_appear_as_they_are_spoken(listener):
    texts = listener.hear(speech(0.8))
    assert texts == ["", "...", *["one"] * 3, *["one two"] * 3, *["one two three"] * 2]


def test_speech_without_a_word_yet_is_a_transcript_after_a_while():
    assert Listener(vocabulary="").hear(speech(0.4)) == ["", "...", "...", "...", "..."]


def test_speech_in_which_nothing_was_made_out_stays_a_transcript():
    listener = Listener(vocabulary="")
    listener.hear(speech(0.4) + silence(2.0))
    assert listener.text == "..."


def test_a_blip_has_no_words(listener):
    assert set(listener.hear(speech(0.06) + silence(1.0))) == {""}


def test_the_words_settle_soon_after_the_speech(listener):
    listener.hear(speech(0.8) + silence(0.08))
    assert not listener.transcript.settled
    listener.hear(silence(0.16))
    assert listener.transcript.settled
    assert listener.text == "one two three"


def test_a_second_stretch_adds_its_words(listener):
    listener.hear(speech(0.48) + silence(0.48) + speech(0.56) + silence(0.4))
    assert listener.text == "one two one two"


def test_what_settled_stays_while_the_next_stretch_is_spoken(listener):
    listener.hear(speech(0.48) + silence(0.48))
    assert all(text.startswith("one two") for text in listener.hear(speech(0.48)))


def test_words_have_the_times_of_the_stream(listener):
    listener.hear(silence(0.8) + speech(0.48) + silence(0.8) + speech(0.48) + silence(0.4))
    starts = [word.start for word in listener.transcript.words]
    # The recognizer counts from the silence before each stretch, of which it hears a little.
    assert starts == pytest.approx([0.48, 0.72, 1.76, 2.0])


def test_a_cleared_transcript_has_no_words_and_listens_on(listener):
    listener.hear(speech(0.8))
    listener.transcript.clear()
    assert listener.text == ""
    assert listener.transcript.settled
    listener.hear(silence(0.4) + speech(0.48) + silence(0.4))
    assert listener.text == "one two"


def test_the_last_words_are_made_the_most_of(listener):
    listener.hear(speech(0.64))
    assert listener.text == "one two"
    listener.transcript.finish()
    assert listener.text == "one two three"
    listener.transcript.finish()
    assert listener.text == "one two three"


class Elsewhere(CountingRecognizer):
    """A recognizer in another process: it has to be asked so often for the end of a stretch."""

    def __init__(self, vocabulary, asks):
        super().__init__(vocabulary)
        self._asks = asks
        self.left = asks
        self.drops = 0

    def finish(self):
        self.left -= 1
        if self.left >= 0:
            return None
        self.left = self._asks
        return super().finish()

    def drop(self):
        self.drops += 1
        super().drop()


def elsewhere(asks):
    listener = Listener()
    listener.transcript = Transcript(Elsewhere("one two three four", asks))
    return listener


def test_words_that_are_still_worked_out_are_not_settled():
    listener = elsewhere(asks=3)
    settled = []
    listener.hear(speech(0.8) + silence(0.08))
    for _ in range(5):
        listener.hear(silence(0.08))
        settled.append(listener.transcript.settled)
    assert settled == [False, False, False, True, True]
    assert listener.text == "one two three"


def test_words_that_never_come_are_not_waited_for_for_ever():
    listener = elsewhere(asks=1000)
    listener.hear(speech(0.8) + silence(0.24))
    texts = listener.hear(silence(1.2))
    assert set(texts) == {"one two three"}
    assert listener.transcript.settled


def test_who_speaks_again_before_the_words_are_there_loses_none_of_those_to_come():
    listener = elsewhere(asks=5)
    listener.hear(speech(0.48) + silence(0.32))
    assert not listener.transcript.settled
    listener.hear(speech(0.56))
    listener.hear(silence(1.6))
    assert listener.text == "one two one two"


def test_the_last_words_are_waited_for():
    listener = elsewhere(asks=5)
    listener.hear(speech(0.64))
    listener.transcript.finish()
    assert listener.text == "one two three"


def test_a_stretch_may_be_ended_before_its_time():
    listener = elsewhere(asks=0)
    listener.hear(speech(0.8) + silence(0.08))
    listener.transcript.settle()
    assert listener.transcript.settled
    listener.transcript.settle()
    assert listener.text == "one two three"


def test_a_turn_that_ends_meanwhile_takes_its_words_along():
    listener = elsewhere(asks=5)
    listener.hear(speech(0.8) + silence(0.32))
    listener.transcript.clear()
    assert (listener.text, listener.transcript.settled) == ("", True)
    listener.hear(speech(0.48) + silence(0.8))
    assert listener.text == "one two"
