"""A recognizer whose work is done in a process of its own.

What is fed goes there at once and is not waited for; words come back as they are made out, some
20 ms later. Who falls behind is waited for a little, and then not:

- More than 0.4 s of audio unanswered: `feed` waits, for 50 ms at most. A client that sends faster
  than real time is slowed down by that; a live call is not, since its frames are 80 ms apart.
- More than 2 s: the rest of the stretch is not heard; the words so far stand. This is counted, and
  logged once for a stream.
- `finish` waits for 50 ms at most, and says None when that was too short.
- If the process dies, or its model does not load, stretches say `[speech]` until another is there.
"""

import threading
import time
from itertools import count
from typing import Protocol
from weakref import finalize

import structlog

from turnkit.audio.frames import Samples
from turnkit.recognizers.base import RATE_HZ, Keyterms, Words
from turnkit.recognizers.link import Link
from turnkit.recognizers.none import speech_mark
from turnkit.recognizers.pipe_wire import (
    Bias,
    Biased,
    Drop,
    Finish,
    Finished,
    Hear,
    Heard,
    Open,
)

log = structlog.get_logger(__name__)

PATIENCE_S = 0.05
WINDOW_SAMPLES = round(0.4 * RATE_HZ)
LIMIT_SAMPLES = 2 * RATE_HZ
HANG_S = 10.0
"""A process that owes answers and gives none for so long is ended."""


class Exchange(Protocol):
    """Who knows the processes there are."""

    def link(self) -> Link | None:
        """Return the process with the least to do, or None if there is none."""

    def note_skipped(self, samples: int) -> None:
        """Count audio that was not heard."""


class RemoteRecognizer:
    """One stream's recognizer, in whichever process has room; moves when that process dies."""

    _numbers = count()  # only has to differ from one stream to the next

    def __init__(self, exchange: Exchange, keyterms: Keyterms, *, trusted: bool) -> None:
        self.trusted = trusted
        self._exchange = exchange
        self._number = next(self._numbers)
        self._keyterms = keyterms
        self._news = threading.Condition()
        self._link: Link | None = None
        self._words: Words = ()
        self._finished: Words | None = None
        self._stretch = 0
        self._samples = 0  # of this stretch
        self._unanswered = 0  # of all stretches
        self._owed_at = 0.0  # since when there is audio that is not answered
        self._begun = self._asked = self._lost = self._skipping = False
        self._told_of: set[str] = set()
        self._biasing: Keyterms | None = None  # what the process was told and has not answered
        self._give_back: finalize[..., RemoteRecognizer] | None = None
        self._attach()

    @property
    def words(self) -> Words:
        """What the stretch seems to say, as far as it was heard."""
        return self._words

    def feed(self, samples: Samples) -> None:
        """Send more of the stretch; waits for 50 ms at most."""
        with self._news:
            if not self._begun:
                self._begin()
            self._samples += len(samples)
            if self._lost or self._skipping:
                self._note_skipped(len(samples))
            elif self._unanswered + len(samples) > LIMIT_SAMPLES:
                self._fall_behind(len(samples))
            else:
                self._send(samples)

    def finish(self) -> Words | None:
        """End the stretch; waits for 50 ms at most, and returns None if that was too short."""
        with self._news:
            if not self._begun:
                return ()
            if not (self._lost or self._asked):
                self._asked = True
                assert self._link is not None
                self._link.send(Finish(self._number, self._stretch))
            self._news.wait_for(lambda: self._lost or self._finished is not None, PATIENCE_S)
            if self._lost:
                words = self._words or speech_mark(self._samples)
            elif self._finished is None:
                return None
            else:
                words = self._finished
            self._forget()
            return words

    def drop(self) -> None:
        """End the stretch, whatever it says; what is on its way is ignored when it comes."""
        with self._news:
            if self._begun and not self._lost and self._link is not None:
                self._link.send(Drop(self._number))
            self._forget()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words from the next stretch on."""
        with self._news:
            self._keyterms = keyterms
            self._pass_on_keyterms()

    def close(self) -> None:
        """Give the place up."""
        if self._give_back is not None:
            self._give_back()

    def take(self, news: Heard | Finished | Biased) -> None:
        """Take in an answer."""
        with self._news:
            match news:
                case Heard(_, stretch, samples, words):
                    self._unanswered -= samples
                    if stretch == self._stretch and words is not None:
                        self._words = words
                case Finished(_, stretch, words):
                    if stretch == self._stretch:
                        self._finished = words
                case Biased():
                    told, self._biasing = self._biasing, None
                    if told != self._keyterms:
                        self._pass_on_keyterms()
            self._news.notify_all()

    def lose(self, reason: str | None) -> None:
        """Go on without words; the next stretch finds another process."""
        with self._news:
            if reason is not None:
                self._report_once("recognizer.lost", reason=reason, effect="turns say [speech]")
            self._link, self._lost = None, True
            self._news.notify_all()

    def _attach(self) -> None:
        """Find a process, and tell it of this stream."""
        self._link = link = self._exchange.link()
        self._unanswered, self._biasing, self._lost = 0, None, link is None
        if link is None or not link.attach(self._number, self):
            self._link, self._lost = None, True
            return
        link.send(Open(self._number, self._keyterms))
        if self._give_back is not None:
            self._give_back.detach()
        self._give_back = finalize(self, link.detach, self._number)
        self._give_back.atexit = False  # processes end then anyway

    def _begin(self) -> None:
        self._begun = True
        if self._lost:
            self._attach()
        if self._link is not None and not self._link.ready:
            self._report_once("recognizer.loading", effect="turns say [speech]")
            self._lost = True  # for this stretch; what the process is told meanwhile is the next

    def _send(self, samples: Samples) -> None:
        assert self._link is not None
        if not self._unanswered:
            self._owed_at = time.monotonic()
        self._unanswered += len(samples)
        self._link.send(Hear(self._number, self._stretch, samples.tobytes()))
        if self._unanswered > WINDOW_SAMPLES:
            self._news.wait_for(lambda: self._lost or self._in_window(), PATIENCE_S)

    def _in_window(self) -> bool:
        return self._unanswered <= WINDOW_SAMPLES

    def _fall_behind(self, samples: int) -> None:
        self._skipping = True
        self._note_skipped(samples)
        self._report_once("recognizer.behind", effect="the rest of a stretch has no words")
        owed_s = time.monotonic() - self._owed_at
        if self._link is not None and min(owed_s, self._link.silent_s) > HANG_S:
            self._link.kill()

    def _note_skipped(self, samples: int) -> None:
        self._exchange.note_skipped(samples)

    def _pass_on_keyterms(self) -> None:
        if self._link is not None and self._biasing is None:
            self._biasing = self._keyterms
            self._link.send(Bias(self._number, self._keyterms))

    def _forget(self) -> None:
        self._words, self._finished = (), None
        self._stretch += 1
        self._samples = 0
        self._begun = self._asked = self._skipping = False
        self._lost = self._link is None

    def _report_once(self, event: str, **about: str) -> None:
        if event not in self._told_of:
            self._told_of.add(event)
            log.warning(event, **about)
