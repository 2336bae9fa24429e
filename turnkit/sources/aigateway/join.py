"""Turns from local ears, words from a service without turns, joined into Flux's events. Pure.

The embedded engine hears when somebody speaks, pauses and is done, within 0.2 s and without words.
The service finds the words, later, in pieces, and corrects them. What comes out keeps Flux's rules:
an announced end has words and stands until a TurnResumed takes it back, so an EndOfTurn has the
transcript of the EagerEndOfTurn that stands; every turn starts once and ends once. One rule of
Flux's cannot be kept: a turn that our ears began, and in which the service finds no word, ends with
an empty transcript. It is noise, and no reason to answer.

An end waits for its words: until a final result speaks of the audio up to the pause, or a result
that is not final does and has not changed for a while, or for `wait_s` at most once the service has
got the audio. If the user goes on meanwhile, that is the next turn, told after it: how many turns
there are does not depend on the network. Words that come after the end begin the next turn. Seconds
are seconds of the call's audio, which is the only clock.
"""

from collections import deque
from dataclasses import dataclass, replace
from itertools import count
from math import inf
from typing import Literal, TypeAlias, assert_never

from turnkit.engine.transcript import UNHEARD
from turnkit.sources.aigateway.results_wire import Results
from turnkit.sources.aigateway.stretches import Spoken, Stretches, Text, shifted
from turnkit.sources.flux_wire import TurnInfo, Word

Start: TypeAlias = Literal["speech", "words"]
"""What begins a turn: speech heard here, or the service's first word."""

MANUAL = "manual"
SILENCE = "silence"
"""The trigger of a turn that the local ears did not hear and the service found words in."""
LIMIT = "limit"
"""The trigger of a turn with more words than a turn may have."""

MAX_WORDS = 4000
"""After so many, half an hour of speech, a turn is ended, and goes on as another."""

_UPDATE_S = 0.24  # Flux's: three of its frames
_SETTLED_S = 0.4
"""For how long words that are not final have to stay the same to end a turn with them. Local ears
take 0.5 s of silence or more for an end, so mostly they have by then."""
_SLACK_S = 0.25
"""The local ears' stretch of speech ends 0.2 to 0.3 s after the last sound in it."""
_PAUSED_SLACK_S = 0.6
"""The same where the service itself says that there is a pause; what is shorter is no word."""
_UNHEARD_S = 1.5
"""How long after the last word a turn ends that the local ears did not hear."""
_MANUAL_WAIT_S = 1.0
_MARGIN_S = 0.5  # our ears notice speech 0.3 s late at most; a recognizer has to find its feet
_MAX_ENDS = 8  # that wait for words; of more, which takes an outage, the last two are one
_TOLERANCE_S = 0.001  # times are 32-bit floats


@dataclass(frozen=True, slots=True)
class Quiet:
    """No turn is open; the next one has this number."""

    turn: int


@dataclass(frozen=True, slots=True)
class Open:
    """The user has the floor."""

    turn: int


@dataclass(frozen=True, slots=True)
class Announced:
    """The user has the floor, and the end was announced with this transcript."""

    turn: int
    transcript: str


State: TypeAlias = Quiet | Open | Announced


@dataclass(frozen=True, slots=True)
class Silent:
    """Our ears hear nobody."""


@dataclass(frozen=True, slots=True)
class Speaking:
    """Our ears hear somebody."""


@dataclass(frozen=True, slots=True)
class Paused:
    """Somebody has paused, and may be done."""


Phase: TypeAlias = Silent | Speaking | Paused


@dataclass(frozen=True, slots=True)
class Over:
    """Somebody was done here; the words before may still be on their way."""

    trigger: str
    at_s: float
    onset_s: float | None
    """Where our ears noticed the speech; None if they did not."""
    spoken_s: float
    """Where the last stretch of speech ended."""
    waiting_since_s: float | None = None
    """Since when the service has had all the audio of it."""

    def after(self, at_s: float, sent_s: float) -> "Over":
        """Return it as it is at this time, the service having got so much."""
        if sent_s < self.spoken_s - _TOLERANCE_S:
            return replace(self, waiting_since_s=None)
        return self if self.waiting_since_s is not None else replace(self, waiting_since_s=at_s)


