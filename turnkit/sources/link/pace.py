"""How fast audio that had to wait may follow: faster than it came, but not much. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Makes up for lost time at `rate` times the speed at which the audio itself came.

    Deepgram's only published limit is about 1.25 times real time. Audio that came all at once goes
    all at once: whoever feeds a file faster than real time knows what he does. Once everything has
    been made up for, nothing is due later than it is heard.
    """

    began_at: float
    """When the first piece may go."""
    first_heard_at: float
    rate: float

    def due(self, heard_at: float) -> float:
        """Return when a piece heard at that instant may go."""
        return self.began_at + (heard_at - self.first_heard_at) / self.rate
