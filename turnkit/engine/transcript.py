"""The words of the turn so far: of the stretches that are over, and of the one being spoken."""

from collections import deque

import msgspec

from turnkit.audio.frames import Samples
from turnkit.engine.activity import Activity
from turnkit.engine.words import RATE_HZ, Recognizer, Words
from turnkit.sources.flux_wire import Word

UNHEARD = "..."
"""The transcript while there is speech and no word yet. A turn needs some text to start, and its
start must not wait for the recognizer, because it is what stops the agent."""

# So long speech may wait for its first word, which comes 0.24 to 0.7 s after the onset.
_WORDLESS_S = 0.15

# The recognizer's text has come to rest by then, and the shortest pause that matters (0.17 s, at
# an eager threshold of 0.3) is hardly shorter.
_SETTLED_S = 0.2

# What the recognizer hears of the time before speech was noticed: up to 0.2 s of speech, which is
# what noticing takes, and 0.2 s of the silence it needs to tell the two apart.
_LEAD_FRAMES = 5


class Transcript:
    """Follows one stream, a frame at a time."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._lead: deque[Samples] = deque(maxlen=_LEAD_FRAMES)
        self._samples = 0
        self._began_samples = 0
        self._following = False
        self._certain = False
        self._earlier: Words = ()

    @property
    def words(self) -> Words:
        """The words so far, with times since the start of the stream."""
        if not self._certain:
            return ()
        return self._earlier + self._timed(self._recognizer.words) or self._unheard()

    @property
    def settled(self) -> bool:
        """Whether the words stay as they are until somebody speaks."""
        return not self._following

    def hear(self, samples: Samples, activity: Activity) -> None:
        """Take in a frame, after the activity has."""
        self._samples += len(samples)
        if self._following:
            self._recognizer.feed(samples)
        else:
            self._lead.append(samples)
            if activity.speaking:
                self._follow()
        if self._following:
            self._weigh(activity)

    def finish(self) -> None:
        """Make the most of what was heard: no more will come."""
        if self._following:
            self._settle()

    def clear(self) -> None:
        """Forget the words: the turn is over."""
        self._recognizer.drop()
        self._following = False
        self._certain = False
        self._earlier = ()

    def _follow(self) -> None:
        self._following = True
        self._began_samples = self._samples - sum(len(frame) for frame in self._lead)
        for frame in self._lead:
            self._recognizer.feed(frame)
        self._lead.clear()

    def _weigh(self, activity: Activity) -> None:
        if self._recognizer.words or activity.speech_s >= _WORDLESS_S:
            self._certain = True
        if activity.silence_s >= _SETTLED_S:
            self._settle()

    def _settle(self) -> None:
        self._following = False
        self._earlier += self._timed(self._recognizer.finish())
        self._certain = self._certain or bool(self._earlier)

    def _timed(self, words: Words) -> Words:
        offset_s = self._began_samples / RATE_HZ
        return tuple(_shifted(word, offset_s) for word in words)

    def _unheard(self) -> Words:
        start, end = self._began_samples / RATE_HZ, self._samples / RATE_HZ
        return (Word(UNHEARD, confidence=0.0, start=start, end=end),)


def _shifted(word: Word, offset_s: float) -> Word:
    assert word.start is not None
    assert word.end is not None
    return msgspec.structs.replace(word, start=word.start + offset_s, end=word.end + offset_s)
