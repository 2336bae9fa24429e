"""What a recognizer of speech is to the engine, and what makes one.

There are three steps, so that a mistake of the user's is told at once, a model is loaded once for a
process, and a stream costs little: `create` of a plug-in gives a `SpeechModel`, which is light and
can be sent to another process; `load` takes its time there; and what it returns opens a recognizer
for a stream.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from turnkit.audio.frames import Samples
from turnkit.sources.flux_wire import Word

RATE_HZ = 16000

Words: TypeAlias = tuple[Word, ...]
Keyterms: TypeAlias = tuple[str, ...]


class Recognizer(Protocol):
    """Hears one stretch of speech after another; times of words count from a stretch's start.

    Not safe for two threads at once. None of its methods waits for longer than it takes to hear
    what was fed, and where another process hears it, for longer than 50 ms.
    """

    @property
    def trusted(self) -> bool:
        """Whether the words are right often enough to say of a sentence that it is finished."""

    @property
    def words(self) -> Words:
        """What the stretch so far seems to say; any of it may still change."""

    def feed(self, samples: Samples) -> None:
        """Take in more of the stretch, at `RATE_HZ`."""

    def finish(self) -> Words | None:
        """End the stretch and return what it says; the next `feed` begins another.

        None means that it is still being worked out: ask again, or `drop` it.
        """

    def drop(self) -> None:
        """End the stretch, whatever it says."""

    def bias(self, keyterms: Keyterms) -> None:
        """Expect these words, and no longer those before, from the next stretch on."""

    def close(self) -> None:
        """Give back what the stream had; it is not used again."""


OpenRecognizer: TypeAlias = Callable[[Keyterms], Recognizer]
"""Opens a recognizer for one stream, which expects these words."""


class SpeechModel(Protocol):
    """A way to recognize speech, chosen and checked, but not loaded. Can be pickled."""

    @property
    def trusted(self) -> bool:
        """Whether its words are right often enough to say of a sentence that it is finished."""

    @property
    def apart(self) -> bool:
        """Whether its work is heavy enough to deserve a process of its own."""

    def load(self) -> OpenRecognizer:
        """Load it, which takes a while, and once for a process is enough."""
