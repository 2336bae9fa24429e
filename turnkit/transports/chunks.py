"""Numbered pieces of audio, back in order: a repeat is dropped, what is lost is silence. Pure.

A piece that is ahead waits for those before it, but never for more than `PATIENCE` pieces: 100 ms
of a telephone's. Twilio sends over TCP, so this is rare; a proxy that retries is enough for it.
"""

PATIENCE = 5

GAP = 50
"""The longest gap that is filled with silence: 1 s. A longer one is a stream that begins anew."""


class Chunks:
    """The order of one stream's pieces."""

    def __init__(self, silence: bytes) -> None:
        self.repeated = 0
        self.lost = 0
        self._silence = silence
        self._next: int | None = None
        self._ahead: dict[int, bytes] = {}

    def feed(self, number: int, audio: bytes) -> bytes:
        """Take in one piece; return the audio that can be heard now, in order."""
        if number == self._next and not self._ahead:
            self._next += 1
            return audio
        if self._next is None:
            self._next = number
        if number < self._next or number in self._ahead:
            self.repeated += 1
            return b""
        self._ahead[number] = audio
        heard = self._in_order()
        if len(self._ahead) >= PATIENCE:
            missing = min(self._ahead) - self._next
            self.lost += missing
            self._next += missing
            heard += self._silence * min(missing, GAP) + self._in_order()
        return heard

    def _in_order(self) -> bytes:
        assert self._next is not None
        heard = b""
        while self._next in self._ahead:
            heard += self._ahead.pop(self._next)
            self._next += 1
        return heard
