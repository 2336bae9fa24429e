"""What of a call outlives its connections: its audio, its turns, and who is told of them."""

from collections import Counter

import anyio
import structlog

from turnkit.audio.frames import AudioFormat
from turnkit.sources.aigateway.story import Story
from turnkit.sources.aigateway.stretches import LATE
from turnkit.sources.base import Report
from turnkit.sources.feed import CHUNK_S
from turnkit.sources.link.ring import Ring
from turnkit.sources.link.supply import Supply
from turnkit.turn.events import UserEvent

log = structlog.get_logger(__name__)


class Call:
    """One call. Whoever changes something the others may wait for calls `wake`."""

    def __init__(self, audio: AudioFormat, story: Story) -> None:
        self.audio = audio
        self.ring = Ring(audio, CHUNK_S)
        self.story = story
        self.sent = 0
        """The place up to which audio was sent, on whichever connection."""
        self.supply: Supply | None = None
        """What sends it on the present connection; None without one."""
        self.steady = False
        """Whether the service was seen to speak while nobody else does."""
        self.suspect = False
        """Whether such a service has just stopped, so that nothing can be said of what it got."""
        self.unsent_bytes = 0
        """How much audio had to go before it could be sent."""
        self.odd: Counter[str] = Counter()
        """What the service said that could not be understood, by kind."""
        self.pauses = 0
        """How often our ears have heard somebody pause."""
        self._report: Report = _unheard
        self._warned: set[str] = set()
        self.news = anyio.Event()
        """Set when something changes; look at it before you look at what may change."""

    @property
    def sent_s(self) -> float:
        """How much the present connection has got."""
        return 0.0 if self.supply is None else self.ring.seconds(self.supply.position)

    @property
    def got_s(self) -> float:
        """How much audio the service has got, and is at work on as far as can be seen."""
        return 0.0 if self.suspect else self.sent_s

    def report_to(self, report: Report) -> None:
        """Say who is to hear of the turns."""
        self._report = report

    def tell(self, events: list[UserEvent]) -> None:
        """Report what happened to the turns, and forget the audio nobody needs any more."""
        for event in events:
            self._report(event)
        keep_from_s = self.story.keep_from_s(self.ring.seconds(self.sent))
        self.ring.forget_before(min(self.sent, self.ring.place(keep_from_s)))
        if self.story.join.stretches.odd[LATE]:
            self.warn_once("late words", "words came after their turn had ended and are in none")

    def hear(self, audio: bytes) -> None:
        """Take in the next chunk of the user's audio."""
        self.ring.append(audio, anyio.current_time())
        if self.ring.start > self.sent:
            self.unsent_bytes += (self.ring.start - self.sent) * self.audio.sample_bytes
            self.sent = self.ring.start
        self.wake()

    def count(self, kind: str) -> None:
        """Count an oddity; log each kind once."""
        self.odd[kind] += 1
        self.warn_once(kind, "a message of the service's was not understood")

    def warn_once(self, kind: str, what: str) -> None:
        """Log something that is counted, the first time only."""
        if kind not in self._warned:
            self._warned.add(kind)
            log.warning("aigateway.odd", kind=kind, what=what)

    def wake(self) -> None:
        """Let those who wait look again."""
        self.news.set()
        self.news = anyio.Event()


def _unheard(event: object) -> None:
    raise AssertionError(f"nobody runs this source, which says {type(event).__name__}")
