"""Whether what the user's channel carries is our own voice coming back. Pure.

A loudspeaker near a microphone, or a telephone line's hybrid, returns what we play: later by the
network and the room, fainter, and coloured. Its loudness over time stays recognisable, band by
band. So the guard keeps the levels of both directions, looks for the delay at which they go
together best, learns how much fainter each band is, and calls *echo* what is no louder than that.
Who speaks over the echo is louder than it again and again, and is not masked then.

No echo is removed: that is the business of the user's own device.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from turnkit.audio.frames import FRAME_S, Samples

_Levels = npt.NDArray[np.float32]  # shape (hops, bands)

_BAND_BINS = (4, 10, 20, 32, 48, 68)  # edges in bins of 50 Hz: 200 to 3400 Hz, as on a telephone
_BANDS = len(_BAND_BINS) - 1
_FULL_SCALE = 32768

_LAGS = 50  # hops of 20 ms: an echo may be up to 1 s late (networks: 20 to 600 ms)
_WINDOW = 50  # hops that are compared
_LEAST = 30  # and as few at first
_PAST = _LAGS + _WINDOW + 2
_AHEAD = 125  # hops that may be waiting to be played: 2.5 s, more than the longest lead
_TAIL_HOPS = 10  # so long after the last of what is played the agent still has the floor
_PAUSE_HOPS = 50  # and so long it may be silent within it: voices pause between sentences

_FLOOR_DB = -75.0  # of a band; anything below is silence
_THERE_DB = -65.0
_AUDIBLE_DB = -60.0  # of a band: fainter agent speech has no echo worth the name

# What is compared is how much each band changes within 40 ms, in dB, and no deeper than 20 dB below
# its loudest: otherwise two voices that merely begin in the same second look alike. On 16 echoes
# and 120 pairs of different voices (development pack, 8 s each), three matches in a row at the same
# delay found all of the first and none of the second; two in a row found 4 % of the second.
_STEP_HOPS = 2
_DEPTH_DB = 20.0
_LIVELY_DB = 2.0  # both must change by so much
_MATCH = 0.6
_IN_A_ROW = 4
_DIFFER_HOPS = 1
_NO_MATCH = 0.3  # below this at the known delay, for 1 s on end, the echo is gone
_GONE_LOOKS = 6
_KNOWN_REST = 2  # a known echo is looked at again in every second chunk

# An echo is fainter by the same amount all the time, on average within 4.0 dB of its median (99 %
# of 1,486 looks at real voices, smeared, at -6 to -30 dB); other voices that match so far differ by
# 7. Only the loudest moments are compared, when neither noise nor reverberation matters.
_LOUDEST_DB = 15.0
_STEADY_DB = 4.2
_MOST_OF_IT = 0.85  # and it explains so much of what is there
_MOST_GAIN_DB = 10.0  # what comes back louder than that was not ours
_GAIN_SHARE = 0.25  # of what is newly seen; a rise is never more than the next one
_GAIN_RISE_DB = 0.5
_MARGIN_DB = 6.0  # louder than the expected echo by this is somebody else
_REVERB_HOPS = 3
_HINDSIGHT = 20  # hops: who speaks over an echo is louder in some syllables and not in others


class EchoGuard:
    """Follows one call. Costs nothing while nothing is played, and 0.2 ms for 80 ms of it."""

    def __init__(self) -> None:
        self._far = _silence(_PAST + _AHEAD)  # played before now, and to be played
        self._near = _silence(_WINDOW + _STEP_HOPS)
        self._new: list[bytes] = []  # frames whose levels are not known yet
        self._ahead = 0  # hops
        self._rest = 0
        self._since_played = self._since_audible = _PAST  # hops
        self._compared = 0  # hops of `_near` that are real
        self._lag: int | None = None
        self._suspected = 0
        self._in_a_row = 0
        self._unlike = 0
        self._gains_db = np.zeros(_BANDS, np.float32)

    @property
    def delay_s(self) -> float | None:
        """How late the echo is; None if none was recognised."""
        return None if self._lag is None else self._lag * FRAME_S

    @property
    def playing(self) -> bool:
        """Whether the agent is speaking: audible, or pausing for at most a second."""
        return self._since_played < _TAIL_HOPS and self._since_audible < _PAUSE_HOPS

    def played(self, frame: bytes) -> None:
        """Take in 20 ms of linear16 audio that goes out to the user, to be heard from now on."""
        if self._ahead < _AHEAD:
            if self._new and len(frame) != len(self._new[0]):
                self._place_new()
            self._new.append(frame)
            self._ahead += 1

    def silenced(self) -> None:
        """Take in that nothing of what was to be played from now on will be."""
        self._far[_PAST:] = _FLOOR_DB
        self._new.clear()
        self._ahead = 0

    def hear(self, samples: Samples, hops: int) -> float:
        """Take in so many hops of the user's 16 kHz audio; tell how much was echo lately."""
        if not self._ahead and self._since_audible >= _PAST:
            self._compared = 0
            return 0.0
        self._place_new()
        self._advance(hops)
        near = _band_levels(np.resize(samples, (hops, round(FRAME_S * 16000))))
        self._near = np.concatenate([self._near[hops:], near])
        self._compared = min(self._compared + hops, _WINDOW)
        self._rest = (self._rest + 1) % (1 if self._lag is None else _KNOWN_REST)
        if not self._rest and self._compared >= _LEAST and near.max() > _THERE_DB:
            self._learn()
        return self._explained(_HINDSIGHT)

    def explained_share(self, seconds: float) -> float:
        """Return which share of the last so many seconds was echo, as it is known by now."""
        return self._explained(max(1, min(round(seconds / FRAME_S), _WINDOW)))

    def _place_new(self) -> None:
        """Measure the frames that were played since the last look, all of one length at once."""
        if self._new:
            frames = np.frombuffer(b"".join(self._new), "<i2").reshape(len(self._new), -1)
            end = _PAST + self._ahead
            self._far[end - len(frames) : end] = _band_levels(frames)
            self._new.clear()

    def _advance(self, hops: int) -> None:
        leaving = self._far[_PAST : _PAST + hops]
        audible = np.flatnonzero(leaving.max(axis=1) > _AUDIBLE_DB)
        self._since_audible += hops
        if len(audible):
            self._since_audible = hops - 1 - int(audible[-1])
        self._since_played = (
            max(0, hops - self._ahead) if self._ahead else self._since_played + hops
        )
        self._far[:-hops] = self._far[hops:]
        self._far[-hops:] = _FLOOR_DB
        self._ahead = max(0, self._ahead - hops)

    def _learn(self) -> None:
        """Look for the delay at which near and far change together."""
        count = self._compared
        own = _changes(self._near[-count - _STEP_HOPS :])
        far = _changes(self._far[_PAST - _LAGS - count - _STEP_HOPS : _PAST])
        windows = np.lib.stride_tricks.sliding_window_view(far, count, axis=0)  # lag, band, hop
        rows = windows.reshape(len(windows), -1)
        column = own.T.ravel()
        least = _LIVELY_DB * np.sqrt(len(column))
        far_sizes, own_size = np.sqrt(np.einsum("ij,ij->i", rows, rows)), np.sqrt(column @ column)
        if own_size < least:
            return
        lively = far_sizes > least
        matches = np.where(lively, rows @ column / np.maximum(far_sizes * own_size, 1e-6), 0)
        self._judge(matches, lively)

    def _judge(self, matches: npt.NDArray[np.float32], lively: npt.NDArray[np.bool_]) -> None:
        best = int(matches.argmax())
        lag = _LAGS - best
        again = abs(lag - self._suspected) <= _DIFFER_HOPS
        if matches[best] >= _MATCH:
            self._in_a_row = self._in_a_row + 1 if again else 1
            self._suspected = lag
        else:
            self._in_a_row = 0
        if self._in_a_row >= _IN_A_ROW:
            self._measure(lag)
        elif self._lag is not None and lively[_LAGS - self._lag]:
            unlike = matches[_LAGS - self._lag] < _NO_MATCH
            self._unlike = self._unlike + 1 if unlike else 0
            if self._unlike >= _GONE_LOOKS:
                self._lag = None

    def _measure(self, lag: int) -> None:
        """Learn how loud the echo is at this delay, band by band."""
        near = self._near[-self._compared :]
        far = self._far[_PAST - lag - self._compared : _PAST - lag]
        loud = far > np.maximum(far.max(axis=0) - _LOUDEST_DB, _AUDIBLE_DB)
        heard = loud.any(axis=0)
        if not heard.any():
            return
        gains = self._gains_db.copy()
        for band in np.flatnonzero(heard):
            gains[band] = np.median((near - far)[loud[:, band], band])
        unsteady_db = np.abs(near - far - gains)[loud].mean()
        if unsteady_db > _STEADY_DB or gains[heard].max() > _MOST_GAIN_DB:
            return
        if self._explained_by(lag, gains, self._compared) < _MOST_OF_IT:
            return
        if self._lag is not None and abs(self._lag - lag) <= _DIFFER_HOPS:
            change = _GAIN_SHARE * (gains - self._gains_db)
            gains = self._gains_db + np.minimum(change, _GAIN_RISE_DB)
        self._lag, self._gains_db, self._unlike = lag, gains, 0

    def _explained(self, hops: int) -> float:
        return 0.0 if self._lag is None else self._explained_by(self._lag, self._gains_db, hops)

    def _explained_by(self, lag: int, gains_db: _Levels, hops: int) -> float:
        """Return which share of the last hops, band by band, is no louder than such an echo."""
        end = _PAST - lag
        reach = self._far[max(0, end - hops - _REVERB_HOPS) : end + 1]
        spans = np.lib.stride_tricks.sliding_window_view(reach, _REVERB_HOPS + 1, axis=0)
        expected = np.maximum(spans[-hops:].max(axis=2) + gains_db, _FLOOR_DB)
        near = self._near[-hops:]
        there = near > _THERE_DB
        echo = there & (near <= expected + _MARGIN_DB)
        return float(echo.sum() / max(1, there.sum()))


@lru_cache(maxsize=8)
def _window(size: int) -> npt.NDArray[np.float32]:
    return np.hanning(size).astype(np.float32)


def _silence(hops: int) -> _Levels:
    return np.full((hops, _BANDS), _FLOOR_DB, np.float32)


def _changes(levels: _Levels) -> _Levels:
    shallow = np.maximum(levels, levels.max(axis=0) - _DEPTH_DB)
    changes: _Levels = shallow[_STEP_HOPS:] - shallow[:-_STEP_HOPS]
    return changes


def _band_levels(frames: Samples) -> _Levels:
    """Return the level of each 20 ms frame in each band, in dBFS."""
    size = frames.shape[1]
    spectrum = np.abs(np.fft.rfft(frames * _window(size)))
    power = np.add.reduceat(spectrum[:, : _BAND_BINS[-1]] ** 2, _BAND_BINS[:-1], axis=1)
    scaled = power * (4 / (size * _FULL_SCALE) ** 2)
    levels = 10 * np.log10(np.maximum(scaled, 10 ** (_FLOOR_DB / 10)))
    return np.asarray(levels, np.float32)
