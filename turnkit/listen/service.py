"""The seam between a stream and who answers it: the engine, a script or a recording."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.flux_wire import ClientMessage, Connected, FluxError, ServerMessage


class Service(Protocol):
    """Answers one stream. Time is the audio received; it works off the event loop."""

    def connected(self) -> Connected:
        """Return the message that comes before all others."""

    def feed(self, audio: bytes) -> list[ServerMessage]:
        """Take in the next audio, of any length; return what to tell the client, in order."""

    def handle(self, message: ClientMessage) -> list[ServerMessage]:
        """Carry out what the client asks for; return what to tell it."""

    def fail(self, code: str, description: str) -> FluxError:
        """Return the last message of a stream that cannot go on."""

    def close(self) -> None:
        """Give back what it holds: the stream is over."""


OpenService: TypeAlias = Callable[[ListenParameters, str], Service]
"""Opens a service for a stream; the string is its `request_id`."""
