"""Whether a connection that says nothing is alive: judged by how it spoke before. Pure.

Flux sends four messages a second, words or none; Deepgram's older models may be silent while nobody
speaks. A service that was seen to speak steadily into silence is suspected when it stops, and given
up soon; of another that can be said only while somebody speaks.
"""

from dataclasses import dataclass

STEADY_S = 0.6
"""The longest gap between messages of a service that speaks steadily."""
SUSPECT_S = 1.2
"""Such a service that says nothing for so long is not waited for any more: it is as good as lost.
Flux was seen to hold messages back for 0.73 s."""
MUTE_S = 8.0
"""How much of what our ears take for speech a connection may leave without a message that has not
yet told any words. Noise may be speech to our ears and nothing to the service."""

_STEADY_MESSAGES = 4


@dataclass(slots=True)
class Pulse:
    """Follows one connection.

    `steady` may be known from an earlier one; `silent_s` is how long one may say nothing that
    should be speaking.
    """

    listened_at: float
    silent_s: float
    steady: bool = False
    _worded: bool = False
    _regular: int = 0
    _awaited_s: float = 0.0

    def hear(self, now: float, *, idle: bool, words: bool) -> None:
        """Take in that a message came: while nobody spoke, or not, and with words, or without."""
        regular = idle and now - self.listened_at <= STEADY_S
        self._regular = self._regular + 1 if regular else 0
        self.steady = self.steady or self._regular >= _STEADY_MESSAGES
        self._worded = self._worded or words
        self.listened_at, self._awaited_s = now, 0.0

    def wait(self, seconds: float, *, idle: bool) -> None:
        """Take in that so much time has passed."""
        self._awaited_s += 0.0 if idle else seconds

    def suspect(self, now: float) -> bool:
        """Whether it seems to have stopped."""
        return self.steady and now - self.listened_at > SUSPECT_S

    def dead(self, now: float) -> bool:
        """Whether it has said nothing for too long."""
        if self.steady and now - self.listened_at >= self.silent_s:
            return True
        return self._awaited_s >= (self.silent_s if self._worded else MUTE_S)
