"""What a detector is given instead of the audio itself, so that it hears a beginning at once.

Silero has a memory. After some seconds of a line's hush it doubts the first half second of a loud
voice, above all a drawn-out "uhm" over the telephone, and less so if the hush was digital silence.
It also expects something above 4 kHz, where telephones have nothing. So, once nobody has spoken for
a while, what is no louder than a quiet room is silence to it; and all else has a faint mirror image
of its lower half in the upper one.

On the development pack (146 beginnings after a pause, each placed in five ways against windows) a
beginning is then noticed within 0.27 s in 95 % of the cases instead of 0.63 s, and those of
telephone calls within 0.25 s instead of 0.75 s. Noise opens no more turns than before.
"""

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.audio.vad import WINDOW_S, WINDOW_SAMPLES, Vad

# Noise between words is not brought above -52 dBFS (`levels`): its louder moments are still hush.
# At -50 the beginnings are a little later, at -45 more of a faint caller's words are taken for it.
_HUSH_DBFS = -46.0
_HUSH_ENERGY = WINDOW_SAMPLES * (32768 * 10 ** (_HUSH_DBFS / 20)) ** 2
_SPOKEN = 0.35  # as in `engine/activity.py`: below it nobody speaks
_REST_S = 0.48  # within words and short pauses it hears all there is
_REST_WINDOWS = round(_REST_S / WINDOW_S)

# Alternating signs mirror a spectrum about its middle: every other sample a little smaller adds the
# image, at -26 dB.
_IMAGE = 0.05
_MIRRORED = np.where(np.arange(WINDOW_SAMPLES) % 2, (1 - _IMAGE) / (1 + _IMAGE), 1.0).astype(
    np.float32
)
_SILENCE: Samples = np.zeros(WINDOW_SAMPLES, np.int16)


class Ear:
    """A detector that is kept ready; it wants every window in turn."""

    def __init__(self, vad: Vad) -> None:
        self._vad = vad
        self._resting_windows = 0

    def speech_probability(self, window: Samples) -> float:
        """Return the detector's probability for the next window."""
        probability = self._vad.speech_probability(self._presented(window))
        self._resting_windows = 0 if probability >= _SPOKEN else self._resting_windows + 1
        return probability

    def _presented(self, window: Samples) -> Samples:
        scaled = window.astype(np.float32)
        if self._resting_windows >= _REST_WINDOWS and float(scaled @ scaled) < _HUSH_ENERGY:
            return _SILENCE
        mirrored: Samples = np.rint(scaled * _MIRRORED).astype(np.int16)
        return mirrored
