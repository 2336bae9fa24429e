"""Turns that end because we say so: because somebody asked, or because the server never does. Pure.

Seconds are seconds of the call's audio, except `now`. A server of which that is known is told to
end the turn (`ForceEndTurn`); any other would close the connection over a message it does not
know, so for it the turn is ended here, with the words there are.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

MANUAL = "manual"
WATCHDOG = "watchdog"

GRACE_S = 1.0
"""How long after its time an end may come: Flux was seen to hold messages back for 0.73 s."""
_UNMOVED_TIMEOUTS = 4
_UNMOVED_S = 3.0
"""So many time-outs, but no less than this, without a new word end a turn even if there is sound:
local ears take noise for speech."""

Action: TypeAlias = Literal["force", "replay", "manual", "watchdog"]
"""Tell the server to end the turn; hear it again on a new connection; or end it here, and why."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the open turn has come."""

    turn: int
    heard_s: float
    """As far as the server has told what it heard."""
    moved_s: float
    """Where the turn last changed."""
    spoken_s: float
    """Where somebody was last heard to speak, by local ears."""
    sent_s: float
    """As far as audio was sent."""
    unconfirmed_s: float
    """For how long the server should have known of the turn, and has not."""


@dataclass(frozen=True, slots=True)
class _Asked:
    turn: int
    at_s: float
    due_at: float | None = None
    forced: bool = False


@dataclass(frozen=True, slots=True)
class _InTime:
    pass


@dataclass(frozen=True, slots=True)
class _Forced:
    turn: int
    moved_s: float
    at: float


@dataclass(frozen=True, slots=True)
class _Replayed:
    turn: int
    moved_s: float
    from_s: float


class Endings:
    """Decides, as audio is sent, what to do about the open turn."""

    def __init__(self) -> None:
        self.forced: tuple[int, str] | None = None
        """The turn the server was last told to end, and why."""
        self._asked: _Asked | None = None
        self._overdue: _InTime | _Forced | _Replayed = _InTime()

    def ask(self, turn: int, at_s: float) -> None:
        """Take the order to end this turn once the audio up to here is heard."""
        if self._asked is None or self._asked.turn != turn:
            self._asked = _Asked(turn, at_s)

    def disconnected(self) -> None:
        """Take note that what the server was told is lost."""
        if self._asked is not None:
            self._asked = _Asked(self._asked.turn, self._asked.at_s)

    def next(
        self, progress: Progress | None, now: float, *, timeout_s: float, forces: bool
    ) -> Action | None:
        """Return what to do now, if anything.

        Args:
            progress: of the open turn; None if there is none.
            now: the instant.
            timeout_s: after how much silence the server should end a turn by itself.
            forces: whether the server is known to understand ForceEndTurn.
        """
        if progress is None:
            self._asked, self._overdue = None, _InTime()
            return None
        if self._asked is not None and self._asked.turn == progress.turn:
            return self._on_request(self._asked, progress, now, forces=forces)
        return self._unasked(progress, now, timeout_s=timeout_s, forces=forces)

    def _on_request(
        self, asked: _Asked, progress: Progress, now: float, *, forces: bool
    ) -> Action | None:
        if progress.sent_s < asked.at_s:
            return None  # there is audio yet to be sent that belongs to the turn
        if asked.due_at is None:
            self._asked = asked = _Asked(asked.turn, asked.at_s, now + GRACE_S, forces)
            if forces:
                self.forced = asked.turn, MANUAL
                return "force"
        assert asked.due_at is not None
        answered = not asked.forced and progress.heard_s >= asked.at_s
        return "manual" if answered or now >= asked.due_at else None

    def _unasked(
        self, progress: Progress, now: float, *, timeout_s: float, forces: bool
    ) -> Action | None:
        if progress.unconfirmed_s >= GRACE_S:
            return "watchdog"  # only we heard it begin
        if not isinstance(self._overdue, _InTime):
            since = self._overdue.turn, self._overdue.moved_s
            if since != (progress.turn, progress.moved_s):
                self._overdue = _InTime()
        if not _is_overdue(progress, timeout_s):
            return None
        match self._overdue:
            case _InTime() if forces:
                self._overdue = _Forced(progress.turn, progress.moved_s, now)
                self.forced = progress.turn, WATCHDOG
                return "force"
            case _Forced(at=at) if now < at + GRACE_S:
                return None
            case _InTime() | _Forced():
                self._overdue = _Replayed(progress.turn, progress.moved_s, progress.sent_s)
                return "replay"
            case _Replayed(from_s=from_s):
                return "watchdog" if progress.sent_s >= from_s + GRACE_S else None
            case _:
                assert_never(self._overdue)


def _is_overdue(progress: Progress, timeout_s: float) -> bool:
    silent_s = progress.sent_s - max(progress.moved_s, progress.spoken_s)
    unmoved_s = progress.sent_s - progress.moved_s
    patience_s = max(_UNMOVED_TIMEOUTS * timeout_s, _UNMOVED_S)
    return silent_s >= timeout_s + GRACE_S or unmoved_s >= patience_s
