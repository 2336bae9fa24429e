"""Puts together what the providers and the callers wrote down: every turn, and what it took. Pure.

The ideal of a turn is what remains when everything between the parties is free: its audio is there
when the model and the voice have taken the time they took, and never before the turn is final.

    ideal    = max(EndOfTurn sent, trigger sent + model + voice)
    overhead = first audio at the caller - ideal

where the trigger is EagerEndOfTurn if it came and else EndOfTurn, the model's time is from its
receipt of the request to its sending the first sentence's last token, and the voice's from its
receipt of the sentence to its first byte: as measured in that very turn.
"""

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import inf

from benchmarks.load import codes
from benchmarks.load.codes import LAST_PART, STALE, Code
from benchmarks.load.frames import overlaps
from benchmarks.load.plan import Plan
from benchmarks.load.records import Event, Heard

_FINAL = ("brisk", "slow")
_ANSWER_S = 1.0
"""A call that ends so soon after its last turn was not owed an answer."""


@dataclass(slots=True)
class Turn:
    """What happened in a turn, and when; None for what did not."""

    call: int
    turn: int
    case: str
    caller: int | None = None
    started_at: float | None = None
    trigger_at: float | None = None
    ended_at: float | None = None
    asked_at: float | None = None
    sentence_at: float | None = None
    text_at: float | None = None
    sound_at: float | None = None
    heard_at: float | None = None
    fresh_model: bool = False
    """Whether the request came on a connection that was opened after the trigger, for it."""
    fresh_voice: bool = False
    unfinished: bool = False
    """Whether the call was over before there was time for an answer."""
    stale: list[float] = field(default_factory=list)
    """When audio came that nobody should have heard: too early, too late, or of other words."""
    clear_at: float | None = None
    """When the order came to drop what was left of the last reply."""
    silent_at: float | None = None
    """Until when the last reply was heard at the latest."""
    resumed_at: float | None = None
    stale_cut_at: float | None = None
    """When the model was told that nobody wants its answer to words that were not final."""
    model_cut_at: float | None = None
    voice_cut_at: float | None = None
    interrupts: bool = False
    """Whether the last reply was playing when this turn started."""
    cuts_model: bool = False
    """Whether the model was still busy with it."""
    cuts_voice: bool = False

    @property
    def answered(self) -> bool:
        """Whether the reply was heard, and all stations on the way are known."""
        stations = (self.asked_at, self.sentence_at, self.text_at, self.sound_at, self.heard_at)
        return self.ended_at is not None and None not in stations

    def stages(self) -> dict[str, float]:
        """Return what the stages of an answered turn took, and the overhead, in milliseconds."""
        assert self.trigger_at is not None
        assert self.ended_at is not None
        assert self.asked_at is not None
        assert self.sentence_at is not None
        assert self.text_at is not None
        assert self.sound_at is not None
        assert self.heard_at is not None
        prepared = self.trigger_at + self.sentence_at - self.asked_at + self.sound_at - self.text_at
        seconds = {
            "request": self.asked_at - self.trigger_at,
            "synthesis": self.text_at - self.sentence_at,
            "delivery": self.heard_at - max(self.sound_at, self.ended_at),
            "overhead": self.heard_at - max(self.ended_at, prepared),
            "response": self.heard_at - self.ended_at,
        }
        return {name: value * 1000 for name, value in seconds.items()}

    def cuts(self) -> dict[str, float]:
        """Return how long after news of the user what was under way was over, in milliseconds."""
        if self.resumed_at is not None and self.stale_cut_at is not None:
            return {"resume_cancelled": (self.stale_cut_at - self.resumed_at) * 1000}
        if self.started_at is None or not self.interrupts:
            return {}
        found = {"clear": self.clear_at, "silence": self.silent_at}
        if self.cuts_model:
            found["model_cancelled"] = self.model_cut_at
        if self.cuts_voice:
            found["voice_cancelled"] = self.voice_cut_at
        start = self.started_at
        return {name: (at - start) * 1000 for name, at in found.items() if at is not None}


def turns_of(events: Iterable[Event], calls: Iterable[Heard], plan: Plan) -> list[Turn]:
    """Return every turn that the Flux began, by call and number.

    Args:
        events: of the providers, in order.
        calls: of the callers.
        plan: what the Flux played.
    """
    book = _Book(plan)
    for event in events:
        book.enter(event)
    for heard in calls:
        book.listen(heard)
    return book.close()


def disturbed(turn: Turn, stalls: Sequence[tuple[float, float]]) -> bool:
    """Tell whether the load stood still at some time from the turn's start to its answer.

    Args:
        turn: which.
        stalls: in order, from when to when each lasted.
    """
    if turn.started_at is None:
        return True
    return overlaps(stalls, turn.started_at, turn.heard_at or turn.ended_at or turn.started_at)


