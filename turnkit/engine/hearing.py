"""From frames of audio to whether somebody speaks: evened out, cut into windows, judged."""

from turnkit.audio.ear import Ear
from turnkit.audio.framer import Framer
from turnkit.audio.frames import Samples, samples_of
from turnkit.audio.levels import Evener
from turnkit.audio.vad import RATE_HZ, WINDOW_SAMPLES, Vad
from turnkit.engine.activity import Activity

# What an echo is taken for, however much it sounds like speech: no evidence of any, yet not enough
# of its opposite to undo in one window what a speaker over the echo has shown so far.
_ECHO = 0.3


class Hearing:
    """Follows one stream; `activity` is what it has come to."""

    def __init__(self, vad: Vad) -> None:
        self.activity = Activity()
        self._ear = Ear(vad)
        self._evener = Evener(RATE_HZ)
        self._windows = Framer(WINDOW_SAMPLES * 2)

    def hear(self, samples: Samples, *, echo: bool = False) -> None:
        """Take in the next samples, and whether they are only what we played."""
        for window in self._windows.feed(self._evener.feed(samples).tobytes()):
            probability = self._ear.speech_probability(samples_of(window))
            self.activity.hear(min(probability, _ECHO) if echo else probability)
