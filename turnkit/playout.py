"""One reply's audio: what was staged, what was sent, and what can have been heard of it.

Three different things, and history keeps only the last. No clock in here: `now` comes in, in
seconds, and everything is said in seconds of this reply's audio.
"""

from collections import deque
from dataclasses import dataclass, field
from math import ceil, inf

from turnkit.audio.frames import FRAME_S, AudioFormat

_BATCH = 3
"""How many frames leave at a time, where the lead allows it: waking for each would cost most."""

_UNREPORTED_GRACE_S = 1.0
"""How long a far end that reports its playout may keep us waiting for its last word."""

_REWIND_S = 5.0
"""How much of what was sent is kept, to be sent again after a pause: the longest lead and more."""

_CHARACTERS_PER_S = 15.0
"""How fast speech goes (about 175 words a minute), for a clause whose audio is still to come."""

_CLOCK_ERROR_S = 1e-6
"""Sums of 20 ms in binary floating point are off by less than this."""


@dataclass(slots=True)
class _Clause:
    """A piece of text and the stretch of audio that speaks it, in bytes.

    `marks` are pairs of a place in the audio and the share of the text that comes before it.
    """

    text: str
    start: int
    end: int | None = None  # while its audio is still coming
    marks: list[tuple[int, float]] = field(default_factory=list)


