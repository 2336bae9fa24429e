"""How outgoing audio comes: whether a listener would hear it break up, and how evenly. Pure.

A piece is *late* when all before it has been played and it is not there: the listener plays a
reply from its first piece on, without waiting. How *uneven* the pieces come, against the beat of
their own reply, says how a subject paces: one that sends a few frames at a time is uneven by as
much, and it harms nobody as long as its lead covers it. The first half second, in which the lead is
built up, says nothing of that. Replies in which the load itself stood still are left out.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.load import codes
from benchmarks.load.records import Heard

_SETTLED_S = 0.5
_CLOCK_ERROR_S = 1e-6
"""Sums of 20 ms in binary floating point are off by less than this."""
_PAUSE_S = 1.0
"""After so much silence another reply begins, whatever the codes say."""


@dataclass(slots=True)
class Pacing:
    """Of all replies together."""

    pieces: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    """How late each late piece was: silences within a reply."""
    uneven_ms: list[float] = field(default_factory=list)
    """How far behind its reply's beat each piece came; 0 for those ahead of it."""

    @property
    def late_share(self) -> float:
        """The share of pieces that are late by more than a frame."""
        late = sum(ms > codes.FRAME_S * 1000 for ms in self.gaps_ms)
        return late / self.pieces if self.pieces else 0.0


def pacing_of(
    calls: Iterable[Heard], since: float, until: float, stalls: Sequence[tuple[float, float]] = ()
) -> Pacing:
    """Look at all audio that came in this time.

    Args:
        calls: what the callers heard.
        since: when the time begins.
        until: when it ends.
        stalls: in order, from when to when the load stood still.
    """
    found = Pacing()
    for heard in calls:
        for reply in _replies(heard, since, until):
            if not overlaps(stalls, reply[0][0], reply[-1][0]):
                _add(found, reply)
    return found


def overlaps(stalls: Sequence[tuple[float, float]], start: float, end: float) -> bool:
    """Tell whether one of the stalls, which are in order, touches this time."""
    place = bisect_left(stalls, start, key=lambda stall: stall[1])
    return place < len(stalls) and stalls[place][0] <= end


def together(stalls: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return stalls that several noticed, in order and without overlaps."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(stalls):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _replies(heard: Heard, since: float, until: float) -> Iterator[list[tuple[float, float]]]:
    """Yield the pieces of each reply: when each came, and how much it was."""
    reply: list[tuple[float, float]] = []
    whose = None
    for at, seconds, key in zip(heard.at, heard.seconds, heard.keys, strict=True):
        if not since <= at <= until:
            continue
        code = codes.decode(key, heard.encoding)
        now = None if code is None else (code.call, code.turn)
        if reply and (now != whose or at - reply[-1][0] > _PAUSE_S):
            yield reply
            reply = []
        whose = now
        reply.append((at, seconds))
    if reply:
        yield reply


def _add(found: Pacing, reply: list[tuple[float, float]]) -> None:
    found.pieces += len(reply)
    position, silent_at = 0.0, reply[0][0]
    offsets = []
    for at, seconds in reply:
        if at > silent_at + _CLOCK_ERROR_S:
            found.gaps_ms.append((at - silent_at) * 1000)
        silent_at = max(silent_at, at) + seconds
        if position >= _SETTLED_S:
            offsets.append(at - position)
        position += seconds
    if offsets:
        beat = median(offsets)
        found.uneven_ms += [max(0.0, offset - beat) * 1000 for offset in offsets]
