"""Ordinary WebSocket frames, read and written the short way (RFC 6455, section 5.2). No I/O.

websockets reads every frame, and does all that is right about the odd ones, in forty calls; a
caller sends 50 a second, and nearly all are one whole message each. Those alone are read here.
"""

from websockets.frames import Opcode
from websockets.frames import apply_mask as _unmasked  # type: ignore[attr-defined]  # in C, or not

_FIN = 0x80
_MASKED = 0x80
_TEXT = _FIN | Opcode.TEXT
_BINARY = _FIN | Opcode.BINARY
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # how long the length itself is
_MASK_BYTES = 4


def read_message(data: bytes, start: int) -> tuple[str | bytes, int] | None:
    """Return the message that begins here and where it ends; None if websockets should read it.

    That is: if it is not there whole, not all in one frame, longer than 64 KiB, or not as it should
    be. `start` has to be where a frame begins.
    """
    if len(data) < start + 2 + _MASK_BYTES or data[start] not in (_TEXT, _BINARY):
        return None
    length = data[start + 1] - _MASKED
    key = start + 2
    if length == _TWO_BYTES:
        length = int.from_bytes(data[key : key + 2], "big")
        key += 2
    elif not 0 <= length < _TWO_BYTES:
        return None
    begin = key + _MASK_BYTES
    end = begin + length
    if end > len(data):
        return None
    message: bytes = _unmasked(data[begin:end], data[key:begin])
    if data[start] == _BINARY:
        return message, end
    try:
        return message.decode(), end
    except UnicodeDecodeError:
        return None


def write_message(message: str | bytes) -> bytes:
    """Return a server's message on the wire, whole in one frame: not masked, and no extensions."""
    if isinstance(message, str):
        opcode, data = _TEXT, message.encode()
    else:
        opcode, data = _BINARY, message
    size = len(data)
    if size < _TWO_BYTES:
        return b"%c%c%b" % (opcode, size, data)
    if size < 1 << 16:
        return b"%c%c%b%b" % (opcode, _TWO_BYTES, size.to_bytes(2, "big"), data)
    return b"%c%c%b%b" % (opcode, _EIGHT_BYTES, size.to_bytes(8, "big"), data)


class FrameEnds:
    """Follows a stream of frames, to know where one ends; what they hold is not looked at."""

    def __init__(self) -> None:
        self.between = True
        """Whether all that was fed makes whole frames."""
        self._head = b""  # of a frame whose length is not known yet
        self._left = 0  # bytes still to come of one whose length is

    def feed(self, data: bytes) -> None:
        """Take in the next bytes."""
        data, at = self._head + data, self._left
        while at < len(data) and (size := _size(data, at)) is not None:
            at += size
        self._head, self._left = data[at:], max(0, at - len(data))
        self.between = at == len(data)


def _size(data: bytes, start: int) -> int | None:
    """Return how many bytes a frame has that begins here; None if that is still to come."""
    if len(data) < start + 2:
        return None
    length = data[start + 1] & ~_MASKED
    extra = {_TWO_BYTES: 2, _EIGHT_BYTES: 8}.get(length, 0)
    if len(data) < start + 2 + extra:
        return None
    if extra:
        length = int.from_bytes(data[start + 2 : start + 2 + extra], "big")
    return 2 + extra + (_MASK_BYTES if data[start + 1] & _MASKED else 0) + length
