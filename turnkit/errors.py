"""What can go wrong, and whose fault it is.

::

    TurnkitError
    |- ConfigError          the settings are wrong; raised before anything starts
    |- SourceError          the turn source failed
    |  |- SourceRefused     it said no (credentials, parameters): do not retry
    |  `- SourceLost        it went away: retry with backoff
    |- SynthesisError       text could not be turned into audio
    |- ModelError           a model gave no usable answer; says whose fault it was
    |- WireError            a peer sent nonsense; carries the close code to answer with
    `- TransportClosed      the peer left; the ordinary end of a conversation
"""

from typing import Literal, TypeAlias


class TurnkitError(Exception):
    """The root of everything turnkit raises on purpose."""


class ConfigError(TurnkitError):
    """The settings are wrong. The message says which value, and what was expected."""


class SourceError(TurnkitError):
    """The turn source failed."""


class SourceRefused(SourceError):
    """The turn source said no: a retry with the same request cannot help."""


class SourceLost(SourceError):
    """The turn source went away: a retry may help."""


class SynthesisError(TurnkitError):
    """Text could not be turned into audio."""


Fault: TypeAlias = Literal["refused", "busy", "lost", "slow", "nonsense"]


class ModelError(TurnkitError):
    """A model gave no usable answer.

    `fault` says whose fault it was, and so what can help: "refused" is ours (credentials, quota,
    the request itself), and no retry helps; "busy" asks us to come back later, after
    `retry_after_s` if it says so; "lost" is the network's or the server's; "slow" is a model that
    fell silent; "nonsense" is an answer that cannot be used, an empty one for example.
    """

    def __init__(
        self, message: str, fault: Fault = "lost", *, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.fault: Fault = fault
        self.retry_after_s = retry_after_s


class WireError(TurnkitError):
    """A peer sent something its protocol does not allow.

    `close_code` is the WebSocket close code to answer with (RFC 6455, section 7.4.1).
    """

    def __init__(self, message: str, close_code: int = 1007) -> None:
        super().__init__(message)
        self.close_code = close_code


class TransportClosed(TurnkitError):
    """The peer left: the ordinary end of a conversation."""
