"""Who decides about the turns of a call: our ears, or the service, should it tell turns itself.

A service that sends Flux's TurnInfo knows better. From its first one on, its turns are told, as a
Flux client tells them; a turn that our ears began is handed over. Pure.
"""

from typing import assert_never

from turnkit.sources.aigateway.join import MANUAL, Announced, Join, Open, Quiet
from turnkit.sources.aigateway.results_wire import Failed, Message, Other, Results, UtteranceEnd
from turnkit.sources.flux import turns as flux
from turnkit.sources.flux_wire import TurnInfo, to_event
from turnkit.turn.events import UserEvent

WATCHDOG = "watchdog"
"""The trigger of an end that the service never sent."""

_GRACE_S = 1.0
"""How long after its time an end of the service's may come."""


class Story:
    """One call's turns, whoever tells them; each method returns what to report.

    `timeout_s`, which may be changed, is how long after the end of speech the service should have
    ended a turn by itself.
    """

    def __init__(self, join: Join, timeout_s: float) -> None:
        self.join = join
        self.turns = flux.Turns()
        self.timeout_s = timeout_s
        self.remote = False
        """Whether the service tells turns."""
        self._speaking = False
        self._silent_from_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a turn is open."""
        return self.turns.is_open if self.remote else self.join.is_open

    def keep_from_s(self, sent_s: float) -> float:
        """Return from where on audio would be needed again, `sent_s` of it having been sent."""
        return self.turns.keep_from_s if self.remote else self.join.keep_from_s(sent_s)

    @property
    def expects_words(self) -> bool:
        """Whether somebody speaks, so that a service that lives would be saying something."""
        return self.is_open or self.join.expects_words

    def resume_at_s(self, oldest_s: float, sent_s: float) -> float:
        """Return from where to send audio again, if it is not to be older than `oldest_s`."""
        if self.remote:
            return self.turns.resume_at_s(oldest_s)
        return max(oldest_s, self.join.keep_from_s(sent_s))

    def connected(self, base_s: float) -> None:
        """Begin to listen to a new connection, which gets the audio from `base_s` on."""
        self.turns.connected(base_s)
        self.join.connected(base_s)

    def disconnected(self) -> None:
        """Take note that nobody listens for now."""
        self.join.disconnected()

    def local(self, info: TurnInfo) -> list[UserEvent]:
        """Take in what our ears say of a turn."""
        if info.event == "EndOfTurn":
            self._speaking, self._silent_from_s = False, info.audio_window_end
        elif info.event != "Update":
            self._speaking = True
        return [] if self.remote else _events(self.join.local(info))

    def hear(self, at_s: float, sent_s: float) -> list[UserEvent]:
        """Let time pass: so much audio was heard, and so much of it the service has got."""
        if not self.remote:
            return _events(self.join.hear(at_s, sent_s))
        return self.turns.end(WATCHDOG) if self._is_overdue(at_s) else []

    def take(self, message: Message, sent_s: float) -> list[UserEvent]:
        """Take in what the service says, having been sent the audio up to `sent_s`."""
        match message:
            case TurnInfo():
                self._hand_over(sent_s)
                return self.turns.take(message, sent_s)
            case Results():
                return [] if self.remote else _events(self.join.take(message, sent_s))
            case UtteranceEnd():
                return [] if self.remote else _events(self.join.paused())
            case Failed() | Other():
                return []
            case _:
                assert_never(message)

    def end(self) -> list[UserEvent]:
        """End the open turn because somebody asked for it."""
        return self.turns.end(MANUAL) if self.remote else _events(self.join.end())

    def close(self) -> list[UserEvent]:
        """Take note that no more will come."""
        return [] if self.remote else _events(self.join.close())

    def _hand_over(self, at_s: float) -> None:
        if self.remote:
            return
        self.remote = True
        match self.join.state:
            case Quiet(turn):
                self.turns.state = flux.Between(turn)
            case Open(turn):
                self.turns.state = flux.Between(turn)
                self.turns.begin(at_s)  # it was reported when our ears began it
            case Announced(turn, transcript):
                self.turns.state = flux.Announced(turn, transcript)
            case _:
                assert_never(self.join.state)

    def _is_overdue(self, at_s: float) -> bool:
        if not self.turns.is_open:
            return False
        if self.turns.unconfirmed_s >= _GRACE_S:
            return True  # only we heard it begin
        since_s = max(self._silent_from_s, self.turns.progress_s)
        return not self._speaking and at_s - since_s >= self.timeout_s + _GRACE_S


def _events(told: list[TurnInfo]) -> list[UserEvent]:
    return [to_event(info) for info in told]
