"""A look at audio a server could not read, in figures that say what it may be instead. Pure."""

from typing import Final

import numpy as np

LOOK_BYTES: Final = 2560
"""How much of the beginning is looked at: 80 ms of linear16 at 16 kHz."""

_CONTAINERS = {
    b"RIFF": "a WAV file",
    b"OggS": "an Ogg file",
    b"\x1a\x45\xdf\xa3": "a WebM file",
    b"fLaC": "a FLAC file",
    b"ID3": "an MP3 file",
    b"{": "JSON",
    b"[obj": "the name of an object",
}


def look(audio: bytes) -> str:
    """Describe the beginning of a call's audio, without anything of what was said.

    linear16 of speech fills its high bytes with 0x00 and 0xff; mulaw of silence is all 0xff; text
    and compressed audio are spread over many values.
    """
    head = audio[:LOOK_BYTES]
    if not head:
        return "nothing was sent"
    values = np.frombuffer(head, np.uint8)
    zeros, ones = (round(100 * float(np.mean(values == value))) for value in (0x00, 0xFF))
    kinds = len(np.unique(values))
    begins = next((name for magic, name in _CONTAINERS.items() if head.startswith(magic)), None)
    looks = f", and look like {begins}" if begins else ""
    return (
        f"its first {len(head)} bytes begin with {head[:4].hex(' ')}, "
        f"are {zeros} % 0x00 and {ones} % 0xff, have {kinds} different values{looks}"
    )
