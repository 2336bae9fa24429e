"""Where turns begin and end: Flux's machine as its server runs it. Pure.

One call a frame of received audio, and at most one report from it. The rules are those of
developers.deepgram.com/docs/flux/state: a report of what happened, or else an update every third
frame of the turn. Time is counted in frames, so it stands still while no audio comes.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from turnkit.engine.confidence import Confidence, in_pause
from turnkit.sources.flux_query import ListenParameters

FRAME_S = 0.08  # Flux's own step: every audio_window_end it sends is a multiple
_UPDATE_FRAMES = 3
_NEVER_BY_MODEL = 1.0

TurnEvent: TypeAlias = Literal[
    "Update", "StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EndOfTurn"
]
Trigger: TypeAlias = Literal["model", "timeout", "manual"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What is known at the end of a frame."""

    transcript: str
    """The words of the open turn so far; outside a turn, what should open one."""
    silence_s: float
    """How long nobody has spoken; 0 while somebody does."""
    settled: bool
    """Whether the transcript stays as it is until somebody speaks."""
    over: float | None = None
    """How likely this pause is the turn's end; None: as likely as an average one."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the client has to be told; windows are counted in frames."""

    event: TurnEvent
    turn: int
    window_start: int
    window_end: int
    transcript: str
    confidence: float
    trigger: Trigger | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """No turn is open."""


@dataclass(frozen=True, slots=True)
class TurnOngoing:
    """A turn is open."""


@dataclass(frozen=True, slots=True)
class AwaitingEnd:
    """A turn is open, and its end was announced with this transcript."""

    transcript: str


State: TypeAlias = Quiet | TurnOngoing | AwaitingEnd
Step: TypeAlias = tuple[State, TurnEvent, Trigger | None]


class Endpointer:
    """Follows the turns of one stream.

    `parameters` may be replaced at any time; what they say holds from the next frame on.
    """

    def __init__(self, parameters: ListenParameters) -> None:
        self.parameters = parameters
        self.state: State = Quiet()
        self._turn = 0
        self._frames = 0
        self._first_frame = 0
        self._confidence = Confidence()
        self._transcript = ""
        self._reported = ""

    @property
    def confidence(self) -> float:
        """How likely it was at the last frame that the turn is over."""
        return self._confidence.value

    def hear(self, heard: Heard) -> Report | None:
        """Take in one frame; return what to tell the client, if anything."""
        self._frames += 1
        self._transcript = heard.transcript
        self._weigh(heard)
        step = self._step(heard)
        if step is not None:
            return self._take(step)
        if (self._frames - self._first_frame) % _UPDATE_FRAMES == 0:
            return self._report("Update")
        return None

    def force_end(self) -> Report | None:
        """End the open turn on the text it has; return None if there is none to end."""
        match self.state:
            case Quiet():
                return None
            case TurnOngoing() | AwaitingEnd():
                return self._take((Quiet(), "EndOfTurn", "manual"))
            case _:
                assert_never(self.state)

    def close(self, transcript: str) -> Report | None:
        """Tell the last words of an open turn, if they are news; the turn does not end."""
        match self.state:
            case Quiet():
                return None
            case TurnOngoing() | AwaitingEnd():
                self._transcript = transcript
                return None if transcript == self._reported else self._report("Update")
            case _:
                assert_never(self.state)

    def _weigh(self, heard: Heard) -> None:
        match self.state:
            case Quiet():
                self._confidence.between_turns(FRAME_S)
            case TurnOngoing() | AwaitingEnd():
                self._confidence.in_turn(_over(heard), FRAME_S)
            case _:
                assert_never(self.state)

    def _step(self, heard: Heard) -> Step | None:
        match self.state:
            case Quiet():
                return (TurnOngoing(), "StartOfTurn", None) if heard.transcript else None
            case TurnOngoing():
                return self._from_ongoing(heard)
            case AwaitingEnd(transcript):
                # What was announced ends as announced or is taken back first, so that an
                # EndOfTurn always has the words of its EagerEndOfTurn.
                if heard.transcript != transcript or not heard.silence_s:
                    return TurnOngoing(), "TurnResumed", None
                return self._ending(heard)
            case _:
                assert_never(self.state)

    def _from_ongoing(self, heard: Heard) -> Step | None:
        if ending := self._ending(heard):
            return ending
        eager = self.parameters.eager_eot_threshold
        if eager is None or not heard.settled or self._confidence.value < eager:
            return None
        return AwaitingEnd(heard.transcript), "EagerEndOfTurn", None

    def _ending(self, heard: Heard) -> Step | None:
        threshold = self.parameters.eot_threshold
        if not heard.settled:
            return None
        if self._confidence.value >= threshold and threshold < _NEVER_BY_MODEL:
            return Quiet(), "EndOfTurn", "model"
        if heard.silence_s * 1000 >= self.parameters.eot_timeout_ms:
            return Quiet(), "EndOfTurn", "timeout"
        return None

    def _take(self, step: Step) -> Report:
        self.state, event, trigger = step
        report = self._report(event, trigger)
        if event == "EndOfTurn":
            self._turn += 1
            self._first_frame = self._frames
            self._transcript = self._reported = ""
        return report

    def _report(self, event: TurnEvent, trigger: Trigger | None = None) -> Report:
        self._reported = self._transcript
        return Report(
            event=event,
            turn=self._turn,
            window_start=self._first_frame,
            window_end=self._frames,
            transcript=self._transcript,
            confidence=self._confidence.value,
            trigger=trigger,
        )


def _over(heard: Heard) -> float | None:
    if not heard.silence_s:
        return None
    return in_pause(heard.silence_s) if heard.over is None else heard.over
