"""What the user hears: a model of the far end's loudspeaker, pure.

It plays frames in the order they arrive, without a gap while it has any, and drops what it has not
played when told to clear. `turnkit call` and the tests hear through it.
"""

from dataclasses import dataclass, replace

import numpy as np

from turnkit.audio.frames import AudioFormat, Samples, samples_of


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of one reply's audio as it came out of the loudspeaker, in seconds."""

    reply: int
    arrived: float
    start: float
    end: float
    pcm: bytes


class FarEnd:
    """A loudspeaker with a buffer in front of it."""

    def __init__(self, sample_rate_hz: int) -> None:
        self.sounds: list[Sound] = []
        self._format = AudioFormat(sample_rate_hz)

    def arrive(self, reply: int, frame: bytes, at: float) -> None:
        """Take in linear16 audio of a reply."""
        start = max(at, self.sounds[-1].end) if self.sounds else at
        end = start + self._format.seconds_in(len(frame))
        self.sounds.append(Sound(reply, at, start, end, frame))

    def clear(self, at: float) -> None:
        """Drop what has not been played by then."""
        while self.sounds and self.sounds[-1].start >= at:
            self.sounds.pop()
        if self.sounds and self.sounds[-1].end > at:
            last = self.sounds[-1]
            size = self._format.bytes_in(at - last.start)
            self.sounds[-1] = replace(last, end=at, pcm=last.pcm[:size])

    def played_s(self, reply: int, now: float) -> float:
        """Return how much of a reply was played; replies come in the order of their numbers."""
        played: list[float] = []
        for sound in reversed(self.sounds):  # a long call has many before
            if sound.reply < reply:
                break
            if sound.reply == reply and sound.start < now:
                played.append(min(sound.end, now) - sound.start)
        return sum(reversed(played))

    @property
    def silent_at(self) -> float:
        """When everything that arrived will have been played."""
        return self.sounds[-1].end if self.sounds else 0.0

    def waveform(self, until: float) -> Samples:
        """Return all that was heard from time 0 to `until` as int16 samples."""
        heard = np.zeros(round(until * self._format.sample_rate_hz), dtype=np.int16)
        for sound in self.sounds:
            first = round(sound.start * self._format.sample_rate_hz)
            samples = samples_of(sound.pcm)[: max(0, len(heard) - first)]
            heard[first : first + len(samples)] = samples
        return heard
