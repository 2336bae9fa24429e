"""What a process of recognizers and the one that started it tell each other, in MessagePack. Pure.

A frame is its length in 4 bytes, big-endian, and a message. Streams and stretches are numbered by
the parent; whatever is said of a stretch that is over only counts as an answer.
"""

from typing import TypeAlias

import msgspec

from turnkit.recognizers.base import Keyterms, Words

HEADER_BYTES = 4
MAX_FRAME_BYTES = 1 << 24  # the first one brings a pickled model; all others are small


class _Message(msgspec.Struct, array_like=True, frozen=True):
    pass


class Open(_Message, tag="open", frozen=True):
    """Get ready for a stream, which expects these words."""

    stream: int
    keyterms: Keyterms


class Hear(_Message, tag="hear", frozen=True):
    """Take in more of a stretch: linear16 at 16 kHz. Answered by Heard."""

    stream: int
    stretch: int
    audio: bytes


class Finish(_Message, tag="finish", frozen=True):
    """End the stretch. Answered by Finished."""

    stream: int
    stretch: int


class Drop(_Message, tag="drop", frozen=True):
    """End the stretch, whatever it says."""

    stream: int


class Bias(_Message, tag="bias", frozen=True):
    """Expect these words from now on. Answered by Biased."""

    stream: int
    keyterms: Keyterms


class Close(_Message, tag="close", frozen=True):
    """The stream is over."""

    stream: int


class Ready(_Message, tag="ready", frozen=True):
    """The model is loaded; or there is news of how much memory the process takes."""

    memory_mb: float


class Failed(_Message, tag="failed", frozen=True):
    """The model cannot be loaded: the process ends."""

    reason: str


class Heard(_Message, tag="heard", frozen=True):
    """So much more was heard; these are the words of the stretch, or None if they are as before."""

    stream: int
    stretch: int
    samples: int
    words: Words | None


class Finished(_Message, tag="finished", frozen=True):
    """What the stretch says."""

    stream: int
    stretch: int
    words: Words


class Biased(_Message, tag="biased", frozen=True):
    """From now on those words are expected."""

    stream: int


class Broken(_Message, tag="broken", frozen=True):
    """The stream's recognizer raised an error, and hears no more."""

    stream: int
    reason: str


Order: TypeAlias = Open | Hear | Finish | Drop | Bias | Close
News: TypeAlias = Ready | Failed | Heard | Finished | Biased | Broken

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_news: msgspec.msgpack.Decoder[News] = msgspec.msgpack.Decoder(News)


def framed(payload: bytes) -> bytes:
    """Put the length before it."""
    assert len(payload) <= MAX_FRAME_BYTES
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


def length_of(header: bytes) -> int:
    """Return how long the rest of the frame is. Raises ValueError if that cannot be."""
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {length} bytes; at most {MAX_FRAME_BYTES} are sent")
    return length


def encode(message: Order | News) -> bytes:
    """Return the message as a frame."""
    return framed(_encoder.encode(message))


def parse_order(payload: bytes) -> Order:
    """Read what the parent says. Raises msgspec.DecodeError."""
    return _orders.decode(payload)


def parse_news(payload: bytes) -> News:
    """Read what the worker says. Raises msgspec.DecodeError."""
    return _news.decode(payload)
