"""Chunks of any size in, frames of one exact size out."""


class Framer:
    """Cuts a byte stream into frames; what does not fill one waits for more, odd bytes included."""

    def __init__(self, frame_bytes: int) -> None:
        assert frame_bytes > 0
        self._frame_bytes = frame_bytes
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take in the next bytes; return the frames they complete."""
        data = self._rest + chunk
        size = self._frame_bytes
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        return [data[start : start + size] for start in range(0, whole, size)]

    def flush(self, pad: bytes) -> bytes | None:
        """Return the unfinished frame, or None if nothing is waiting.

        Args:
            pad: one sample of silence, repeated to fill the frame. Bytes that are less than a
                sample are dropped.
        """
        kept = self._rest[: len(self._rest) - len(self._rest) % len(pad)]
        self._rest = b""
        missing = self._frame_bytes - len(kept)
        return kept + pad * (missing // len(pad)) if kept else None
