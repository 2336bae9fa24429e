"""The words of the turn so far: of the stretches that are over, and of the one being spoken."""

from collections import deque

import msgspec

from turnkit.audio.frames import Samples
from turnkit.engine.activity import Activity
from turnkit.recognizers.base import RATE_HZ, Keyterms, Recognizer, Words
from turnkit.sources.flux_wire import Word

UNHEARD = "..."
"""The transcript while there is speech and no word yet. A turn needs some text to start, and its
start must not wait for the recognizer, because it is what stops the agent."""

# So long speech may wait for its first word, which comes 0.24 to 0.7 s after the onset.
_WORDLESS_S = 0.09

# The recognizer's text has come to rest by then, and the shortest pause that matters (0.17 s, at
# an eager threshold of 0.3) is hardly shorter.
_SETTLED_S = 0.2

# What the recognizer hears of the time before speech was noticed: up to 0.2 s of speech, which is
# what noticing takes, and 0.2 s of the silence it needs to tell the two apart.
_LEAD_FRAMES = 5

# A recognizer in a process of its own is asked once a frame what a stretch says that is over, and
# each time waited for a little. After so many times, about 1 s, it has to be content with what it
# said before; so has one that is still at it when somebody speaks again.
_ASKS = 12


class Transcript:
    """Follows one stream, a frame at a time."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._recognizer = recognizer
        self._lead: deque[Samples] = deque(maxlen=_LEAD_FRAMES)
        self._samples = 0
        self._began_samples = 0
        self._following = False
        self._asked = 0  # how often, since the stretch was over
        self._certain = False
        self._earlier: Words = ()

    @property
    def trusted(self) -> bool:
        """Whether the words are right often enough to tell a finished sentence by them."""
        return self._recognizer.trusted

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
        if self._asked:
            self._settle(last=activity.speaking)
        if self._following and not self._asked:
            self._recognizer.feed(samples)
        else:
            self._lead.append(samples)
            if activity.speaking and not self._following:
                self._follow()
        if self._following and not self._asked:
            self._weigh(activity)

    def settle(self) -> None:
        """End the stretch now, as if the pause were long enough; it may take some frames."""
        if self._following and not self._asked:
            self._settle()

    def finish(self) -> None:
        """Make the most of what was heard, however long it takes: no more will come."""
        while self._following:
            self._settle()

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words, and no longer those before."""
        self._recognizer.bias(keyterms)

    def close(self) -> None:
        """Give the recognizer back."""
        self._recognizer.close()

    def clear(self) -> None:
        """Forget the words: the turn is over."""
        self._recognizer.drop()
        self._following = False
        self._asked = 0
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

    def _settle(self, *, last: bool = False) -> None:
        """End the stretch, unless the recognizer is still at it and may be asked again."""
        self._asked += 1
        words = self._recognizer.finish()
        if words is None:
            if self._asked < _ASKS and not last:
                return
            words = self._recognizer.words
            self._recognizer.drop()
        self._following = False
        self._asked = 0
        self._earlier += self._timed(words)
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
