"""An ear of our own, for when the server has none: when was somebody last heard to speak?

It is webrtcvad in its strictest mode, at 40 us for each 80 ms. On noise it is often wrong, so
nothing that could not be taken back may hang on it alone.
"""

from turnkit.audio.framer import Framer
from turnkit.audio.frames import AudioFormat, samples_of
from turnkit.audio.vad import WINDOW_S, WINDOW_SAMPLES, WebrtcVad
from turnkit.engine.intake import Intake

_SPEECH_WINDOWS = 2  # a click lasts one


class Ear:
    """Hears one call. Seconds count from its beginning."""

    def __init__(self, audio: AudioFormat, piece_s: float) -> None:
        self.spoken_s = 0.0
        """Where somebody was last heard to speak."""
        self._intake = Intake(audio, piece_s)
        self._windows = Framer(WINDOW_SAMPLES * 2)
        self._vad = WebrtcVad()
        self._loud_windows = 0  # on end
        self._piece_s = piece_s
        self._heard_s = 0.0

    @property
    def speech_s(self) -> float:
        """For how long somebody has been speaking."""
        return self._loud_windows * WINDOW_S

    def hear(self, audio: bytes) -> None:
        """Take in the next piece."""
        self._heard_s += self._piece_s
        for samples in self._intake.feed(audio):
            for window in self._windows.feed(samples.tobytes()):
                loud = self._vad.speech_probability(samples_of(window)) > 0
                self._loud_windows = self._loud_windows + 1 if loud else 0
                if self._loud_windows >= _SPEECH_WINDOWS:
                    self.spoken_s = self._heard_s
