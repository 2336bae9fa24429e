"""Opus, while it comes in: packets or an Ogg stream in, samples at 48 kHz out.

Decoded by FFmpeg through PyAV (extra `opus`): of the packages that bring a decoder along it alone
takes a stream packet by packet and is kept up. libsndfile (extra `files`) reads Ogg Opus too, but
only whole files; opuslib brings no library, and PyOgg has had no release beyond an alpha.
"""

import importlib.util
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from turnkit.audio.frames import Samples
from turnkit.audio.ogg import OggPackets
from turnkit.errors import ConfigError

RATE_HZ = 48000  # Opus is decoded at this rate whatever it was made from

_OGG = b"OggS"
_HEAD, _TAGS = b"OpusHead", b"OpusTags"
_PRE_SKIP = slice(10, 12)  # in the head (RFC 7845): samples to drop at the beginning
_FULL_SCALE = 32768


def opus_installed() -> bool:
    """Tell whether Opus can be decoded."""
    return importlib.util.find_spec("av") is not None


class OpusDecoder:
    """Decodes one mono or stereo stream, mixed to mono.

    Packets that make no sense are counted, and sound like nothing.

    Args:
        ogg: whether the stream is Ogg, in pieces of any length. If not, what begins as Ogg does is
            read as that all the same, and anything else as one packet each time.

    Raises:
        ConfigError: the extra is missing.
    """

    def __init__(self, *, ogg: bool = False) -> None:
        self.broken_packets = 0
        """How many packets could not be decoded."""
        self._codec = _open_codec()
        self._ogg: OggPackets | None = OggPackets() if ogg else None
        self._undecided: bytes | None = None if ogg else b""
        self._skip = 0

    def feed(self, data: bytes) -> Samples:
        """Take in what came; return the samples it makes, at `RATE_HZ`."""
        if self._undecided is not None:
            data = self._undecided + data
            if len(data) < len(_OGG) and _OGG.startswith(data):
                self._undecided = data
                return np.empty(0, np.int16)
            self._undecided = None
            self._ogg = OggPackets() if data.startswith(_OGG) else None
        packets = [data] if self._ogg is None else self._ogg.feed(data)
        pieces = [self._decode(packet) for packet in packets if packet]
        return np.concatenate([np.empty(0, np.int16), *pieces])

    def _decode(self, packet: bytes) -> Samples:
        if packet.startswith(_HEAD):
            self._skip = int.from_bytes(packet[_PRE_SKIP], "little")
            return np.empty(0, np.int16)
        if packet.startswith(_TAGS):
            return np.empty(0, np.int16)
        samples = self._codec.decode(packet)
        if samples is None:
            self.broken_packets += 1
            return np.empty(0, np.int16)
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        return samples[skipped:]


class _Codec(Protocol):
    def decode(self, packet: bytes) -> Samples | None:
        """Return mono samples, or None for a packet that is broken."""


def _open_codec() -> _Codec:
    try:
        import av  # noqa: F401, PLC0415  # extra `opus`
    except ImportError as exc:
        raise ConfigError("Opus needs a decoder: pip install 'turnkit[opus]'") from exc
    return _FFmpeg()


class _FFmpeg:
    """FFmpeg's own Opus decoder."""

    def __init__(self) -> None:
        import av  # noqa: PLC0415

        self._errors = av.FFmpegError
        self._packet = av.Packet
        self._context = av.CodecContext.create("opus", "r")

    def decode(self, packet: bytes) -> Samples | None:
        try:
            frames = self._context.decode(self._packet(packet))
        except self._errors:
            return None
        return _mono(frame.to_ndarray() for frame in frames)


def _mono(frames: Iterable[np.ndarray]) -> Samples:
    """Mix planes of floats, shape (channels, samples), to samples."""
    planes = [frame.mean(axis=0) for frame in frames]
    floats = np.concatenate([np.empty(0, np.float32), *planes])
    scaled = np.clip(np.rint(np.nan_to_num(floats) * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1)
    return np.asarray(scaled, np.int16)
