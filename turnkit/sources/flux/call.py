"""What of a call outlives its connections: its audio, its turns, and what is to be done."""

from collections import Counter
from collections.abc import Callable

import structlog

from turnkit import clock
from turnkit.audio.frames import AudioFormat
from turnkit.bell import Bell
from turnkit.errors import SourceError, SourceRefused
from turnkit.sources.base import Report
from turnkit.sources.feed import CHUNK_S
from turnkit.sources.flux.contract import BREACHES
from turnkit.sources.flux.ear import Ear
from turnkit.sources.flux.endings import Endings
from turnkit.sources.flux.line import Oddities
from turnkit.sources.flux.orders import Orders
from turnkit.sources.flux.route import Lost
from turnkit.sources.flux.turns import Turns
from turnkit.sources.flux_query import ListenParameters
from turnkit.sources.link.ring import Ring
from turnkit.turn.events import UserEvent

log = structlog.get_logger(__name__)


class Call:
    """One call. Whoever changes something the others may wait for calls `wake`."""

    def __init__(self, parameters: ListenParameters) -> None:
        audio = AudioFormat(parameters.sample_rate_hz, parameters.encoding)
        self.ring = Ring(audio, CHUNK_S)
        self._ear = Ear(audio)
        self._eared = 0  # the place up to which it has heard
        self.turns = Turns()
        self.orders = Orders(parameters)
        self.endings = Endings()
        self.oddities = Oddities()
        self.breaches: Counter[str] = Counter()
        self._unparsable = False  # whether a server did not understand us, for no reason known
        self.sent = 0
        """The place up to which audio was sent, on whichever connection."""
        self.unsent_bytes = 0
        """How much audio had to go before it could be sent."""
        self._sample_bytes = audio.sample_bytes
        self._report: Report = _unheard
        self.forward: Callable[[], None] | None = None
        """Sees to audio the moment it is heard; without it, those who wait are woken for it."""
        self.news = Bell()
        """Rings when something changes."""

    def report_to(self, report: Report) -> None:
        """Say who is to hear of the turns."""
        self._report = report

    def tell(self, events: list[UserEvent]) -> None:
        """Report what happened to the turns, and forget the audio nobody needs any more."""
        for event in events:
            self._report(event)
        self.ring.forget_before(min(self.sent, self.ring.place(self.turns.keep_from_s)))

    def hear(self, audio: bytes) -> None:
        """Take in the next chunk of the user's audio."""
        self.ring.append(audio, clock.now())
        if self.ring.start > self.sent:
            self.unsent_bytes += (self.ring.start - self.sent) * self._sample_bytes
            self.sent = self.ring.start
        if self.forward is not None:
            self.forward()
        else:
            self.wake()

    def listen(self) -> Ear:
        """Return what local ears have heard, of all the audio that is kept."""
        while (piece := self.ring.read(self._eared)) is not None:
            self._ear.hear(piece.audio, self.ring.seconds(piece.end))
            self._eared = piece.end
        return self._ear

    def breach(self, kind: str) -> None:
        """Count a broken promise of the server's; log each kind once."""
        if kind not in self.breaches:
            log.warning("flux.breach", kind=kind, what=BREACHES[kind])
        self.breaches[kind] += 1

    def understood(self, error: SourceError, *, explained: bool) -> SourceError:
        """Make an end of it where a server twice did not understand us, and nobody knows why."""
        if not (isinstance(error, Lost) and error.unparsable) or explained:
            return error
        again, self._unparsable = self._unparsable, True
        return SourceRefused(str(error)) if again else error

    def wake(self) -> None:
        """Let those who wait look again."""
        self.news.ring()


def _unheard(event: object) -> None:
    raise AssertionError(f"nobody runs this source, which says {type(event).__name__}")