class Join:
    """Follows one call; each method returns what to say, in order."""

    def __init__(self, *, start: Start = "speech", wait_s: float = 1.5) -> None:
        self.state: State = Quiet(0)
        self.stretches = Stretches()
        self.wordless = 0
        """In how many stretches of what our ears took for speech no word was found in time."""
        self.overdue = 0
        """How many turns ended before all results on them had come."""
        self._start = start
        self._wait_s = wait_s
        self._phase: Phase = Silent()
        self._owed = (0.0, 0.0)  # between these the words of a turn that ended without them all
        self._ends: deque[Over] = deque()  # what is over and not yet told; the first is the open
        self._sequence = count(1)
        self._at_s = 0.0
        self._base_s = 0.0
        self._onset_s: float | None = None  # where our ears noticed what they hear now
        self._spoken_s = 0.0
        self._text = ""  # of the turn at hand
        self._moved_s = 0.0  # where that last changed
        self._shown: str | None = None
        self._pause_said = False
        self._window_s = 0.0
        self._told_s = 0.0
        self._confidence = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return not isinstance(self.state, Quiet)

    @property
    def expects_words(self) -> bool:
        """Whether our ears hear, or have just heard, what the service should find words in."""
        return bool(self._ends) or not isinstance(self._phase, Silent)

    def keep_from_s(self, sent_s: float) -> float:
        """Return from where on audio would be needed again if the connection were lost.

        Of what was sent, up to `sent_s`, that is what has no final result, as far as our ears
        heard somebody in it or the service found words.
        """
        begins = [word.start_s for word in self.stretches.words if word.timed]
        onsets = [self._onset_s, *(over.onset_s for over in self._ends)]
        begins += [onset_s for onset_s in onsets if onset_s is not None]
        if self.stretches.covered_s < self._owed[1] - _SLACK_S:
            begins.append(self._owed[0])
        return max(self.stretches.resume_s, min([sent_s, *begins]) - _MARGIN_S)

    def connected(self, base_s: float) -> None:
        """Begin to listen to a new connection, which gets the audio from `base_s` on."""
        self._base_s = base_s
        self.stretches.connected(base_s)
        self.disconnected()

    def disconnected(self) -> None:
        """Take note that nobody will find words for now: an end has to wait."""
        self._ends = deque(replace(over, waiting_since_s=None) for over in self._ends)

    def local(self, info: TurnInfo) -> list[TurnInfo]:
        """Take in what our ears say of a turn; its words do not matter, only when they end."""
        self._at_s = max(self._at_s, info.audio_window_end)
        self._confidence = info.end_of_turn_confidence
        ends = [word.end for word in info.words if word.end is not None]
        self._spoken_s = max([self._spoken_s, *ends])
        match info.event:
            case "StartOfTurn" | "TurnResumed":
                self._phase, self._pause_said = Speaking(), False
                self._onset_s = self._at_s if self._onset_s is None else self._onset_s
            case "EagerEndOfTurn":
                self._phase = Paused()
            case "EndOfTurn":
                self._is_over(info.trigger or "model", self._spoken_s)
        return self._advance()

    def hear(self, at_s: float, sent_s: float) -> list[TurnInfo]:
        """Let time pass: so much audio was heard, and so much of it the service has got."""
        self._at_s = max(self._at_s, at_s)
        self._ends = deque(over.after(self._at_s, sent_s) for over in self._ends)
        told = self._advance()
        if self._at_s - self._told_s >= _UPDATE_S - _TOLERANCE_S:
            told.append(self._say("Update"))
        return told

    def take(self, result: Results, sent_s: float) -> list[TurnInfo]:
        """Take in words, from a service that was sent the audio up to `sent_s`."""
        self.stretches.take(result, self._base_s, sent_s)
        if result.is_final:
            self._pause_said = result.speech_final or result.from_finalize
        return self._advance()

    def paused(self) -> list[TurnInfo]:
        """Take note that the service has noticed a gap after the last word."""
        self._pause_said = True
        return self._advance()

    def end(self) -> list[TurnInfo]:
        """End the open turn, once the words up to now are there, or shortly after."""
        if self._ends:
            self._ends[0] = replace(self._ends[0], trigger=MANUAL)
        elif self.is_open:
            self._is_over(MANUAL, self._at_s)
        return self._advance()

    def close(self) -> list[TurnInfo]:
        """Take note that no more words will come. A turn that is not over stays open."""
        told = self._advance()
        while self._ends:
            if self.is_open:
                told.append(self._end(self._ends[0].trigger))
            else:
                self._give_up()
            told += self._advance()
        return told

    # Deciding.

    def _is_over(self, trigger: str, spoken_s: float) -> None:
        over = Over(trigger, self._at_s, self._onset_s, spoken_s)
        if len(self._ends) == _MAX_ENDS:  # two turns become one
            over = replace(over, onset_s=self._ends.pop().onset_s)
        self._ends.append(over)
        self._phase, self._onset_s = Silent(), None

    def _limit_s(self) -> float:
        """Return where the turn at hand ends, as far as is known."""
        return self._ends[0].at_s if self._ends else inf

    def _look(self) -> None:
        text = " ".join(word.word for word in self.stretches.before(self._limit_s()))
        if text != self._text:
            self._text, self._moved_s = text, self._at_s

    def _advance(self) -> list[TurnInfo]:
        told: list[TurnInfo] = []
        while True:
            self._look()
            if self._is_noise():
                self._give_up()
            elif step := self._step():
                told += step
            else:
                return told

    def _step(self) -> list[TurnInfo]:
        match self.state:
            case Quiet(turn):
                begun = self._text or (self._start == "speech" and self.expects_words)
                return [self._go(Open(turn), "StartOfTurn")] if begun else []
            case Open(turn):
                return self._from_open(turn)
            case Announced(turn, transcript):
                spoken = isinstance(self._phase, Speaking) and not self._ends
                if self._text != transcript or spoken:
                    return [self._go(Open(turn), "TurnResumed")]
                return self._ending()
            case _:
                assert_never(self.state)

    def _from_open(self, turn: int) -> list[TurnInfo]:
        if ending := self._ending():
            return ending
        paused = isinstance(self._phase, Paused) and not self._ends
        if paused and self._text and self._covered(self._spoken_s):
            return [self._go(Announced(turn, self._text), "EagerEndOfTurn")]
        return [self._say("Update")] if self._visible() != self._shown else []

    def _ending(self) -> list[TurnInfo]:
        if self._ends and self._ripe(self._ends[0]):
            return [self._end(self._ends[0].trigger)]
        if not self.expects_words and (
            self._pause_said or self._at_s - self._last_s() >= _UNHEARD_S - _TOLERANCE_S
        ):
            return [self._end(SILENCE)]
        if len(self.stretches.words) >= MAX_WORDS:
            return [self._end(LIMIT)]
        return []

    def _ripe(self, over: Over) -> bool:
        """Tell whether the words of what is over are there, or have been waited for."""
        slack_s = _PAUSED_SLACK_S if self._pause_said else _SLACK_S
        if self.stretches.final_s >= over.spoken_s - slack_s:
            return True
        settled = self._at_s - self._moved_s >= _SETTLED_S - _TOLERANCE_S
        if self._text and settled and self._covered(over.spoken_s):
            return True
        wait_s = min(self._wait_s, _MANUAL_WAIT_S) if over.trigger == MANUAL else self._wait_s
        since_s = over.waiting_since_s
        return since_s is not None and self._at_s - since_s >= wait_s - _TOLERANCE_S

    def _covered(self, spoken_s: float) -> bool:
        return self.stretches.covered_s >= spoken_s - _SLACK_S

    def _last_s(self) -> float:
        """Return where a turn that our ears did not hear last showed a sign of life."""
        return max([self._moved_s, *(word.end_s for word in self.stretches.words if word.timed)])

    def _is_noise(self) -> bool:
        """Whether our ears have heard a turn in which there is no word to begin it with."""
        idle = not self.is_open and self._start == "words" and not self._text
        return idle and bool(self._ends) and self._ripe(self._ends[0])

    def _give_up(self) -> None:
        self._settle(self._ends.popleft())
        self.wordless += 1

    def _settle(self, over: Over) -> None:
        """Keep in mind where there may be more words, should they have to be heard again."""
        covered_s = self.stretches.covered_s
        if covered_s >= over.spoken_s - _SLACK_S:
            return
        begin_s = over.onset_s if over.onset_s is not None else over.spoken_s
        earlier_s = self._owed[0] if covered_s < self._owed[1] - _SLACK_S else begin_s
        self._owed = min(begin_s, earlier_s), over.spoken_s
        self.overdue += 1

    # Saying.

    def _end(self, trigger: str) -> TurnInfo:
        self.wordless += not self._text
        info = self._go(Quiet(self.state.turn), "EndOfTurn", trigger)
        self.state = Quiet(info.turn_index + 1)
        self.stretches.cut(self._limit_s())
        if self._ends and trigger != LIMIT:
            self._settle(self._ends.popleft())
        self._window_s, self._shown = info.audio_window_end, None
        self._pause_said = False
        return info

    def _go(self, state: State, event: str, trigger: str | None = None) -> TurnInfo:
        self.state = state
        return self._say(event, trigger)

    def _visible(self) -> str:
        """Return the transcript; speech without a word yet is told as the engine tells it."""
        speech = self._start == "speech" and self.is_open
        return self._text or (UNHEARD if speech else "")

    def _say(self, event: str, trigger: str | None = None) -> TurnInfo:
        words, transcript = self.stretches.before(self._limit_s()), self._visible()
        if not words and transcript:
            words = (Spoken(transcript, self._window_s, self._at_s),)
        self._shown, self._told_s = transcript, self._at_s
        return TurnInfo(
            request_id="aigateway",
            event=event,
            turn_index=self.state.turn,
            audio_window_start=self._window_s,
            audio_window_end=self._at_s,
            transcript=transcript,
            words=_on_wire(words, self._window_s, self._at_s),
            end_of_turn_confidence=self._confidence,
            sequence_id=next(self._sequence),
            trigger=trigger,
        )


def _on_wire(words: Text, start_s: float, end_s: float) -> tuple[Word, ...]:
    """Return the words as Flux has them; late ones of the turn before are moved into this one."""
    kept = [(shifted(word, start_s, end_s), word.timed) for word in words]
    return tuple(
        Word(word.word, word.confidence, *((word.start_s, word.end_s) if timed else (None, None)))
        for word, timed in kept
    )