class _Book:
    """All turns as far as they are known."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._orders: dict[int, list[str]] = {}
        self._turns: dict[tuple[int, int], Turn] = {}
        self._opened: dict[tuple[str, int], float] = {}
        self._gone: dict[int, float] = {}
        self._busy: dict[tuple[str, int], set[int]] = defaultdict(set)
        self._heard: dict[int, Heard] = {}

    def enter(self, event: Event) -> None:
        """Take in an event of a provider's."""
        service, _, what = event.kind.partition(".")
        if what == "open":
            self._opened[service, event.link] = event.at
        if event.kind == "flux.gone":
            self._gone[event.link] = event.at
        if not 0 <= event.turn < self._plan.turns:
            return
        turn = self._turn(event.call, event.turn)
        match service:
            case "flux":
                self._enter_flux(turn, event)
            case "model":
                self._enter_model(turn, event, what)
            case "voice":
                self._enter_voice(turn, event, what)

    def _turn(self, call: int, number: int) -> Turn:
        if call not in self._orders:
            self._orders[call] = self._plan.order(call)
        new = Turn(call, number, self._orders[call][number])
        return self._turns.setdefault((call, number), new)

    def _fresh(self, turn: Turn, service: str, link: int) -> bool:
        """Tell whether a connection was opened for this turn, and not ahead of it."""
        if turn.trigger_at is None:
            return False
        return self._opened.get((service, link), turn.trigger_at) > turn.trigger_at

    def _enter_flux(self, turn: Turn, event: Event) -> None:
        match event.note:
            case "StartOfTurn":
                turn.started_at = event.at
                last = turn.call, turn.turn - 1
                turn.cuts_model = bool(self._busy["model", turn.call])
                turn.cuts_voice = last in self._turns and bool(self._busy["voice", turn.call])
            case "EagerEndOfTurn":
                turn.trigger_at = event.at
            case "TurnResumed":
                turn.trigger_at, turn.resumed_at = None, event.at
            case "EndOfTurn":
                turn.ended_at = event.at
                turn.trigger_at = turn.trigger_at or event.at

    def _enter_model(self, turn: Turn, event: Event, what: str) -> None:
        busy = self._busy["model", turn.call]
        match what:
            case "asked":
                busy.add(event.link)
                if event.note in _FINAL:
                    turn.asked_at, turn.sentence_at = event.at, None
                    turn.fresh_model = self._fresh(turn, "model", event.link)
            case "sentence":
                if turn.asked_at is not None and turn.text_at is None:
                    turn.sentence_at = turn.sentence_at or event.at
            case "cut" | "done":
                busy.discard(event.link)
                if what == "cut" and turn.resumed_at is not None and turn.stale_cut_at is None:
                    turn.stale_cut_at = event.at
                elif what == "cut":
                    self._cut(turn, "model_cut_at", event.at)

    def _enter_voice(self, turn: Turn, event: Event, what: str) -> None:
        busy = self._busy["voice", turn.call]
        match what:
            case "text":
                busy.add(event.link)
                if event.note == "0" and turn.text_at is None:
                    turn.text_at = event.at
                    turn.fresh_voice = self._fresh(turn, "voice", event.link)
            case "sound":
                if event.note == "0" and turn.text_at is not None:
                    turn.sound_at = turn.sound_at or event.at
            case "idle":
                busy.discard(event.link)
            case "clear" | "gone":
                busy.discard(event.link)
                if event.note == "busy":
                    self._cut(turn, "voice_cut_at", event.at)

    def _cut(self, turn: Turn, what: str, at: float) -> None:
        """Credit the turn that is open with the end of the last one's work."""
        after = self._turns.get((turn.call, turn.turn + 1))
        if after is not None and getattr(after, what) is None:
            setattr(after, what, at)

    def listen(self, heard: Heard) -> None:
        """Take in what a caller heard."""
        for at, key in zip(heard.at, heard.keys, strict=True):
            code = codes.decode(key, heard.encoding)
            turn = None if code is None else self._turns.get((code.call, code.turn))
            if code is None or turn is None:
                continue
            if self._heard.setdefault(code.call, heard) is not heard:
                turn.stale.append(at)  # somebody else's call
                continue
            turn.caller = heard.caller
            self._judge(turn, code, at)

    def _judge(self, turn: Turn, code: Code, at: float) -> None:
        if turn.ended_at is None and at > self._gone.get(turn.call % codes.MAX_CALLS, inf):
            return  # who speaks after Flux is lost in a turn has ended it by other means
        early = turn.ended_at is None or at < turn.ended_at
        if code.part == STALE or early:
            turn.stale.append(at)
        elif code.part <= LAST_PART and turn.heard_at is None:
            turn.heard_at = at

    def close(self) -> list[Turn]:
        """Work out the barge-ins, and return all turns."""
        turns = [self._turns[place] for place in sorted(self._turns)]
        for turn in turns:
            gone_at = self._gone.get(turn.call % codes.MAX_CALLS, inf)
            turn.unfinished = turn.ended_at is None or gone_at < turn.ended_at + _ANSWER_S
        for last, turn in itertools.pairwise(turns):
            if last.call == turn.call and turn.started_at and turn.call in self._heard:
                _interrupt(last, turn, self._heard[turn.call])
        return turns


def _interrupt(last: Turn, turn: Turn, heard: Heard) -> None:
    """Find out how the last reply ended, if it was playing when this turn started."""
    assert turn.started_at is not None
    start, end = turn.started_at, turn.ended_at or turn.started_at + 1.0
    mine = [
        (at, seconds)
        for at, seconds, key in _between(heard, start - 10.0, end)
        if (code := codes.decode(key, heard.encoding))
        and (code.call, code.turn) == (last.call, last.turn)
    ]
    silent_at = 0.0
    for at, seconds in mine:
        if at <= start:
            silent_at = max(silent_at, at) + seconds
    clear = next((c for c in heard.clears if start <= c.at <= end), None)
    turn.interrupts = silent_at > start + 0.05 or last.case == "barge"
    if clear is None:
        return
    turn.clear_at = clear.at
    late = [at + seconds for at, seconds in mine if at > clear.at]
    turn.silent_at = max(late, default=clear.at)
    turn.stale += [at for at, _ in mine if at > clear.at]


def _between(heard: Heard, start: float, end: float) -> Iterable[tuple[float, float, bytes]]:
    first, last = bisect_left(heard.at, start), bisect_left(heard.at, end)
    return zip(heard.at[first:last], heard.seconds[first:last], heard.keys[first:last], strict=True)
