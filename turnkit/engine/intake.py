"""Bytes of any encoding, rate and length in; frames of 16 kHz samples out."""

from turnkit.audio import opus
from turnkit.audio.framer import Framer
from turnkit.audio.frames import AudioFormat, Samples
from turnkit.audio.levels import Meter, OffsetRemover
from turnkit.audio.opus import OpusDecoder
from turnkit.audio.pcm import decode
from turnkit.audio.resample import Resampler
from turnkit.sources.flux_query import Compressed

RATE_HZ = 16000


class Intake:
    """Cuts one stream of audio into frames, without a constant offset.

    A frame is so much *received* audio: the resampler may give a few samples less for the first
    one, and more or less by one for the others.
    """

    def __init__(
        self, audio: AudioFormat, frame_s: float, compressed: Compressed | None = None
    ) -> None:
        self._opus = None
        if compressed is not None:
            self._opus = OpusDecoder(ogg=compressed == "ogg-opus")
            audio = AudioFormat(opus.RATE_HZ)
        self.meter = Meter()
        """The levels of all that was received, as it was received."""
        self._audio = audio
        self._framer = Framer(audio.bytes_in(frame_s))
        self._offset = OffsetRemover(audio.sample_rate_hz)
        self._resampler = Resampler(audio.sample_rate_hz, RATE_HZ)

    def feed(self, data: bytes) -> list[Samples]:
        """Take in the next bytes; return the frames they complete."""
        if self._opus is not None:
            data = self._opus.feed(data).tobytes()
        return [
            self._prepare(decode(frame, self._audio.encoding)) for frame in self._framer.feed(data)
        ]

    def _prepare(self, samples: Samples) -> Samples:
        self.meter.hear(samples)
        return self._resampler.feed(self._offset.feed(samples))
