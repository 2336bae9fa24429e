"""The audio of a call that may have to be sent again, by its place in the call. Pure."""

from collections import deque
from dataclasses import dataclass

from turnkit.audio.frames import AudioFormat

LIMIT_S = 30.0
LIMIT_BYTES = 1 << 20
"""What is kept at most, by time and by size. A turn that lasts longer keeps its newest part."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of audio: where in the call it begins and ends, and when it was heard."""

    start: int
    end: int
    at: float
    audio: bytes


class Ring:
    """Keeps the newest audio, in pieces of one length. Places are samples since the call began.

    When it is full the oldest piece goes. Whoever needed it learns so from `start`.
    """

    def __init__(self, audio: AudioFormat, piece_s: float, limit_s: float = LIMIT_S) -> None:
        self.finished = False
        self._rate_hz = audio.sample_rate_hz
        piece_bytes = audio.bytes_in(piece_s)
        self._piece_samples = piece_bytes // audio.sample_bytes
        limit_bytes = min(audio.bytes_in(limit_s), LIMIT_BYTES)
        self._pieces: deque[Piece] = deque(maxlen=max(1, limit_bytes // piece_bytes))
        self._end = 0

    @property
    def start(self) -> int:
        """Where the oldest audio kept begins."""
        return self._pieces[0].start if self._pieces else self._end

    @property
    def end(self) -> int:
        """Where the newest ends: the length of the call so far."""
        return self._end

    def append(self, audio: bytes, at: float) -> None:
        """Take in the next piece, heard at this instant."""
        start, self._end = self._end, self._end + self._piece_samples
        self._pieces.append(Piece(start, self._end, at, audio))

    def read(self, place: int) -> Piece | None:
        """Return the piece that holds this place, or else the next that is kept; None if none."""
        position = max(0, place - self.start) // self._piece_samples
        return self._pieces[position] if position < len(self._pieces) else None

    def forget_before(self, place: int) -> None:
        """Drop the pieces that end at this place or before: nobody will ask for them again."""
        while self._pieces and self._pieces[0].end <= place:
            self._pieces.popleft()

    def place(self, seconds: float) -> int:
        """Return the place so many seconds after the call began."""
        return int(seconds * self._rate_hz + 0.5)

    def seconds(self, place: int) -> float:
        """Return when, in seconds of the call's audio, this place is."""
        return place / self._rate_hz
