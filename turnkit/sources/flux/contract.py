"""What Flux promises about the order of its messages, watched while they come in. Pure.

Breaches change nothing here: whoever follows the turns has to cope with them. They are named, so
that they can be counted and each kind be reported once. The rules that only a whole recording can
be held against are in `turnkit.testing.flux_rules`.
"""

from typing import Final

from turnkit.sources.flux_wire import TurnInfo

BREACHES: Final = {
    "sequence repeats": "sequence_id goes back or stands still; the message is ignored",
    "sequence gap": "sequence_id jumps: a message is missing",
    "stale turn": "news of a turn that has ended; ignored",
    "turn jumps": "turn_index rises without an EndOfTurn, or by more than one",
    "no start": "a turn goes on or ends that never started",
    "second start": "StartOfTurn in an open turn",
    "nothing to resume": "TurnResumed without an EagerEndOfTurn",
    "second eager": "EagerEndOfTurn while one stands",
    "eager without words": "EagerEndOfTurn with an empty transcript; ignored",
    "changed end": "EndOfTurn with other words than its EagerEndOfTurn",
    "end without words": "EndOfTurn with an empty transcript",
    "window back": "audio_window_end goes back",
    "window beyond": "audio_window_end is beyond the audio sent",
    "no probability": "end_of_turn_confidence is not between 0 and 1",
}
"""Each kind of breach, as a sentence."""

_TOLERANCE_S = 0.001  # times are 32-bit floats


class Contract:
    """Watches one connection."""

    def __init__(self) -> None:
        self._sequence_id = 0
        self._turn = 0  # the one that is open, or comes next
        self._open = False
        self._announced: str | None = None
        self._window_end = 0.0

    def number(self, sequence_id: int | None) -> str | None:
        """Take in a message's number; return what is wrong with it.

        A server that gives all messages the number 0 does not number them.
        """
        if sequence_id is None or sequence_id == self._sequence_id == 0:
            return None
        last, self._sequence_id = self._sequence_id, max(self._sequence_id, sequence_id)
        if sequence_id <= last:
            return "sequence repeats"
        return None if sequence_id == last + 1 else "sequence gap"

    def check(self, info: TurnInfo, sent_s: float) -> list[str]:
        """Take in a turn message; return which promises it breaks.

        Args:
            info: the message.
            sent_s: how much audio was sent on this connection.
        """
        found = self._of_numbers(info, sent_s)
        if info.turn_index < self._turn:
            return [*found, "stale turn"]
        if info.turn_index > self._turn:
            found.append("turn jumps")
            self._begin(info.turn_index)
        return found + self._of_order(info)

    def _of_numbers(self, info: TurnInfo, sent_s: float) -> list[str]:
        found = []
        if info.audio_window_end < self._window_end - _TOLERANCE_S:
            found.append("window back")
        if info.audio_window_end > sent_s + _TOLERANCE_S:
            found.append("window beyond")
        if not 0 <= info.end_of_turn_confidence <= 1:
            found.append("no probability")
        self._window_end = max(self._window_end, info.audio_window_end)
        return found

    def _of_order(self, info: TurnInfo) -> list[str]:
        found: list[str] = []
        known = {"StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"}
        if info.event not in known:
            return found
        if info.event == "StartOfTurn":
            found += ["second start"] * self._open
        else:
            found += ["no start"] * (not self._open)
        self._open = True
        match info.event:
            case "EagerEndOfTurn":
                found += self._announce(info.transcript)
            case "TurnResumed":
                found += ["nothing to resume"] * (self._announced is None)
                self._announced = None
            case "EndOfTurn":
                found += self._end(info)
        return found

    def _announce(self, transcript: str) -> list[str]:
        if not transcript:
            return ["eager without words"]
        again, self._announced = self._announced is not None, transcript
        return ["second eager"] * again

    def _end(self, info: TurnInfo) -> list[str]:
        found = ["end without words"] * (not info.transcript)
        # A forced end may have later words than those announced; Flux says so itself.
        if info.trigger != "manual" and self._announced not in (None, info.transcript):
            found.append("changed end")
        self._begin(info.turn_index + 1)
        return found

    def _begin(self, turn: int) -> None:
        self._turn, self._open, self._announced = turn, False, None
