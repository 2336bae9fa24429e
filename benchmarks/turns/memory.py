"""Detectors, recognizers and models that remember what they answered.

In a sweep the same audio is heard again and again at other thresholds. What a detector of voice
activity says does not depend on them, what a recognizer says hardly: so each works once, and later
hearings are told what it answered. When a later hearing does ask something new, the recognizer is
brought to where that hearing is, and goes on from there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeAlias

from turnkit.audio.frames import Samples
from turnkit.audio.vad import Vad
from turnkit.engine.smart_turn import Opinion
from turnkit.recognizers.base import Keyterms, Recognizer, Words

_Call: TypeAlias = Samples | Keyterms | None
"""More of a stretch; or the words to expect; or (None) the stretch's end."""


class VadMemory:
    """One stream's probabilities, window by window."""

    def __init__(self, vad: Vad) -> None:
        self._vad = vad
        self._known: list[float] = []

    def replay(self) -> Vad:
        """Return a detector for the same stream from its start; use one at a time."""
        return _RememberedVad(self)

    def at(self, position: int, window: Samples) -> float:
        """Return the answer for the window at that position; positions may not be left out."""
        if position == len(self._known):
            self._known.append(self._vad.speech_probability(window))
        return self._known[position]


class _RememberedVad:
    def __init__(self, memory: VadMemory) -> None:
        self._memory = memory
        self._position = -1

    def speech_probability(self, window: Samples) -> float:
        self._position += 1
        return self._memory.at(self._position, window)


class OpinionMemory:
    """What another model said of each piece of audio it was asked about."""

    def __init__(self, opinion: Opinion) -> None:
        self._opinion = opinion
        self._known: dict[bytes, float] = {}

    def log_odds(self, turn: Samples) -> float:
        """Return what it said, or says now."""
        key = _digest(turn)
        if key not in self._known:
            self._known[key] = self._opinion.log_odds(turn)
        return self._known[key]


@dataclass(slots=True)
class _Node:
    """Where a sequence of calls leads, and what the words are there."""

    words: Words = ()
    finished: Words = ()
    nexts: dict[bytes, "_Node"] = field(default_factory=dict)


class RecognizerMemory:
    """One stream's words, after every sequence of calls there was.

    The recognizers must work in this process: one that works elsewhere answers when it is done,
    which is another time each time.
    """

    def __init__(self, make: Callable[[], Recognizer]) -> None:
        self._make = make
        self._recognizer = make()
        self._keys: list[bytes] = []
        self.trusted = self._recognizer.trusted
        self.root = _Node()

    def replay(self) -> Recognizer:
        """Return a recognizer for the same stream from its start; use one at a time."""
        return _RememberedRecognizer(self)

    def ask(self, calls: list[_Call], keys: list[bytes]) -> _Node:
        """Carry out all calls that have not been; return where the last one leads."""
        if keys[: len(self._keys)] != self._keys:
            self._recognizer.close()
            self._recognizer = self._make()
            self._keys = []
        finished: Words = ()
        for call in calls[len(self._keys) :]:
            finished = self._carry_out(call)
        self._keys = list(keys)
        return _Node(self._recognizer.words, finished)

    def _carry_out(self, call: _Call) -> Words:
        if call is None:
            return self._recognizer.finish() or ()
        if isinstance(call, tuple):
            self._recognizer.bias(call)
        else:
            self._recognizer.feed(call)
        return ()


class _RememberedRecognizer:
    def __init__(self, memory: RecognizerMemory) -> None:
        self._memory = memory
        self._node = memory.root
        self._calls: list[_Call] = []
        self._keys: list[bytes] = []
        self._listening = False

    @property
    def trusted(self) -> bool:
        return self._memory.trusted

    @property
    def words(self) -> Words:
        return self._node.words if self._listening else ()

    def feed(self, samples: Samples) -> None:
        self._listening = True
        self._go(samples, _digest(samples))

    def finish(self) -> Words:
        if not self._listening:
            return ()
        self._listening = False
        self._go(None, b"")
        return self._node.finished

    def drop(self) -> None:
        self.finish()

    def bias(self, keyterms: Keyterms) -> None:
        self._go(keyterms, repr(keyterms).encode())

    def close(self) -> None:
        """Do nothing: another hearing may follow."""

    def _go(self, call: _Call, key: bytes) -> None:
        self._calls.append(call)
        self._keys.append(key)
        known = self._node.nexts.get(key)
        if known is None:
            known = self._memory.ask(self._calls, self._keys)
            self._node.nexts[key] = known
        self._node = known


def _digest(samples: Samples) -> bytes:
    return blake2b(samples.tobytes(), digest_size=16).digest()
