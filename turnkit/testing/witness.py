"""Who was there, and can be asked: assertions about a call that read like promises.

Each raises AssertionError if it is not so, and says what happened instead: the whole timeline.
"""

from dataclasses import dataclass
from math import inf

from turnkit.history import ToolUse
from turnkit.ledger import Ledger
from turnkit.listeners.base import ReplyHeard, named
from turnkit.testing.play import Heard
from turnkit.testing.promises import breaches
from turnkit.timeline import Timeline
from turnkit.turn.commands import Answer, CloseTurn, StartReply


@dataclass(frozen=True, slots=True)
class Witness:
    """A call that was played: the sounds, the tape and the history, and the accounts of it."""

    call: Heard
    ledger: Ledger

    def answered(self, turn: int, *, times: int = 1) -> None:
        """Assert that an answer to the turn was heard to its end, so many times; 0 for never."""
        closed = [
            item.outcome
            for _, item in self.call.tape
            if isinstance(item, CloseTurn) and item.turn == turn
        ]
        sounding = {sound.reply for sound in self.call.sounds}
        answers = len(sounding.intersection(self._answers(turn)))
        if (closed.count("answered"), answers) != (times, times):
            what = " and ".join(closed) or "not closed"
            raise self._wrong(f"turn {turn} was {what}, with {answers} answers heard, not {times}")

    def ended(self, turn: int, outcome: str, reason: str | None = None) -> None:
        """Assert how the turn ended, and why if that matters."""
        record = self.ledger.turns.get(turn)
        if record is None or record.outcome != outcome or reason not in (None, record.reason):
            found = f"{record.outcome}: {record.reason!r}" if record else "unheard of"
            wanted = outcome if reason is None else f"{outcome}: {reason!r}"
            raise self._wrong(f"turn {turn} was {found}, not {wanted}")

    def heard(self, words: str) -> None:
        """Assert that the user heard these words in one reply."""
        if not any(words in said for said in self._said):
            raise self._wrong(f"{words!r} was not heard, but {self._said}")

    def not_heard(self, words: str) -> None:
        """Assert that the user heard no such words."""
        if any(words in said for said in self._said):
            raise self._wrong(f"{words!r} was heard")

    def tool(self, name: str) -> "WitnessedTool":
        """Ask about something the agent can do."""
        return WitnessedTool(self, name)

    def silent_between(self, start: float, end: float = inf) -> None:
        """Assert that the user heard nothing from one instant to another, to the microsecond."""
        for span in self.call.spans:
            if span.start < round(end, 6) and span.end > round(start, 6):
                sound = f"reply {span.reply} was heard from {span.start} to {span.end}"
                raise self._wrong(f"{sound}, not silence from {start} to {end}")

    def promises_kept(self) -> None:
        """Assert that everything turnkit promises of any call is true of this one."""
        if broken := breaches(self.call):
            raise self._wrong("\n".join(broken))

    def first_sound(self, turn: int | None = None) -> float:
        """Return when the first sound of an answer to the turn was heard, or of anything."""
        replies = None if turn is None else self._answers(turn)
        for span in self.call.spans:
            if replies is None or span.reply in replies:
                return span.start
        raise self._wrong(
            f"no answer to turn {turn} was heard" if replies is not None else "silence"
        )

    def at(self, kind: type, turn: int | None = None, *, nth: int = 0) -> float:
        """Return when an event or a command came, of that turn if one is named; `nth` from 0."""
        found = [
            at for at, item in self.call.items(kind) if turn in (None, getattr(item, "turn", None))
        ]
        if nth >= len(found):
            of_turn = "" if turn is None else f" of turn {turn}"
            raise self._wrong(f"there were {len(found)} {kind.__name__}{of_turn}")
        return found[nth]

    @property
    def timeline(self) -> str:
        """What happened, line by line."""
        timeline = Timeline()
        for at, item in self.call.tape:
            told = named(item)
            timeline.read(at, told["name"], told["fields"])
        return "\n".join(map(str, timeline.lines))

    @property
    def _said(self) -> list[str]:
        return [
            item.heard
            for _, item in self.call.tape
            if isinstance(item, ReplyHeard) and item.heard.strip()
        ]

    def _answers(self, turn: int) -> list[int]:
        return [
            item.reply
            for _, item in self.call.tape
            if isinstance(item, StartReply)
            and isinstance(item.purpose, Answer)
            and item.purpose.turn == turn
        ]

    def _wrong(self, what: str) -> AssertionError:
        return AssertionError(f"{what}\n\n{self.timeline}")


@dataclass(frozen=True, slots=True)
class WitnessedTool:
    """Something the agent can do, to be asked about."""

    witness: Witness
    name: str

    @property
    def uses(self) -> list[ToolUse]:
        """What entered history of it."""
        entries = self.witness.call.history
        return [e for e in entries if isinstance(e, ToolUse) and e.name == self.name]

    def ran(self, times: int) -> None:
        """Assert that it was done so many times for turns that were final."""
        if len(self.uses) != times:
            arguments = ", ".join(use.arguments for use in self.uses) or "never"
            what = f"{self.name} ran {len(self.uses)} times, not {times}: {arguments}"
            raise AssertionError(f"{what}\n\n{self.witness.timeline}")