class Playout:
    """The audio of one reply on its way to the user.

    The far end is taken to play frames in order, without a gap as long as there are any: so audio
    sent at `now` begins to sound when all before it has, or at once.

    Args:
        sample_rate_hz: of the linear16 audio.
        lead_s: how far ahead of the far end's clock frames may be sent.
        reported: whether the far end will tell how far it has played.
    """

    def __init__(self, sample_rate_hz: int, lead_s: float, *, reported: bool = False) -> None:
        self._format = AudioFormat(sample_rate_hz)
        self._frame_bytes = self._format.bytes_in(FRAME_S)
        self._lead_s = lead_s
        self._batch = min(max(1, int(lead_s / 3 / FRAME_S)), _BATCH)
        self._reported = reported
        self._clauses: list[_Clause] = []
        self._frames: deque[bytes] = deque()
        self._sent: deque[bytes] = deque(maxlen=round(_REWIND_S / FRAME_S))
        self._rest = bytearray()  # less than a frame
        self._staged_bytes = 0
        self._sent_s = 0.0
        self._silent_at = -inf  # when everything sent so far will have been played
        self._acknowledged: tuple[float, float] | None = None  # (played_s, at)
        self._ended = False

    # Staging: what the synthesizer made.

    def open_clause(self, text: str) -> None:
        """Say that the audio staged from here on speaks `text`."""
        self.close_clause()
        self._clauses.append(_Clause(text, self._staged_bytes))

    def close_clause(self) -> None:
        """Say that the open clause has all its audio."""
        if self._clauses and self._clauses[-1].end is None:
            self._clauses[-1].end = self._staged_bytes

    def mark(self, share: float) -> None:
        """Say that the audio staged from here on speaks the open clause from `share` of it on."""
        self._clauses[-1].marks.append((self._staged_bytes, share))

    def stage(self, pcm: bytes) -> None:
        """Add audio, in pieces of any even length."""
        self._staged_bytes += len(pcm)
        self._rest += pcm
        while len(self._rest) >= self._frame_bytes:
            self._frames.append(bytes(self._rest[: self._frame_bytes]))
            del self._rest[: self._frame_bytes]

    def end(self) -> None:
        """Say that no more will be staged; a last partial frame is filled up with silence.

        A clause that is still open then has broken off.
        """
        self._ended = True
        self._fill_up()

    def _fill_up(self) -> None:
        """Make a frame of what is less than one, with silence behind it."""
        if self._rest:
            missing = self._frame_bytes - len(self._rest)
            self.stage(bytes(missing))

    @property
    def waiting_s(self) -> float:
        """How much is staged and not sent."""
        return len(self._frames) * FRAME_S

    @property
    def has_audio(self) -> bool:
        """Whether there was ever anything to hear."""
        return self._staged_bytes > 0

    # Sending: what may leave.

    def due(self, now: float) -> list[bytes]:
        """Take the frames that may leave now, so that at most `lead_s` is ahead of the clock."""
        frames = []
        if not self._frames and self._rest and self._late_at <= now + _CLOCK_ERROR_S:
            self._fill_up()  # the agent is slow: do not keep back the end of what it said
        while self._frames and self._due_at <= now + _CLOCK_ERROR_S:
            frame = self._frames.popleft()
            frames.append(frame)
            self._sent.append(frame)
            self._sent_s += FRAME_S
            self._silent_at = max(self._silent_at, now) + FRAME_S
        return frames

    def rewind(self, now: float) -> None:
        """Take back what was sent and not heard, to be sent again; the far end has dropped it.

        A frame that was heard in part is sent again whole. The far end is silent from now on.
        """
        unheard_s = self._sent_s - self.heard_s(now)
        for _ in range(min(len(self._sent), ceil(unheard_s / FRAME_S - _CLOCK_ERROR_S))):
            self._frames.appendleft(self._sent.pop())
            self._sent_s -= FRAME_S
        self._silent_at = now
        self._acknowledged = None

    @property
    def _due_at(self) -> float:
        return self._silent_at + FRAME_S - self._lead_s

    @property
    def _late_at(self) -> float:
        """When a frame that is still being filled is late: one frame after the far end ran dry."""
        return self._silent_at + FRAME_S if self._sent_s else inf

    @property
    def all_sent(self) -> bool:
        """Whether everything was staged and has left."""
        return self._ended and not self._frames

    def next_at(self) -> float:
        """Return when there is something to do next, if nothing is staged or reported till then."""
        if self._frames:
            return self._due_at + (min(self._batch, len(self._frames)) - 1) * FRAME_S
        if self._ended:
            return self._silent_at + (_UNREPORTED_GRACE_S if self._reported else 0.0)
        return self._late_at if self._rest else inf

    @property
    def silent_at(self) -> float:
        """When all that was sent will have been played."""
        return self._silent_at

    # Hearing: what was played.

    def acknowledge(self, played_s: float, at: float) -> None:
        """Take in the far end's word on how much it has played, never more than was sent."""
        self._acknowledged = (min(played_s, self._sent_s), at)

    def heard_s(self, now: float) -> float:
        """Return how much can have been heard.

        By the clock, everything sent but what is not due yet. What the far end reported counts
        for less, since a network and a buffer lie between; since then it may have gone on.
        """
        by_clock = self._sent_s - max(0.0, self._silent_at - now)
        if self._acknowledged is None:
            return max(0.0, by_clock)
        played_s, at = self._acknowledged
        return min(by_clock, played_s + max(0.0, now - at))

    def finished(self, now: float) -> bool:
        """Whether the user has heard all there is."""
        if not self.all_sent or now < self._silent_at - _CLOCK_ERROR_S:
            return False  # whatever the far end says: it cannot play faster than that
        if self._reported and self._acknowledged is not None:
            played_s, _ = self._acknowledged
            if played_s >= self._sent_s - _CLOCK_ERROR_S:
                return True
        return now >= self.next_at() - _CLOCK_ERROR_S

    def heard_text(self, now: float) -> tuple[str, str]:
        """Split the reply's text into what can have been heard and what not.

        Only words that were heard to their end count. Within a clause the marks tell where they
        are; without any they are taken to be spread evenly over its audio.
        """
        position = self._format.bytes_in(self.heard_s(now) + _CLOCK_ERROR_S)
        heard = [self._heard_of(clause, position) for clause in self._clauses]
        unheard = [
            clause.text[len(part) :] for clause, part in zip(self._clauses, heard, strict=True)
        ]
        return "".join(heard), "".join(unheard)

    def heard_is_estimate(self, now: float) -> bool:
        """Tell whether the heard text was cut within a clause that has no marks."""
        position = self._format.bytes_in(self.heard_s(now) + _CLOCK_ERROR_S)
        return any(
            clause.start < position and (clause.end is None or position < clause.end)
            for clause in self._clauses
            if not clause.marks
        )

    def _heard_of(self, clause: _Clause, position: int) -> str:
        if position == 0:
            return ""
        end = clause.end
        if end is None:
            guess_s = len(clause.text) / _CHARACTERS_PER_S
            end = max(self._staged_bytes, clause.start + self._format.bytes_in(guess_s))
        elif position >= end:
            return clause.text
        if position <= clause.start:
            return ""
        if clause.marks:
            # A word counts when the next one has begun.
            share = max((share for start, share in clause.marks if start <= position), default=0.0)
            return _whole_words(clause.text, round(len(clause.text) * share))
        share = (position - clause.start) / (end - clause.start)
        return _whole_words(clause.text, int(len(clause.text) * share))


def _whole_words(text: str, length: int) -> str:
    """Cut `text` to at most `length` characters, not inside a word."""
    if text[length : length + 1].isspace():
        return text[:length]
    return text[: text.rfind(" ", 0, length) + 1]
