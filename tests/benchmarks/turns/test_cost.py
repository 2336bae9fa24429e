"""What hearing costs: all of the audio is counted, and each frame."""

import numpy as np
import pytest

from benchmarks.turns.cost import cost


def test_all_of_the_audio_is_counted():
    found = cost([np.zeros(16000, np.int16), np.zeros(8000, np.int16)], recognizer="none")
    assert found.audio_s == pytest.approx(1.5)
    assert found.share == pytest.approx(found.cpu_s / 1.5)
    assert 0 < found.frame_p99_s <= found.frame_worst_s
