"""From one sample rate to another, while the audio is still coming in. Pure.

A polyphase filter: each output sample is a weighted sum of the input around it, with one row of
weights for each place it can have between two input samples. The ratio is a fraction of whole
numbers, so nothing drifts: an hour in is an hour out, to the sample.

What a filter costs is time. This one looks 12 samples of the lower rate ahead, which is 1.5 ms at
8 kHz, for 55 dB between what stays and what goes (G.711 itself leaves 38) and a band to 77 % of
the lower rate's half. libsamplerate's shortest filter looks 20 ahead; soxr holds back 40 to 110 ms.
"""

from functools import lru_cache
from math import ceil, gcd

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import Samples

# Doubles: in floats, the order in which BLAS adds would show in the last bit of a sample in a
# thousand, and with it how the stream was cut.
_Floats = npt.NDArray[np.float64]

_LOOKAHEAD = 12  # samples of the lower rate
_REJECTION_DB = 55.0
_BAND = 0.90  # where the filter is 6 dB down, in halves of the lower rate
_FEW_PHASES = 8  # up to here each phase is one product; above, each sample is one


class Resampler:
    """Turns a stream at one rate into the same stream at another, in pieces of any size.

    How the stream is cut changes nothing: the pieces that come out, joined, are the same.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        self._weights = _weights(self._up, self._down)
        self._ahead = int(self._weights.shape[1]) // 2
        self._taken = self._given = 0
        self._waiting: _Floats = np.empty(0)
        self._begin()

    @property
    def _changes(self) -> bool:
        return self._up != self._down

    @property
    def delay_samples(self) -> int:
        """How many samples of the input are looked at ahead, and so held back."""
        return self._ahead if self._changes else 0

    def feed(self, samples: Samples) -> Samples:
        """Take in the next samples; return those that are certain by now."""
        if not self._changes:
            return samples
        self._taken += len(samples)
        self._waiting = np.concatenate([self._waiting, samples])
        return self._give(self._certain())

    def flush(self) -> Samples:
        """Return what was held back, and be ready for another stream.

        All that came out is then as long as what went in, to the nearest sample.
        """
        if not self._changes:
            return np.empty(0, np.int16)
        due = (2 * self._taken * self._up + self._down) // (2 * self._down)
        beyond = np.zeros(self._ahead + ceil(self._down / self._up) + 1)
        self._waiting = np.concatenate([self._waiting, beyond])
        tail = self._give(due)
        self._begin()
        return tail

    def _begin(self) -> None:
        self._taken = self._given = 0
        self._waiting = np.zeros(self._ahead - 1)
        self._first = 1 - self._ahead  # the place of the first sample waiting

    def _certain(self) -> int:
        """Return how many samples can have been given by now."""
        reached = -((self._ahead - self._taken) * self._up // self._down)
        return max(self._given, reached)

    def _give(self, until: int) -> Samples:
        """Return the output from the last given to the one before `until`."""
        if until <= self._given:
            return np.empty(0, np.int16)
        windows = np.lib.stride_tricks.sliding_window_view(self._waiting, 2 * self._ahead)
        windows = windows[1 - self._ahead - self._first :]  # the first belongs to place 0
        if self._up <= _FEW_PHASES:
            out = self._by_phase(windows, until)
        else:
            places, phases = np.divmod(np.arange(self._given, until) * self._down, self._up)
            out = np.einsum("ij,ij->i", windows[places], self._weights[phases])
        self._given = until
        self._forget()
        return np.clip(np.rint(out), -32768, 32767).astype(np.int16)

    def _by_phase(self, windows: _Floats, until: int) -> _Floats:
        """Return the output for few phases: every `up`-th sample has the same weights."""
        out = np.empty(until - self._given)
        for start in range(self._given, min(self._given + self._up, until)):
            place, phase = divmod(start * self._down, self._up)
            part = out[start - self._given :: self._up]
            part[:] = windows[place :: self._down][: len(part)] @ self._weights[phase]
        return out

    def _forget(self) -> None:
        """Drop the input that no sample needs any more, and count from there."""
        rounds = self._given // self._up
        needed = rounds * self._down + 1 - self._ahead
        self._waiting = self._waiting[max(0, needed - self._first) :]
        self._first = max(self._first, needed)
        self._given -= rounds * self._up
        self._taken -= rounds * self._down
        self._first -= rounds * self._down


def resample(samples: Samples, from_hz: int, to_hz: int) -> Samples:
    """Return a whole recording at another rate."""
    resampler = Resampler(from_hz, to_hz)
    return np.concatenate([resampler.feed(samples), resampler.flush()])


@lru_cache(maxsize=32)
def _weights(up: int, down: int) -> _Floats:
    """Return the weights of the samples around, shape (phases, samples): a Kaiser-windowed sinc."""
    lower = min(1.0, up / down)
    ahead = ceil(_LOOKAHEAD / lower)
    places = np.arange(1 - ahead, ahead + 1) - np.arange(up)[:, None] / up
    shape = 0.1102 * (_REJECTION_DB - 8.7)  # Kaiser's formula
    window = np.i0(shape * np.sqrt(np.maximum(0, 1 - (places / ahead) ** 2)))
    weights = np.sinc(places * lower * _BAND) * window
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
