"""What clients of a Flux-compatible server asked for, sent and were told: for tests."""

from dataclasses import dataclass, field
from threading import Event

from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import ClientMessage, ServerMessage, TurnInfo

AUDIO_LIMIT_BYTES = 32 << 20
"""How much audio of a visit is kept: a quarter of an hour of 16 kHz linear16."""

MESSAGES_LIMIT = 100_000
"""How many messages of a visit are kept, either way: over six hours."""


@dataclass(slots=True)
class Visit:
    """One connection that was accepted."""

    parameters: ListenParameters
    """What it asked for."""
    audio: bytearray = field(default_factory=bytearray)
    """What it sent of audio, as it was sent; beyond a quarter of an hour only counted."""
    audio_bytes: int = 0
    """How much audio it sent."""
    orders: list[ClientMessage] = field(default_factory=list)
    """What else it sent."""
    told: list[ServerMessage] = field(default_factory=list)
    """What it was told, in order."""
    ended: str | None = None
    """Why it ended; None while it has not."""
    over: Event = field(default_factory=Event)
    """Set once it has ended, for tests that run on another thread: `visit.over.wait(5)`."""

    @property
    def events(self) -> list[tuple[str, str]]:
        """The turn events it was told, updates aside, each with its transcript."""
        infos = (message for message in self.told if isinstance(message, TurnInfo))
        return [(info.event, info.transcript) for info in infos if info.event != "Update"]

    def heard(self, audio: bytes) -> None:
        """Keep audio."""
        self.audio_bytes += len(audio)
        self.audio += audio[: max(0, AUDIO_LIMIT_BYTES - len(self.audio))]

    def ordered(self, order: ClientMessage) -> None:
        """Keep an order."""
        if len(self.orders) < MESSAGES_LIMIT:
            self.orders.append(order)

    def answered(self, message: ServerMessage) -> None:
        """Keep what was said."""
        if len(self.told) < MESSAGES_LIMIT:
            self.told.append(message)

    def end(self, reason: str) -> None:
        """Note that it is over."""
        self.ended = reason
        self.over.set()
