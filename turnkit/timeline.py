"""A conversation as a timeline: notes in, lines for people out. Pure.

The notes are those of `/ws` (docs/ws.md), so that a call reads the same whether it went over a
socket or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

_WORDS = 72  # of a transcript; the whole is in the page and the trace


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `at` seconds into the call."""

    at: float
    who: str
    what: str
    words: str = ""

    def __str__(self) -> str:
        words = f'  "{_short(self.words)}"' if self.words else ""
        return f"{self.at:8.3f}  {self.who:<6} {self.what}{words}"


@dataclass(slots=True)
class Timeline:
    """Reads notes in order; remembers what a summary needs."""

    lines: list[Line] = field(default_factory=list)
    outcomes: dict[int, str] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)
    drafts: int = 0
    drafts_dropped: int = 0
    barge_ins: int = 0
    _turns: dict[int, int] = field(default_factory=dict)  # by reply
    _drafted: set[int] = field(default_factory=set)
    _final_at: dict[int, float] = field(default_factory=dict)  # by turn
    _open_turns: set[int] = field(default_factory=set)
    _replies: set[int] = field(default_factory=set)

    @property
    def answered(self) -> bool:
        """Whether any turn of the user's got an answer that could be heard."""
        return bool(self.latencies_s)

    @property
    def busy(self) -> bool:
        """Whether a turn is open or a reply under way."""
        return bool(self._open_turns or self._replies)

    def read(self, at: float, name: str, fields: Mapping[str, Any]) -> Line | None:
        """Take in one note; return its line, or None for what is not worth one."""
        match name, fields:
            case "StartOfTurn", {"turn": turn, "transcript": words}:
                self._open_turns.add(turn)
                return self._line(at, "user", f"StartOfTurn {turn}", words)
            case "EagerEndOfTurn" | "TurnResumed", {"turn": turn, "transcript": words}:
                return self._line(at, "user", f"{name} {turn}", words)
            case "EndOfTurn", {"turn": turn, "transcript": words, "trigger": trigger}:
                self._open_turns.discard(turn)
                self._final_at.setdefault(turn, at)
                return self._line(at, "user", f"EndOfTurn {turn} ({trigger})", words)
            case "StartReply", {"reply": reply, "purpose": purpose}:
                return self._started(at, reply, purpose)
            case "ReleaseReply", {"reply": reply}:
                what = "draft released" if reply in self._drafted else "reply released"
                return self._line(at, "agent", f"{what} ({reply})")
            case "CancelReply", {"reply": reply, "reason": reason}:
                return self._cancelled(at, reply, reason)
            case "PlayoutStarted", {"reply": reply}:
                return self._sounded(at, reply)
            case "ReplyHeard", {"reply": reply, "heard": heard}:
                self._replies.discard(reply)
                return self._line(at, "agent", f"heard of {reply}", heard) if heard else None
            case "ReplyFailed", {"reply": reply, "reason": reason}:
                return self._line(at, "agent", f"reply {reply} failed: {reason}")
            case "CloseTurn", {"turn": turn, "outcome": outcome, "reason": reason}:
                self.outcomes[turn] = outcome
                self._open_turns.discard(turn)
                why = f": {reason}" if reason else ""
                return self._line(at, "ledger", f"turn {turn} {outcome}{why}")
            case _:
                return None

    def summary(self) -> str:
        """Say in two lines how the call went."""
        counts = {o: list(self.outcomes.values()).count(o) for o in self.outcomes.values()}
        ended = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "none"
        drafts = f"{self.drafts} drafts, {self.drafts_dropped} dropped; {self.barge_ins} barge-ins"
        if not self.latencies_s:
            return f"turns: {ended}; {drafts}\nno answer was heard"
        latency_ms = median(self.latencies_s) * 1000
        return f"turns: {ended}; {drafts}\nEndOfTurn to first sound: median {latency_ms:.1f} ms"

    def _started(self, at: float, reply: int, purpose: Mapping[str, Any]) -> Line:
        self._replies.add(reply)
        match purpose:
            case {"name": "Answer", "fields": {"turn": turn, "drafted": True}}:
                self.drafts += 1
                self._drafted.add(reply)
                self._turns[reply] = turn
                return self._line(at, "draft", f"draft started ({reply}), inaudible")
            case {"name": "Answer", "fields": {"turn": turn}}:
                self._turns[reply] = turn
                return self._line(at, "agent", f"reply started ({reply})")
            case {"name": "Apology"}:
                return self._line(at, "agent", f"apology started ({reply})")
            case _:
                return self._line(at, "agent", f"greeting started ({reply})")

    def _cancelled(self, at: float, reply: int, reason: str) -> Line:
        if reason == "barge_in":
            self.barge_ins += 1
            return self._line(at, "agent", f"barge-in: reply {reply} stopped")
        if reply in self._drafted:
            self.drafts_dropped += 1
            return self._line(at, "draft", f"draft dropped ({reply}): {reason}")
        return self._line(at, "agent", f"reply dropped ({reply}): {reason}")

    def _sounded(self, at: float, reply: int) -> Line:
        turn = self._turns.get(reply)
        if turn is None or turn not in self._final_at:
            return self._line(at, "agent", f"first sound ({reply})")
        latency_s = at - self._final_at[turn]
        self.latencies_s.append(latency_s)
        after = f"{latency_s * 1000:.0f} ms after EndOfTurn"
        return self._line(at, "agent", f"first sound ({reply}), {after}")

    def _line(self, at: float, who: str, what: str, words: str = "") -> Line:
        line = Line(at, who, what, words)
        self.lines.append(line)
        return line


def _short(words: str) -> str:
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 3]}..."
