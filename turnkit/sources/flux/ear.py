"""An ear of our own, for when the server has none: when was somebody last heard to speak?

It hears what it is given when somebody wants to know, which in most calls nobody ever does.
It is webrtcvad in its strictest mode, at the audio's own rate where it can. On noise it is often
wrong, so nothing that could not be taken back may hang on it alone.
"""

import webrtcvad

from turnkit.audio.framer import Framer
from turnkit.audio.frames import FRAME_S, AudioFormat
from turnkit.audio.pcm import decode
from turnkit.audio.resample import Resampler

_RATES_HZ = (8000, 16000, 32000, 48000)  # webrtcvad's
_RATE_HZ = 16000
_STRICTEST = 3
_SPEECH_FRAMES = 3  # a click lasts two


class Ear:
    """Hears one call. Seconds count from its beginning."""

    def __init__(self, audio: AudioFormat) -> None:
        self.spoken_s = 0.0
        """Where somebody was last heard to speak."""
        self._audio = audio
        self._rate_hz = audio.sample_rate_hz if audio.sample_rate_hz in _RATES_HZ else _RATE_HZ
        self._resampler = Resampler(audio.sample_rate_hz, self._rate_hz)
        self._framer = Framer(AudioFormat(self._rate_hz).bytes_in(FRAME_S))
        self._vad = webrtcvad.Vad(_STRICTEST)
        self._loud_frames = 0  # on end

    @property
    def speech_s(self) -> float:
        """For how long somebody has been speaking."""
        return self._loud_frames * FRAME_S

    def hear(self, audio: bytes, until_s: float) -> None:
        """Take in the next piece, which reaches so far into the call."""
        samples = self._resampler.feed(decode(audio, self._audio.encoding))
        for frame in self._framer.feed(samples.tobytes()):
            loud = self._vad.is_speech(frame, self._rate_hz)
            self._loud_frames = self._loud_frames + 1 if loud else 0
            if self._loud_frames >= _SPEECH_FRAMES:
                self.spoken_s = until_s
