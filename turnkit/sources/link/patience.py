"""How long a Flux client waits for what, and how stubborn it is."""

from dataclasses import dataclass, field

from turnkit.sources.link.retries import RetryPolicy


@dataclass(frozen=True, slots=True)
class Patience:
    """Everything about time that is not Flux's own."""

    open_s: float = 3.0
    connected_s: float = 3.0
    """For the first message, which comes at once or not at all."""
    greeting_s: float = 0.5
    """For the first message of a server that may not send one."""
    silent_s: float = 3.0
    """For any message. Flux sends four per second of audio, and audio never pauses; the longest
    gap in recorded traffic is 0.73 s. A connection this quiet is dead."""
    behind_s: float = 1.5
    """How far what is said may lag behind what is heard, `silent_s` on end. Once."""
    drain_s: float = 5.0
    """For the close after CloseStream."""
    close_s: float = 1.0
    configure_s: float = 10.0
    """For the answer to a Configure."""
    catch_up: float = 1.25
    """How fast audio that had to wait is sent, in multiples of real time."""
    replay_s: float = 10.0
    """How much of a turn is sent again at most; of what is older, the words known are kept."""
    barge_in_s: float = 0.3
    """How long somebody has to speak during an outage to start a turn."""
    retries: RetryPolicy = field(default_factory=RetryPolicy)
