"""pocketsphinx on real speech, and what it is told to expect."""

import numpy as np
import pytest

from turnkit.config import Settings
from turnkit.errors import ConfigError
from turnkit.recognizers import pocketsphinx
from turnkit.recognizers.pocketsphinx import Pocketsphinx
from turnkit.recognizers.sphinx_decoders import Decoders

FRAME_SAMPLES = 1280


def partials(recognizer, samples):
    """Feed it frame by frame; return what it said on the way."""
    said = []
    for start in range(0, len(samples), FRAME_SAMPLES):
        recognizer.feed(samples[start : start + FRAME_SAMPLES])
        said.append(text(recognizer.words))
    return said


def heard(recognizer, samples):
    partials(recognizer, samples)
    return text(recognizer.finish())


def text(words):
    return " ".join(word.word for word in words)


@pytest.fixture(scope="module")
def decoders():
    pytest.importorskip("pocketsphinx")
    return Decoders(2)


@pytest.fixture
def sphinx(decoders):
    recognizer = Pocketsphinx(decoders)
    yield recognizer
    recognizer.close()


def test_it_hears_words_while_they_are_spoken(sphinx, clip):
    said = partials(sphinx, clip("utterance/ps_goforward"))
    assert "go" in said
    assert "go forward" in said
    assert text(sphinx.finish()) == "go forward ten meters"


def test_its_words_have_times(sphinx, clip):
    partials(sphinx, clip("utterance/ps_goforward"))
    times = [time for word in sphinx.finish() for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] == pytest.approx(0.46, abs=0.05)
    assert times[-1] == pytest.approx(2.1, abs=0.3)


def test_one_stretch_knows_nothing_of_the_one_before(sphinx, clip):
    sphinx.feed(clip("utterance/ps_goforward"))
    sphinx.drop()
    assert sphinx.words == ()
    assert heard(sphinx, clip("utterance/ps_goforward")) == "go forward ten meters"
    assert sphinx.words == ()


def test_a_stretch_that_never_began_has_no_words(sphinx):
    sphinx.drop()
    assert sphinx.finish() == ()


def test_silence_has_no_words(sphinx):
    sphinx.feed(np.zeros(8000, np.int16))
    assert sphinx.finish() == ()


def test_whom_a_decoder_heard_before_makes_no_difference(decoders, clip):
    samples = clip("utterance/google_brooklyn")
    once = heard(Pocketsphinx(decoders), samples)
    heard(Pocketsphinx(decoders), clip("utterance/jfk")[:48000])
    assert heard(Pocketsphinx(decoders), samples) == once


def test_what_was_learnt_of_a_voice_stays_with_the_stream(decoders, clip):
    samples = clip("utterance/google_brooklyn")
    one, other = Pocketsphinx(decoders), Pocketsphinx(decoders)
    heard(one, samples)
    assert one._cepstra != other._cepstra == pocketsphinx._AVERAGE_CEPSTRA


def test_a_word_that_no_dictionary_has_is_heard_once_it_is_expected(sphinx, clip):
    samples = clip("disfluency/mfa_youknow")[-40000:]  # montreal forced aligner
    assert "aligner" not in heard(sphinx, samples)
    sphinx.bias(("montreal forced aligner",))
    assert "aligner" in heard(sphinx, samples)


def test_keyterms_are_written_as_they_were_given_and_do_not_spoil_the_rest(sphinx, clip):
    sphinx.bias(("Brooklyn Bridge", "turnkit", "Kowalczyk", "", "..."))
    assert "Brooklyn Bridge" in heard(sphinx, clip("utterance/google_brooklyn"))
    assert heard(sphinx, clip("utterance/ps_goforward")) == "go forward ten meters"
    sphinx.bias(())
    assert "brooklyn bridge" in heard(sphinx, clip("utterance/google_brooklyn"))


def test_a_stretch_that_waited_for_a_decoder_is_heard_when_there_is_one(decoders, clip):
    holders = [Pocketsphinx(decoders) for _ in range(2)]
    for holder in holders:
        holder.feed(np.zeros(9600, np.int16))
    waiting, samples = Pocketsphinx(decoders), clip("utterance/ps_goforward")
    assert set(partials(waiting, samples[:25600])) == {""}
    holders[0].drop()
    assert "go forward ten" in partials(waiting, samples[25600:])[-1]
    holders[1].drop()
    assert text(waiting.finish()) == "go forward ten meters"


def test_what_waits_is_bounded_and_a_stretch_without_a_decoder_has_no_words(decoders, clip):
    holders = [Pocketsphinx(decoders) for _ in range(2)]
    for holder in holders:
        holder.feed(np.zeros(9600, np.int16))
    waiting = Pocketsphinx(decoders)
    partials(waiting, np.zeros(20 * 16000, np.int16))
    assert sum(len(piece) for piece in waiting._waiting) == 2 * 16000
    assert waiting.finish() == ()
    for holder in holders:
        holder.drop()


GRAMMAR = """#JSGF V1.0;
/* drives a robot */
grammar robot;
public <order> = go (forward | backward) <count> meters {move} | turnkit stop; // halt
<count> = one | two | ten;
"""


def test_with_a_grammar_it_hears_what_that_allows(tmp_path, clip):
    pytest.importorskip("pocketsphinx")
    grammar = tmp_path / "robot.gram"
    grammar.write_text(GRAMMAR)
    settings = Settings.model_construct(grammar=grammar)
    sphinx = pocketsphinx.create(None, settings).load()(("ignored",))
    assert heard(sphinx, clip("utterance/ps_goforward")) == "go forward ten meters"


def test_what_is_no_grammar_is_an_error_when_it_is_loaded(tmp_path):
    pytest.importorskip("pocketsphinx")
    grammar = tmp_path / "robot.gram"
    grammar.write_text("go forward")
    model = pocketsphinx.create(None, Settings.model_construct(grammar=grammar))
    with pytest.raises(ValueError, match=r"robot\.gram cannot be used: is it JSGF"):
        model.load()


def test_a_grammar_that_is_no_file_is_the_users_mistake(settings):
    pytest.importorskip("pocketsphinx")
    wrong = Settings.model_construct(grammar=settings.grammar or pocketsphinx.Path("/no.gram"))
    with pytest.raises(ConfigError, match=r"grammar /no\.gram is no file"):
        pocketsphinx.create(None, wrong)


def test_it_takes_no_argument(settings):
    with pytest.raises(ConfigError, match="takes no argument"):
        pocketsphinx.create("en-us", settings)


def test_where_it_is_missing_the_command_is_told_that_installs_it(settings, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'turnkit\[local\]'"):
        pocketsphinx.create(None, settings)
