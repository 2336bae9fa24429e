"""Packets out of an Ogg stream that is still coming in (RFC 3533). Pure.

Only what a live stream of one codec needs: pages are read one after the other, and a page that is
broken or not there is skipped, with the packet it was part of. Checksums are not looked at, since
what brings the stream (TCP) has its own.
"""

_CAPTURE = b"OggS"
_HEADER_BYTES = 27
_CONTINUED = 1
_WHOLE_SEGMENT = 255

MAX_PACKET_BYTES = 1 << 16
"""A longer packet is none of sound, and is dropped: Opus needs at most 61,440 bytes for 120 ms."""


class OggPackets:
    """Takes bytes of any length, returns the packets they complete."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._packet: bytearray | None = bytearray()  # None while the rest of a lost one comes

    def feed(self, data: bytes) -> list[bytes]:
        """Take in the next bytes; return the packets they complete."""
        self._waiting += data
        packets: list[bytes] = []
        while (page := self._next_page()) is not None:
            packets += self._packets_of(page)
        return packets

    def _next_page(self) -> bytes | None:
        """Take a whole page; what is before one is no Ogg, and is dropped."""
        start = self._waiting.find(_CAPTURE)
        if start < 0:
            del self._waiting[: max(0, len(self._waiting) - len(_CAPTURE) + 1)]
            return None
        del self._waiting[:start]
        if len(self._waiting) < _HEADER_BYTES:
            return None
        head = _HEADER_BYTES + self._waiting[_HEADER_BYTES - 1]
        size = head + sum(self._waiting[_HEADER_BYTES:head])
        if len(self._waiting) < max(head, size):
            return None
        page = bytes(self._waiting[:size])
        del self._waiting[:size]
        return page

    def _packets_of(self, page: bytes) -> list[bytes]:
        if not page[5] & _CONTINUED:
            self._packet = bytearray()
        elif not self._packet:
            self._packet = None  # its beginning was lost
        at = _HEADER_BYTES + page[_HEADER_BYTES - 1]
        packets = []
        for size in page[_HEADER_BYTES:at]:
            if self._packet is not None:
                self._packet += page[at : at + size]
                if len(self._packet) > MAX_PACKET_BYTES:
                    self._packet = None
            at += size
            if size < _WHOLE_SEGMENT:
                if self._packet:
                    packets.append(bytes(self._packet))
                self._packet = bytearray()
        return packets
